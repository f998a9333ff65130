import type { SavedPlan, SavedStep } from '@berth/contracts';
import type { Build, LiveBuild } from '../domain/build/build.js';
import { scopeOf } from '../domain/build/scope.js';
import { stepKind } from '../domain/steps/index.js';
import type { Ended, StepContext } from '../domain/steps/kind.js';
import type { View } from '../domain/view.js';
import { after, BUILD, request, seeing } from './examples.js';

export const ACTION = '5b1f2a52-9c1e-4b7a-8f60-0a4f8d2c1b22';

/** Values of any kind, for what a plan puts in: `vars.v`. */
export const V = '${{ vars.v }}';

/** Where one step of a plan runs; `v`: the value of the variable of that name. */
export function at(step: Omit<SavedStep, 'name'>, more: { v?: string; view?: Partial<View>; build?: Partial<LiveBuild>; wants?: Record<string, string>; now?: number; plan?: Partial<SavedPlan> } = {}): StepContext {
  const { v = '', view, now = 20_000, wants = {}, build: changes } = more;
  const written = { name: 'It', id: 'it', ...step };
  const begun = after({ ...request, variables: { v }, plan: { ...request.plan, ...more.plan, steps: [written] } } as typeof request) as Extract<Build, { status: 'preparing' | 'building' }>;
  const build = { ...begun, ...changes } as LiveBuild;
  return { id: BUILD, build, index: 0, step: written, action: ACTION, scope: scopeOf(BUILD, build, 0), env: { CI: 'true' }, wants, view: { ...seeing({}), ...view }, now, since: 10_000 };
}

/** What a step on a host asks for: the action, or the sentence why it can't. */
export function asked(step: Omit<SavedStep, 'name'>, more: Parameters<typeof at>[1] = {}) {
  const kind = stepKind({ name: 'It', ...step });
  if (kind.on !== 'host') throw new Error('it is done on no host');
  const what = kind.action(at(step, more));
  return 'spec' in what ? what.spec : 'fault' in what ? what.fault : what.due;
}

/** What the end of its action says of the step. */
export function verdict(step: Omit<SavedStep, 'name'>, ended: Ended) {
  const kind = stepKind({ name: 'It', ...step });
  if (kind.on !== 'host') throw new Error('it is done on no host');
  return kind.verdict(ended, at(step));
}
export const succeeded = (result: object = {}): Ended => ({ how: 'succeeded', result });
export const failedBy = (code: string, result: object = {}): Ended => ({ how: 'failed', result, code, error: `it failed: ${code}` });

/** What a step without a host comes to. */
export function looked(step: Omit<SavedStep, 'name'>, more: Parameters<typeof at>[1] = {}) {
  const kind = stepKind({ name: 'It', ...step });
  if (kind.on !== 'nothing') throw new Error('it is done on a host');
  const what = kind.look(at(step, more));
  return 'verdict' in what ? what.verdict : what.due;
}
