import { derivedId, savedPlan, type BuildEvent } from '@berth/contracts';
import { describe, expect, test } from 'vitest';
import { progressOf } from '../work/building.js';
import { followBuild, type FollowedBuild } from './builds.js';

const lease = derivedId('9c7c4f4e-2f10-4b52-9f2b-6f2d4f6f0a11', 'lease');
const plan = savedPlan.parse({ name: 'p', host: {}, workingCopy: {}, env: {}, steps: [{ name: 'Make', id: 'make', run: 'true' }, { name: 'Keep', run: 'true' }] });
const requested: BuildEvent = { type: 'BuildRequested', data: { plan, planVersion: 1, variables: {}, initiator: 'image-factory' } };
const started = (step: number): BuildEvent => ({ type: 'StepStarted', data: { step, name: 'x', action: lease } });
const finished = (step: number, again = false): BuildEvent => ({ type: 'StepFinished', data: { step, outcome: again ? 'failed' : 'passed', durationMs: 1, ...(again && { again: { attempt: 2, afterMs: 0 } }) } as never });
const follow = (...events: BuildEvent[]): FollowedBuild | undefined => events.reduce<FollowedBuild | undefined>((build, event) => followBuild(build, event), undefined);
const target = { source: '', steps: [{ id: 'make', activity: 'makes it', weight: 8 }, { id: 'Keep', activity: 'keeps it', weight: 2 }] };
const progress = (...events: BuildEvent[]) => progressOf(follow(requested, ...events)!, target);

describe('how far a build is that makes an image', () => {
  test('goes by the shares of its steps', () => {
    expect(progress()).toEqual({ percent: 0, activity: 'waits for a host' });
    expect(progress(started(0))).toEqual({ percent: 0, activity: 'makes it' });
    expect(progress(started(0), finished(0))).toEqual({ percent: 80, activity: 'waits for a host' });
    expect(progress(started(0), finished(0), started(1))).toEqual({ percent: 80, activity: 'keeps it' });
    expect(progress(started(0), finished(0), started(1), finished(1)).percent).toBe(99);
    expect(progress(started(0), finished(0, true))).toEqual({ percent: 0, activity: 'makes it' });
  });
  test('it is in no step while it waits for another host', () => {
    expect(progress(started(0), { type: 'BuildRetried', data: { error: 'the host is gone' } })).toEqual({ percent: 0, activity: 'another host is asked for: the host is gone' });
    expect(progress(started(0), { type: 'BuildRetried', data: { error: 'x' } }, { type: 'BuildPreparing', data: { attempt: 2, hostLease: lease, host: {} as never } }).activity).toBe('waits for a host');
  });
  test('ends as it ended, with what it said last', () => {
    expect(follow(requested, { type: 'BuildPassed', data: {} })?.end).toEqual({ passed: true, error: '' });
    expect(follow(requested, { type: 'BuildErrored', data: { error: 'no host' } })?.end).toEqual({ passed: false, error: 'no host' });
    expect(follow(requested, { type: 'BuildAborted', data: { reason: 'x' } })?.end).toEqual({ passed: false, error: 'its build was aborted: x' });
  });
  test('nothing is known of one whose request was not seen', () => expect(follow(started(0))).toBeUndefined());
});
