import { describe, expect, test } from 'vitest';
import { action, after, BUILD, phases, plan, request, seeing } from '../spec/examples.js';
import { buildDecider, type Build, type BuildCommand, type LiveBuild } from './build/build.js';
import type { Due } from './due.js';
import { react } from './react.js';
import type { View } from './view.js';

const CHILD = action(0);
const calling = { ...request, plan: { ...plan, steps: [{ name: 'Call', id: 'call', uses: 'call-plan', with: { plan: 'child' }, needs: [] }, { name: 'Other', uses: 'sleep', with: { for: 1 }, needs: [] }] } } as BuildCommand;
const caller = after(calling);
const child = after({ ...request, parent: { build: BUILD, step: 'call' } } as BuildCommand) as LiveBuild;

const due = (id: string, build: Build, more: Partial<View>, now = 20_000) => react(id, build, { ...seeing({}), ...more }, now);
const abortions = (all: Due[]) => all.flatMap((one) => (one.to === 'build' && one.command.type === 'Abort' ? [one.command.reason] : []));
const fold = (build: Build, command: BuildCommand): Build => (buildDecider.decide(command, build) as readonly Parameters<typeof buildDecider.evolve>[1][]).reduce(buildDecider.evolve, build);

describe('a build that a step has called', () => {
  const under = (parent: Build | undefined, build: Build = child) => abortions(due(CHILD, build, { build: (id) => (id === BUILD ? parent : undefined) }));
  const gone = [`step call of build ${BUILD} does not wait for it any more`];
  test('goes on while its step waits for it', () => expect(under(caller)).toEqual([]));
  test('and when nobody knows of its caller', () => expect(under(undefined)).toEqual([]));
  test('ends when its step ran out of time', () => expect(under(fold(caller, { type: 'FinishStep', build: BUILD, action: CHILD, verdict: { outcome: 'failed', error: 'it took too long' }, durationMs: 1 }))).toEqual(gone));
  test('when the step begins again elsewhere', () => expect(under(fold(caller, { type: 'Restart', build: BUILD, where: 'any', reason: 'x', durations: {} }))).toEqual(gone));
  test('when its caller is over', () => expect(under(phases.aborted)).toEqual(gone));
  test('but not once somebody has restarted it', () => expect(under(phases.aborted, { ...child, generation: 2 })).toEqual([]));
});

describe('a step without a host', () => {
  const sleeping = after({ ...request, plan: { ...plan, steps: [{ name: 'Wait', id: 'wait', uses: 'wait-for-message', with: {}, timeout: 60_000 }] } } as BuildCommand);
  const at = (now: number) => due(BUILD, sleeping, { since: () => 10_000 }, now);
  test('is looked at again when its time is up', () => expect(at(69_999)).toEqual([{ to: 'clock', at: 70_000 }]));
  test('and fails then', () => expect(at(70_000)).toEqual([{ to: 'build', command: { type: 'FinishStep', build: BUILD, action: action(0), verdict: { outcome: 'failed', error: 'it took longer than 60 s' }, durationMs: 60_000 } }]));
});

test('two hosts that are waited for because of different things are told of in one', () => {
  const two = after({ ...request, plan: { ...plan, hosts: { one: {}, two: {} }, steps: [{ name: 'A', run: 'a', host: 'one', needs: [] }, { name: 'B', run: 'b', host: 'two', needs: [] }] } } as BuildCommand) as LiveBuild;
  const reasons: Record<string, string> = { [two.places['one']!.hostLease]: 'no linux is free', [two.places['two']!.hostLease]: 'no windows is free' };
  const view: Partial<View> = { lease: (id) => ({ status: 'pending', position: 1, reason: reasons[id]! }) };
  const wait: BuildCommand = { type: 'Wait', activity: 'waiting: no linux is free; no windows is free' };
  expect(due(BUILD, two, view)).toEqual([{ to: 'build', command: wait }]);
  expect(due(BUILD, fold(two, wait), view)).toEqual([]);
});
