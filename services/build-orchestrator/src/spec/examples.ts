import type { Build, BuildCommand } from '../domain/build.js';
import { buildDecider } from '../domain/build.js';
import { ids } from '../domain/ids.js';
import type { SavedPlan } from '../domain/plan.js';
import type { ActionView, HoldView, HostView, LeaseEnd, LeaseView, View } from '../domain/view.js';

/** A build in all its phases, and what it sees: shared by the specs beside the code. */
export const BUILD = '7d3f1a52-9c1e-4b7a-8f60-0a4f8d2c1b11';
export const HOST = ids.hostLease(BUILD, 1);
export const COPY = ids.workingCopyLease(BUILD, 1);
export const action = (step: number, attempt = 1) => ids.action(BUILD, attempt, step);

export const plan: SavedPlan = {
  name: 'wordcount',
  host: { os: 'linux' },
  workingCopy: { repository: '/repositories/wordcount', ref: 'main' },
  env: { CI: 'true', WHERE: 'plan' },
  steps: [
    { name: 'Test', run: 'npm test', env: { WHERE: 'step' }, timeout: 600_000 },
    { name: 'Keep the package', uses: 'upload-artifact', with: { path: 'out/wordcount.tgz' } },
  ],
};

export const request: Extract<BuildCommand, { type: 'Request' }> = { type: 'Request', build: BUILD, planName: 'wordcount', plan: { version: 3, plan }, variables: { WHO: 'me' }, initiator: 'ada' };
const start: BuildCommand = { type: 'Start', build: BUILD, attempt: 1, path: '/w/1', commit: 'c0ffee' };
export const pass = (step: number): BuildCommand => ({ type: 'FinishStep', build: BUILD, action: action(step), verdict: { outcome: 'passed' }, durationMs: 5 });
export const fail: BuildCommand = { type: 'FinishStep', build: BUILD, action: action(0), verdict: { outcome: 'failed', error: 'exit code 1', exitCode: 1 }, durationMs: 5 };
const abort: BuildCommand = { type: 'Abort', reason: 'not needed', stepMs: 7 };

/** The state that commands lead to, through the events they give. @throws when one is refused */
export function after(...commands: BuildCommand[]): Build {
  let build = buildDecider.initial;
  for (const command of commands) {
    const decision = buildDecider.decide(command, build);
    if ('accepted' in decision) throw new Error(decision.message);
    for (const event of decision) build = buildDecider.evolve(build, event);
  }
  return build;
}

const waitingForCopy: BuildCommand = { type: 'RequestWorkingCopy', build: BUILD, attempt: 1 };
const giveUp: BuildCommand = { type: 'GiveUp', attempt: 1, error: 'no such repository' };
const cleanUp: BuildCommand = { type: 'CleanUp' };

/** A build in every phase there is. `pending` exists only inside a commit: decided on, it can only follow from another version. */
export const phases = {
  none: after(),
  pending: buildDecider.evolve(after(), { type: 'BuildRequested', data: { plan, planVersion: 3, variables: {}, initiator: 'ada' } }),
  'preparing the host': after(request),
  'preparing the working copy': after(request, waitingForCopy),
  'running the first step': after(request, waitingForCopy, start),
  'running the last step': after(request, waitingForCopy, start, pass(0)),
  passed: after(request, waitingForCopy, start, pass(0), pass(1)),
  failed: after(request, waitingForCopy, start, fail),
  'failed and held': after(request, waitingForCopy, start, fail, { type: 'NoteHold', activity: 'host held until noon' }),
  aborted: after(request, abort),
  errored: after(request, giveUp),
  'passed and cleaned up': after(request, waitingForCopy, start, pass(0), pass(1), cleanUp),
  'aborted and cleaned up': after(request, abort, cleanUp),
} satisfies Record<string, Build>;

export const end = (how: LeaseEnd['how'], detail: string): LeaseEnd => ({ how, detail, at: 10_500 });
export const pending = (reason?: string): LeaseView => ({ status: 'pending', position: 11, ...(reason !== undefined && { reason }) });
export const acquired: LeaseView = { status: 'acquired', position: 12, token: 12, resource: 'r' };
export const active: LeaseView = { status: 'active', position: 13, token: 12, resource: 'r' };
export const activeCopy: LeaseView = { status: 'active', position: 23, token: 22, resource: 'c', path: '/w/1', commit: 'c0ffee' };
export const ending = (how: LeaseEnd['how'], detail: string): LeaseView => ({ status: 'ending', position: 31, end: end(how, detail) });
export const destroyed = (how: LeaseEnd['how'] = 'released', detail = 'done'): LeaseView => ({ status: 'destroyed', position: 32, end: end(how, detail) });
export const refused = (code: string, message = 'no.', at = 0): LeaseView & ActionView => ({ status: 'refused', code, message, at });

/** A view of what is given of the first attempt; anything else was never seen. */
export const seeing = (things: { host?: LeaseView; copy?: LeaseView; first?: ActionView; last?: ActionView; more?: Record<string, LeaseView>; machine?: HostView; hold?: HoldView }): View => ({
  lease: (id) => (id === HOST ? things.host : id === COPY ? things.copy : things.more?.[id]),
  action: (id) => (id === action(0) ? things.first : id === action(1) ? things.last : undefined),
  host: (resource) => (resource === 'r' ? things.machine : undefined),
  hold: (id) => (id === ids.hold(BUILD) ? things.hold : undefined),
});
