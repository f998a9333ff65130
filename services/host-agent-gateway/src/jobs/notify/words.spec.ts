import { expect, test } from 'vitest';
import type { Notice } from './notifier.js';
import { wordsOf } from './words.js';

const about = { job: '7f8c1d66-0000-4000-8000-000000000001', task: 'reboot', machine: 'mac-17', began: '2030-01-31T12:00:00Z', requester: 'ada@example.com', to: ['ada@example.com'] } as const;
const ended = (more: Partial<Extract<Notice, { stage: 'ended' }>>): Notice => ({ ...about, stage: 'ended', status: 'COMPLETE', outcome: 'up', ...more });

test('before', () =>
  expect(wordsOf({ ...about, stage: 'begins' }, 'https://berth.example')).toEqual({
    subject: 'reboot of mac-17 begins',
    line: 'reboot of mac-17 begins (asked for by ada@example.com, began 2030-01-31T12:00:00Z); https://berth.example/jobs/7f8c1d66-0000-4000-8000-000000000001',
    text: 'reboot of mac-17 begins.\n\nTask: reboot\nMachine: mac-17\nBegan: 2030-01-31T12:00:00Z\nAsked for by: ada@example.com\nJob: 7f8c1d66-0000-4000-8000-000000000001\n\nhttps://berth.example/jobs/7f8c1d66-0000-4000-8000-000000000001',
    to: ['ada@example.com'],
  }));

test('after, with why and the ticket', () => {
  const { subject, line, text } = wordsOf(ended({ status: 'FAILED', outcome: 'down', error: 'no method brought it\nback', ticket: { tracker: 'bugzilla', id: '17', url: 'https://bugs.example/17', how: 'filed' } }), undefined);
  expect(subject).toBe('reboot of mac-17 has failed');
  expect(line).toBe('reboot of mac-17 has failed (asked for by ada@example.com, began 2030-01-31T12:00:00Z); the machine is down; why: no method brought it back; ticket 17 filed: https://bugs.example/17');
  expect(text).toContain('\nThe machine is down\nWhy: no method brought it back\nTicket 17 filed: https://bugs.example/17\nJob: ');
  expect(text).not.toContain('http://');
});

test.each([['COMPLETE', 'is complete'], ['FAILED', 'has failed'], ['CANCELLED', 'was cancelled']] as const)('%s', (status, words) => expect(wordsOf(ended({ status }), undefined).subject).toBe(`reboot of mac-17 ${words}`));
test('a state that is not known', () => expect(wordsOf(ended({ outcome: 'unknown' }), undefined).line).toContain('the machine is in a state that is not known'));
test('an error as long as it likes is cut', () => expect(wordsOf(ended({ error: 'x'.repeat(100_000) }), undefined).text.length).toBeLessThan(1500));
