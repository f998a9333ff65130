import { describe, expect, test, vi } from 'vitest';
import { jobWatcher } from './job-watcher.js';

function screen(options: { isTTY: boolean; columns?: number }) {
  const written: string[] = [];
  return { ...options, write: (text: string | Uint8Array) => written.push(Buffer.from(text).toString()), text: () => written.join('') };
}
const happenings = [
  { type: 'JobRequested', data: { task: 'reboot', machine: 'mac-7' } },
  { type: 'JobNoted', data: { activity: 'waits: machine mac-7 is in use by ada' } },
  { type: 'JobStarted', data: {} },
  { type: 'AttemptStarted', data: { attempt: 1, method: 'ssh_reboot' } },
  { type: 'AttemptStep', data: { attempt: 1, step: 'sent' } },
  { type: 'AttemptEnded', data: { attempt: 1, outcome: 'failed', fault: 'unreachable', error: 'nobody\nanswers', durationMs: 12_000 } },
  { type: 'AttemptSkipped', data: { attempt: 2, method: 'ipmi_reset', reason: 'machine mac-7 has no interface ipmi' } },
  { type: 'AttemptStarted', data: { attempt: 3, method: 'file_ticket' } },
  { type: 'TicketTold', data: { tracker: 'bugzilla', id: '12', url: 'https://bugs.example/12', how: 'reopened' } },
  { type: 'AttemptEnded', data: { attempt: 3, outcome: 'succeeded', durationMs: 850 } },
  { type: 'CancelRequested', data: { reason: 'enough' } },
  { type: 'InstallationReported', data: {} },
  { type: 'OfTomorrow', data: {} },
  { type: 'JobFailed', data: { machine: 'down', code: 'ticket-filed', error: 'nothing brought it back' } },
];

test('in a pipe: a plain line for each thing that happens, and nothing of an event that is not known', () => {
  const to = screen({ isTTY: false });
  const watcher = jobWatcher(to);
  for (const event of happenings) watcher.event(event);
  watcher.end();
  expect(to.text().split('\n')).toEqual([
    'QUEUED: reboot on mac-7', 'waits: machine mac-7 is in use by ada', 'RUNNING', 'attempt 1: ssh_reboot', 'attempt 1: ssh_reboot: sent', 'attempt 1: ssh_reboot failed after 12 s (unreachable): nobody answers',
    'attempt 2: ipmi_reset is skipped: machine mac-7 has no interface ipmi', 'attempt 3: file_ticket', 'ticket 12 (bugzilla) is opened again: https://bugs.example/12', 'attempt 3: file_ticket succeeded after 850 ms',
    'it is to end: enough', 'the installation has finished', 'FAILED: nothing brought it back; the machine is down', '',
  ]);
});

test.each([
  [{ type: 'JobCompleted', data: { machine: 'up', result: {} } }, 'COMPLETE: the machine is up\n'],
  [{ type: 'JobCompleted', data: { machine: 'unknown', result: {} } }, 'COMPLETE: the state of the machine is not known\n'],
  [{ type: 'JobCancelled', data: { reason: 'not today' } }, 'CANCELLED: not today\n'],
])('%j', (event, line) => {
  const to = screen({ isTTY: false });
  jobWatcher(to).event(event);
  expect(to.text()).toBe(line);
});

describe('on a terminal', () => {
  test('the lines scroll by above one that says what it is at and for how long, no wider than the terminal, and gone in the end', () => {
    vi.useFakeTimers();
    try {
      const to = screen({ isTTY: true, columns: 30 });
      const watcher = jobWatcher(to);
      watcher.event(happenings[3]!);
      watcher.event(happenings[4]!);
      vi.advanceTimersByTime(65_000);
      expect(to.text().split('\r\u001b[K').at(-1)).toBe('1m 5s  attempt 1: ssh_reboot:');
      watcher.event(happenings.at(-1)!);
      watcher.end();
      const lines = [''];
      for (const part of to.text().split(/(\r\u001b\[K|\n)/)) {
        if (part === '\n') lines.push('');
        else if (part === '\r\u001b[K') lines[lines.length - 1] = '';
        else lines[lines.length - 1] += part;
      }
      expect(lines).toEqual(['attempt 1: ssh_reboot', 'attempt 1: ssh_reboot: sent', 'FAILED: nothing brought it back; the machine is down', '']);
      const before = to.text();
      vi.advanceTimersByTime(5000);
      expect(to.text()).toBe(before);
    } finally {
      vi.useRealTimers();
    }
  });
});
