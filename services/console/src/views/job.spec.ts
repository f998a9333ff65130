import { expect, test } from 'vitest';
import type { AnyRecorded, JobEvent } from '@berth/contracts';
import { foldJob, jobView, type JobRow } from './job.js';

const ID = '7d3f1a52-9c1e-4b7a-8f60-0a4f8d2c1b11';
const asked: JobEvent = { type: 'JobRequested', data: { task: 'reboot', machine: 'box', force: false, softLimit: 1, hardLimit: 2 } };
const at = (second: number) => new Date(Date.UTC(2030, 0, 1, 0, 0, second)).toISOString();

/** Folds commits, one a second from the first position on. */
const folded = (...commits: JobEvent[][]): JobRow =>
  commits.reduce<JobRow | undefined>((row, events, index) => foldJob(row, { kind: 'job', id: ID, sequence: index + 1, commit: { id: ID, at: at(index), actor: `token:${index}`, cause: ID, events } } as AnyRecorded), undefined)!;

test('who asked first is its requester; its last commit says its position', () => {
  const row = folded([asked], [{ type: 'JobStarted', data: {} }], [{ type: 'JobNoted', data: { activity: 'waits' } }]);
  expect(row).toMatchObject({ requester: 'token:0', status: 'RUNNING', activity: 'waits', created: at(0), started: at(1), modified: at(2), position: 3, opened: 1, finished: null });
  expect(Object.keys(jobView(row))).not.toContain('opened');
});

test('attempts keep their order and their times, whichever ends first; one that goes on after a restart is the same one', () => {
  const { attempts } = folded(
    [asked],
    [{ type: 'AttemptStarted', data: { attempt: 1, method: 'ssh_reboot' } }],
    [{ type: 'AttemptStep', data: { attempt: 1, step: 'sent' } }],
    [{ type: 'AttemptSkipped', data: { attempt: 2, method: 'ipmi_reset', reason: 'no IPMI' } }],
    [{ type: 'AttemptStep', data: { attempt: 1, step: 'down' } }, { type: 'AttemptStarted', data: { attempt: 1, method: 'ssh_reboot' } }],
    [{ type: 'AttemptEnded', data: { attempt: 1, outcome: 'succeeded', durationMs: 4000 } }],
  );
  expect(attempts).toEqual([
    { attempt: 1, method: 'ssh_reboot', outcome: 'succeeded', steps: [{ step: 'sent', at: at(2) }, { step: 'down', at: at(4) }], fault: null, error: null, output: null, startedAt: at(1), endedAt: at(5), durationMs: 4000 },
    { attempt: 2, method: 'ipmi_reset', outcome: 'skipped', steps: [], fault: null, error: 'no IPMI', output: null, startedAt: at(3), endedAt: at(3), durationMs: 0 },
  ]);
});

test.each([
  ['COMPLETE', { type: 'JobCompleted', data: { machine: 'up', result: { rtt: 1 } } }, { machineOutcome: 'up', result: { rtt: 1 }, error: null }],
  ['FAILED', { type: 'JobFailed', data: { machine: 'unknown', code: 'limit', error: 'too long' } }, { machineOutcome: 'unknown', error: { code: 'limit', message: 'too long' } }],
  ['CANCELLED', { type: 'JobCancelled', data: { reason: 'no need' } }, { machineOutcome: null, error: { code: 'cancelled', message: 'no need' } }],
] as const)('it ends as %s', (status, event, more) => {
  const row = folded([asked], [{ type: 'JobNoted', data: { activity: 'waits' } }, { type: 'CancelRequested', data: { reason: 'no need' } }, { type: 'InstallationReported', data: {} }], [event as JobEvent]);
  expect(row).toMatchObject({ status, activity: null, cancelling: 'no need', finished: at(2), ...more });
});

test('a commit that the row shows already changes nothing; one without a beginning is a fault', () => {
  const row = folded([asked], [{ type: 'JobStarted', data: {} }]);
  expect(foldJob(row, { kind: 'job', id: ID, sequence: 2, commit: { id: ID, at: at(9), actor: 'x', cause: ID, events: [{ type: 'JobCancelled', data: { reason: 'x' } }] } } as AnyRecorded)).toBe(row);
  expect(() => folded([{ type: 'JobStarted', data: {} }])).toThrow(/which never began/);
});
