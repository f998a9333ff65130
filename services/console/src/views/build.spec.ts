import { describe, expect, test } from 'vitest';
import { savedPlan, type AnyRecorded, type BuildEvent } from '@berth/contracts';
import { buildUpTo, buildView, foldBuild, type BuildRow } from './build.js';

const id = '7f8c1d66-0000-5000-8000-000000000001';
const other = '7f8c1d66-0000-5000-8000-000000000002';
const at = (second: number) => `2030-01-01T00:00:${String(second).padStart(2, '0')}.000Z`;

/** Commits of one event each, at positions 11, 12, … and seconds 1, 2, … */
function given<R>(fold: (row: R | undefined, recorded: AnyRecorded) => R | undefined, kind: 'build', events: BuildEvent[]): R {
  let row: R | undefined;
  events.forEach((event, i) => {
    row = fold(row, { kind, id, sequence: 11 + i, commit: { id: `c${i}`, at: at(i + 1), actor: 'spec', cause: 'c', events: [event] } } as AnyRecorded);
  });
  return row!;
}
const build = (...events: BuildEvent[]) => given<BuildRow>(foldBuild, 'build', events);

const plan = savedPlan.parse({ name: 'p', host: {}, workingCopy: {}, env: {}, steps: [{ name: 'One', run: 'true', env: {} }, { name: 'Two', run: 'true', env: {} }] });
const requested: BuildEvent = { type: 'BuildRequested', data: { plan, planVersion: 3, variables: {}, initiator: 'ada' } };
const preparing: BuildEvent = { type: 'BuildPreparing', data: { attempt: 1, hostLease: id } };
const copy: BuildEvent = { type: 'BuildWorkingCopyRequested', data: { workingCopyLease: other } };
const started: BuildEvent = { type: 'BuildStarted', data: { path: '/x' } };
const step = (n: number): BuildEvent => ({ type: 'StepStarted', data: { step: n, name: plan.steps[n]!.name, action: other } });
const finished = (n: number, outcome: 'passed' | 'failed' = 'passed'): BuildEvent => ({ type: 'StepFinished', data: { step: n, outcome, durationMs: 5, ...(outcome === 'failed' && { error: 'exit 1', exitCode: 1 }) } });
const waiting = { name: 'One', id: 'step-1', kind: 'run-command', needs: [] as number[], allowed: false, outcome: 'waiting', action: null, tries: 0, started: null, durationMs: null, exitCode: null, error: null, outputs: null, report: null };
const second = { ...waiting, name: 'Two', id: 'step-2', needs: [0] };

