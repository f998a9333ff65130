import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JobEvent } from '@berth/contracts';
import { decide, evolve, isLiveJob, jobDecider, type Job, type JobCommand, type JobInfo } from './job.js';

const info: JobInfo = { task: 'reboot', machine: 'box', force: false, softLimit: 600_000, hardLimit: 1_200_000 };
const requested: JobEvent = { type: 'JobRequested', data: info };
const started: JobEvent = { type: 'JobStarted', data: {} };
const tried: JobEvent = { type: 'AttemptStarted', data: { attempt: 1, method: 'ssh_reboot', timeout: 1000 } };
const sent: JobEvent = { type: 'AttemptStep', data: { attempt: 1, step: 'sent' } };
const failed: JobEvent = { type: 'AttemptEnded', data: { attempt: 1, outcome: 'failed', fault: 'stayed-up', error: 'it did not go down', durationMs: 5 } };
const skipped: JobEvent = { type: 'AttemptSkipped', data: { attempt: 2, method: 'ipmi_reset', reason: 'it has none' } };
const completed: JobEvent = { type: 'JobCompleted', data: { machine: 'up', result: {} } };
const jobFailed: JobEvent = { type: 'JobFailed', data: { machine: 'down', code: 'ticket-filed', error: 'no method worked' } };
const cancelled: JobEvent = { type: 'JobCancelled', data: { reason: 'enough' } };
const cancelling: JobEvent = { type: 'CancelRequested', data: { reason: 'enough' } };
const noted: JobEvent = { type: 'JobNoted', data: { activity: 'waits' } };
const ticket = { tracker: 'bugzilla', id: '7', how: 'filed' } as const;

const histories = {
  none: [],
  queued: [requested],
  running: [requested, started],
  trying: [requested, started, tried],
  between: [requested, started, tried, sent, failed],
  complete: [requested, started, completed],
  failed: [requested, started, jobFailed],
  cancelled: [requested, cancelled],
} satisfies Record<string, JobEvent[]>;

const commands = {
  request: { type: 'Request', info },
  start: { type: 'Start' },
  note: { type: 'Note', activity: 'waits' },
  begin: { type: 'BeginAttempt', attempt: 1, method: 'ssh_reboot', timeout: 1000 },
  beginSecond: { type: 'BeginAttempt', attempt: 2, method: 'ipmi_reset' },
  step: { type: 'Step', attempt: 1, step: 'sent' },
  skip: { type: 'Skip', attempt: 2, method: 'ipmi_reset', reason: 'it has none' },
  end: { type: 'EndAttempt', attempt: 1, end: { outcome: 'failed', fault: 'stayed-up', error: 'it did not go down' }, durationMs: 5 },
  ticket: { type: 'TellTicket', ticket },
  installed: { type: 'Installed' },
  cancel: { type: 'Cancel', reason: 'enough' },
  complete: { type: 'Complete', machine: 'up', result: {} },
  fail: { type: 'Fail', machine: 'down', code: 'ticket-filed', error: 'no method worked' },
  endCancelled: { type: 'EndCancelled', reason: 'enough' },
} as const satisfies Record<string, JobCommand>;

const told: JobEvent = { type: 'TicketTold', data: ticket };
const reported: JobEvent = { type: 'InstallationReported', data: {} };
const triedSecond: JobEvent = { type: 'AttemptStarted', data: { attempt: 2, method: 'ipmi_reset' } };
type Row = Record<keyof typeof commands, JobEvent[] | string>;
const ended = { request: [], start: [], note: [], begin: [], beginSecond: [], step: [], skip: [], end: [], ticket: [], installed: [], complete: [], fail: [], endCancelled: [] } as const;
const live = { note: [noted], cancel: [cancelling], fail: [jobFailed], endCancelled: [cancelled] };
/** What follows from each command in each state: events, or the code of a refusal. */
const table = {
  none: { ...ended, request: [requested], cancel: 'unknown-job' },
  queued: { ...ended, ...live, start: [started] },
  running: { ...ended, ...live, begin: [tried], ticket: [told], installed: [reported], complete: [completed] },
  trying: { ...ended, ...live, step: [sent], end: [failed], ticket: [told], installed: [reported], complete: [completed] },
  between: { ...ended, ...live, beginSecond: [triedSecond], skip: [skipped], ticket: [told], installed: [reported], complete: [completed] },
  complete: { ...ended, cancel: 'job-ended' },
  failed: { ...ended, cancel: 'job-ended' },
  cancelled: { ...ended, cancel: [] },
} as unknown as Record<keyof typeof histories, Row>;

describe('a job', () => {
  for (const [state, row] of Object.entries(table) as [keyof typeof histories, Row][]) {
    test.each(Object.entries(row) as [keyof typeof commands, JobEvent[] | string][])(`${state}, told to %s`, (name, expected) => {
      const decision = decide(commands[name], (histories[state] as JobEvent[]).reduce(evolve, jobDecider.initial));
      if (typeof expected === 'string') expect(decision).toMatchObject({ accepted: false, code: expected });
      else expect(decision).toEqual(expected);
    });
  }

  test('one that is to end begins no more', () => {
    expect(decide({ type: 'Start' }, [requested, cancelling].reduce(evolve, jobDecider.initial))).toEqual([]);
    expect(decide(commands.cancel, [requested, cancelling].reduce(evolve, jobDecider.initial))).toEqual([]);
  });

  test('the same step twice is one, and the same ticket is told once', () => {
    expect(decide(commands.step, [requested, started, tried, sent].reduce(evolve, jobDecider.initial))).toEqual([]);
    expect(decide({ type: 'TellTicket', ticket: { ...ticket, id: '8' } }, [requested, started, told].reduce(evolve, jobDecider.initial))).toEqual([]);
  });

  test('its attempts are kept in their order, with how far each came', () => {
    const state = [requested, started, tried, sent, failed, skipped].reduce(evolve, jobDecider.initial);
    expect(state).toMatchObject({ status: 'RUNNING', attempts: [{ status: 'failed', method: 'ssh_reboot', steps: ['sent'], fault: 'stayed-up', error: 'it did not go down' }, { status: 'skipped', method: 'ipmi_reset', reason: 'it has none' }] });
  });

  test('for all histories: evolve takes what decide gives, an ended job never lives again, and at most one attempt runs, the last', () => {
    const some = fc.oneof(
      fc.constantFrom<JobCommand>(...Object.values(commands)),
      fc.record({ type: fc.constant('BeginAttempt' as const), attempt: fc.integer({ min: 1, max: 4 }), method: fc.constantFrom('a', 'b') }),
      fc.record({ type: fc.constant('EndAttempt' as const), attempt: fc.integer({ min: 1, max: 4 }), end: fc.constant({ outcome: 'succeeded' as const }), durationMs: fc.nat() }),
      fc.record({ type: fc.constant('Skip' as const), attempt: fc.integer({ min: 1, max: 4 }), method: fc.constantFrom('a', 'b'), reason: fc.constant('x') }),
    );
    fc.assert(
      fc.property(fc.array(some), (all) => {
        let state: Job = jobDecider.initial;
        let over = false;
        for (const command of [commands.request, ...all]) {
          const decision = decide(command, state);
          if ('accepted' in decision) continue;
          state = decision.reduce(evolve, state);
          if (over) expect(decision).toEqual([]);
          over = !isLiveJob(state);
          if (state.status === 'RUNNING') expect(state.attempts.slice(0, -1).every((attempt) => attempt.status !== 'running')).toBe(true);
        }
      }),
    );
  });
});
