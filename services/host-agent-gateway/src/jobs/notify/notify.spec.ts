import { afterEach, describe, expect, test } from 'vitest';
import { Metrics } from '@berth/runtime';
import { DriverFault } from '../drivers/driver.js';
import { createNotify, Notify, type Notice } from './index.js';
import { IrcServer } from './irc.testing.js';
import { Refused, type Notifier } from './notifier.js';
import { SmtpSink } from './smtp.testing.js';

const notice = (more: Partial<Notice> = {}): Notice => ({ job: 'j1', task: 'reboot', machine: 'mac-17', began: '2030-01-31T12:00:00Z', requester: 'ada', to: ['ada@example.com'], stage: 'begins', ...more }) as Notice;
const ended = notice({ stage: 'ended', status: 'COMPLETE', outcome: 'up' });
const TIMES = { limitMs: 5000, firstPauseMs: 1, staleMs: 60_000 };

let notify: Notify | undefined;
afterEach(() => notify?.stop());

/** A notifier that does what it is told, and what came of it. */
function made(tell: Notifier['tell'], times = TIMES, more: Notifier[] = []) {
  const metrics = new Metrics();
  const lines: { line: object; message: string }[] = [];
  notify = new Notify([{ name: 'chat', wants: () => true, tell }, ...more], 'https://berth.example', { warn: (line, message) => lines.push({ line, message }) }, metrics, times);
  const counted = async () => [...(await metrics.text()).body.matchAll(/^berth_notices_total\{(.*)\} (\d+)$/gm)].map(([, labels, count]) => `${labels} ${count}`);
  return { notify, lines, counted };
}

describe('a job goes on', () => {
  test('while a notifier hangs, and without a word of that to it', async () => {
    const { notify: one, lines, counted } = made((_words, _key, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('no answer in time')))), { ...TIMES, limitMs: 20, firstPauseMs: 100_000 });
    expect(one.tell(notice())).toBeUndefined();
    await one.settled();
    expect(await counted()).toEqual(['notifier="chat",outcome="failed" 1']);
    expect(lines).toEqual([{ line: { notifier: 'chat', job: 'j1', attempt: 1, reason: 'no answer in time' }, message: 'a notice was given up' }]);
  });

  test('while one way fails and the others tell', async () => {
    const told: string[] = [];
    const { notify: one, counted } = made(() => Promise.reject(new Refused('no')), TIMES, [{ name: 'irc', wants: () => true, tell: ({ line }) => Promise.resolve(void told.push(line)) }, { name: 'mail', wants: () => false, tell: () => expect.unreachable() }]);
    one.tell(notice());
    await one.settled();
    expect(told).toEqual(['reboot of mac-17 begins (asked for by ada, began 2030-01-31T12:00:00Z); https://berth.example/jobs/j1']);
    expect(await counted()).toEqual(['notifier="chat",outcome="failed" 1', 'notifier="irc",outcome="told" 1']);
  });
});

describe('a notice', () => {
  test('is told again until it is taken, under the same key, and its end after its beginning', async () => {
    const keys: string[] = [];
    const { notify: one, lines, counted } = made((_words, key) => (keys.push(key) <= 2 ? Promise.reject(new Error('away')) : Promise.resolve()));
    one.tell(notice());
    one.tell(ended);
    await one.settled();
    expect(keys).toEqual(['j1.begins', 'j1.begins', 'j1.begins', 'j1.ended']);
    expect(lines.map(({ message }) => message)).toEqual(['a notice is told again', 'a notice is told again']);
    expect(await counted()).toEqual(['notifier="chat",outcome="told" 2']);
  });

  test.each([new Refused('no such hook'), new DriverFault('no-secret', 'there is none')])('is not told again after a no: %s', async (error) => {
    let tries = 0;
    const { notify: one } = made(() => (tries++, Promise.reject(error)));
    one.tell(notice());
    await one.settled();
    expect(tries).toBe(1);
  });

  test('is given up when it is old, also when it only waited', async () => {
    let tries = 0;
    const { notify: one, lines } = made(() => (tries++, Promise.reject(new Error('away'))), { ...TIMES, firstPauseMs: 30, staleMs: 60 });
    one.tell(notice());
    one.tell(ended);
    await one.settled();
    expect(lines.at(-1)).toMatchObject({ message: 'a notice was given up' });
    expect(lines.filter(({ message }) => message === 'a notice was given up')).toHaveLength(2);
    expect(tries).toBeLessThan(5);
  });

  test('is dropped when a thousand wait', async () => {
    const { notify: one, counted, lines } = made((_words, _key, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped')))));
    for (let at = 0; at < 1003; at++) one.tell(notice());
    expect(await counted()).toEqual(['notifier="chat",outcome="dropped" 3']);
    expect(lines).toHaveLength(3);
  });

  test('that waits when the service stops is not told any more', async () => {
    let tries = 0;
    const { notify: one } = made((_words, _key, signal) => (tries++, new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))))));
    one.tell(notice());
    one.tell(ended);
    await expect.poll(() => tries).toBe(1);
    await one.stop();
    one.tell(notice());
    await one.settled();
    expect(tries).toBe(1);
  });
});

test('by configuration: nobody, or mail and IRC at once', async () => {
  const log = { warn: () => expect.unreachable() };
  const none = createNotify({}, { read: () => expect.unreachable() }, log, new Metrics());
  none.tell(notice());
  await none.settled();
  const [smtp, irc] = [await SmtpSink.start(), await IrcServer.start()];
  try {
    notify = createNotify(
      { mail: { host: '127.0.0.1', port: smtp.port, secure: false, from: 'berth@example.com' }, irc: { host: '127.0.0.1', port: irc.port, tls: false, nick: 'berth', channel: '#builds' }, publicUrl: 'https://berth.example' },
      { read: () => expect.unreachable() }, log, new Metrics(),
    );
    notify.tell(ended);
    await notify.settled();
    expect(smtp.mails).toMatchObject([{ to: ['ada@example.com'], raw: expect.stringContaining('Subject: reboot of mac-17 is complete') }]);
    expect(irc.texts).toEqual(['reboot of mac-17 is complete (asked for by ada, began 2030-01-31T12:00:00Z); the machine is up; https://berth.example/jobs/j1']);
  } finally {
    await Promise.all([smtp.stop(), irc.stop()]);
  }
});