describe('a build row', () => {
  test('from request to clean-up', () => {
    const phases: BuildEvent[] = [requested, preparing, copy, started, step(0), finished(0), step(1), finished(1), { type: 'BuildPassed', data: {} }, { type: 'BuildCleanedUp', data: {} }];
    const seen = phases.map((_, i) => build(...phases.slice(0, i + 1))).map((row) => [row.status, row.percent, row.activity]);
    expect(seen).toEqual([
      ['pending', 0, 'queued'],
      ['preparing', 0, 'preparing host'],
      ['preparing', 25, 'preparing working copy'],
      ['building', 50, 'starting'],
      ['building', 50, 'step 1 of 2: One'],
      ['building', 75, 'step 1 of 2: One'],
      ['building', 75, 'step 2 of 2: Two'],
      ['building', 99, 'step 2 of 2: Two'],
      ['passed', 100, 'cleaning up'],
      ['passed', 100, 'cleaned up'],
    ]);
  });

  test('shows its steps, leases and artifacts', () => {
    const artifact = { name: 'a', object: 'o', bytes: 1, sha256: 'f' };
    const row = build(requested, preparing, copy, started, step(0), finished(0), { type: 'ArtifactKept', data: artifact }, { type: 'ArtifactKept', data: { ...artifact, bytes: 2 } });
    expect(buildView(row)).toEqual({
      id, plan: 'p', planVersion: 3, project: null, priority: 100, status: 'building', percent: 75, activity: 'step 1 of 2: One', error: null, failure: null, initiator: 'ada', ref: null, commit: null, url: null, parent: null,
      hostLease: id, workingCopyLease: other, hosts: [{ name: 'main', hostLease: id, workingCopyLease: other, ready: true, machine: null }],
      steps: [{ ...waiting, outcome: 'passed', action: other, tries: 1, started: at(5), durationMs: 5 }, second],
      artifacts: [{ name: 'a', type: 'file', bytes: 2, sha256: 'f', uri: null, generation: 1, by: null, pinned: false }],
      generation: 1, generations: [{ generation: 1, status: 'building', error: null, started: at(1), ended: null }],
      attempt: 1, cleanedUp: false, started: at(4), finished: null, remainingMs: null, created: at(1), modified: at(8), position: 18,
    });
    expect(row.artifacts[0]!.object).toBe('o');
    expect(row.opened).toBe(11);
  });

  test('a failed step, an abort and an error say why', () => {
    const failed = build(requested, preparing, copy, started, step(0), finished(0, 'failed'), { type: 'BuildFailed', data: { error: 'One: exit 1' } });
    expect(failed).toMatchObject({ status: 'failed', error: 'One: exit 1', percent: 50, steps: [{ outcome: 'failed', exitCode: 1, error: 'exit 1' }, { outcome: 'waiting' }] });
    expect(build(requested, { type: 'BuildAborted', data: { reason: 'enough' } })).toMatchObject({ status: 'aborted', error: 'enough' });
    expect(build(requested, { type: 'BuildErrored', data: { error: 'no host' } })).toMatchObject({ status: 'error', error: 'no host' });
  });

  test('another host begins the steps again, and the percentage does not go back', () => {
    const row = build(requested, preparing, copy, started, step(0), { type: 'BuildRetried', data: { error: 'host is gone' } }, { type: 'BuildPreparing', data: { attempt: 2, hostLease: other } });
    expect(row).toMatchObject({ status: 'preparing', attempt: 2, percent: 50, hostLease: other, workingCopyLease: null, activity: 'preparing host (attempt 2, after: host is gone)', error: null, steps: [waiting, second] });
  });

  test('paused is what it is until it goes on, whatever becomes ready meanwhile', () => {
    const paused = build(requested, preparing, { type: 'BuildPaused', data: { reason: 'lunch' } }, copy, started);
    expect(paused).toMatchObject({ status: 'paused', percent: 50 });
    expect(build(requested, preparing, { type: 'BuildPaused', data: { reason: 'lunch' } }, copy, started, { type: 'BuildResumed', data: {} })).toMatchObject({ status: 'building' });
  });

  test('generations stand beside each other, with what each has kept', () => {
    const artifact = { name: 'a', object: 'o', bytes: 1, sha256: 'f' };
    const restarted: BuildEvent = { type: 'BuildRestarted', data: { plan, planVersion: 3, variables: {}, initiator: 'ada', generation: 2, attempt: 2, reason: 'again', kept: { 0: { outcome: 'passed', outputs: { x: '1' } } } } };
    const row = build(requested, { type: 'ArtifactKept', data: artifact }, { type: 'BuildFailed', data: { error: 'no' } }, restarted, { type: 'ArtifactKept', data: { ...artifact, object: 'p', generation: 2 } });
    expect(row).toMatchObject({
      status: 'pending', percent: 0, generation: 2, created: at(1), error: null,
      generations: [{ generation: 1, status: 'failed', error: 'no', ended: at(3) }, { generation: 2, status: 'pending', ended: null }],
      steps: [{ outcome: 'passed', outputs: { x: '1' } }, { outcome: 'waiting' }],
      artifacts: [{ generation: 1, object: 'o' }, { generation: 2, object: 'p' }],
    });
    expect(row.opened).toBe(11);
  });

  test('links, pins and what is released', () => {
    const row = build(requested, { type: 'LinkAdded', data: { name: 'docs', type: 'uri', uri: 'https://docs.example/' } }, { type: 'ArtifactKept', data: { name: 'a', object: 'o', bytes: 1, sha256: 'f' } }, { type: 'ArtifactPinned', data: { name: 'a', pinned: true } });
    expect(row.artifacts).toMatchObject([{ name: 'docs', uri: 'https://docs.example/', bytes: null }, { name: 'a', pinned: true }]);
  });

  test('a commit that comes again changes nothing', () => {
    const row = build(requested, preparing);
    const again: AnyRecorded = { kind: 'build', id, sequence: 12, commit: { id: 'c1', at: at(9), actor: 'spec', cause: 'c', events: [preparing] } } as AnyRecorded;
    expect(foldBuild(row, again)).toBe(row);
  });

  test('an event of a build that never began stops at its position', () => {
    expect(() => build(preparing)).toThrow('position 11');
  });

  test('each generation as it was when the next one began, also in the middle of a commit', () => {
    const again = (generation: number): BuildEvent => ({ type: 'BuildRestarted', data: { plan, planVersion: 3, variables: {}, initiator: 'ada', generation, attempt: 1, reason: 'again' } });
    const commits = [[requested], [preparing, copy], [started, step(0)], [finished(0, 'failed'), { type: 'BuildFailed', data: { error: 'One: exit 1' } }], [{ type: 'BuildCleanedUp', data: {} }], [again(2)], [{ type: 'BuildAborted', data: { reason: 'enough' } }, again(3)], [preparing]] as BuildEvent[][];
    const recorded = commits.map((events, i) => ({ kind: 'build', id, sequence: i + 1, commit: { id: `c${i}`, at: at(i + 1), actor: 'spec', cause: 'c', events } }) as AnyRecorded);
    expect(buildUpTo(recorded, 1)).toMatchObject({ generation: 1, status: 'failed', error: 'One: exit 1', cleanedUp: true, started: at(3), finished: at(4), position: 5 });
    expect(buildUpTo(recorded, 2)).toMatchObject({ generation: 2, status: 'aborted', error: 'enough', started: null, finished: at(7), position: 7 });
    expect(buildUpTo(recorded, 3)).toEqual(recorded.reduce<BuildRow | undefined>(foldBuild, undefined));
    expect([buildUpTo(recorded, 4), buildUpTo([], 1)]).toEqual([undefined, undefined]);
  });
});
