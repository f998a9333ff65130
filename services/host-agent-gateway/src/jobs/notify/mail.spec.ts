import { afterEach, describe, expect, test } from 'vitest';
import { newAuthority } from '../../../../../test/support/certificate.js';
import { SecretFault } from '../../secrets/fault.js';
import { mailNotifier } from './mail.js';
import { Refused, type Words } from './notifier.js';
import { SmtpSink, type SmtpHabits } from './smtp.testing.js';

const authority = newAuthority('an authority of our own');
const { certificate: cert, key } = authority.issue('127.0.0.1');
const login = { user: 'berth', password: 'c0rrect-h0rse' };
const never = new AbortController().signal;
const words: Words = { subject: 'reboot of mac-17 has failed', line: '', text: 'reboot of mac-17 has failed.\n\nhttps://berth.example/jobs/1', to: ['ada@example.com', 'ops@example.com'] };

let sink: SmtpSink;
afterEach(() => sink.stop());
const start = async (habits: SmtpHabits = {}) => (sink = await SmtpSink.start(habits));
const notifier = ({ password, secure = false, trusted = true, from = 'berth@example.com' }: { password?: string; secure?: boolean; trusted?: boolean; from?: string } = {}) =>
  mailNotifier({ host: '127.0.0.1', port: sink.port, secure, from, ...(password !== undefined && { login: { user: 'berth', secret: 'smtp' } }) }, { read: () => Promise.resolve(Buffer.from(password!)) }, trusted ? { ca: authority.certificate } : {});
const fault = async (told: Promise<void>) => told.then(() => expect.unreachable(), (error: Error) => error);

describe('a mail', () => {
  test('goes to all that the notice names, from whom the configuration says', async () => {
    await start();
    await notifier().tell(words, 'job-1.ended', never);
    expect(sink.mails).toMatchObject([{ from: 'berth@example.com', to: ['ada@example.com', 'ops@example.com'], user: undefined, secure: false }]);
    const { raw } = sink.mails[0]!;
    expect(raw).toMatch(/^From: "?Berth"? <berth@example\.com>\r$/m);
    expect(raw).toMatch(/^Subject: reboot of mac-17 has failed\r$/m);
    expect(raw).toMatch(/^Message-ID: <job-1\.ended@berth>\r$/m);
    expect(raw).toMatch(/^Auto-Submitted: auto-generated\r$/m);
    expect(raw).toContain('\r\nhttps://berth.example/jobs/1');
  });

  test('of which nobody is to know goes nowhere', async () => {
    await start();
    expect([notifier().wants(words), notifier().wants({ ...words, to: [] })]).toEqual([true, false]);
  });

  test.each([['STARTTLS', false], ['TLS from the first byte on', true]])('with a login, over %s', async (_what, atOnce) => {
    await start({ tls: { cert, key, atOnce }, login });
    await notifier({ password: login.password, secure: atOnce }).tell(words, 'k', never);
    expect(sink.mails).toMatchObject([{ user: 'berth', secure: true }]);
  });

  test('a line break in a subject begins no header', async () => {
    await start();
    await notifier().tell({ ...words, subject: 'a\r\nBcc: eve@example.com' }, 'k', never);
    expect(sink.mails).toMatchObject([{ to: ['ada@example.com', 'ops@example.com'] }]);
    expect(sink.mails[0]!.raw).not.toMatch(/^Bcc:/m);
  });
});

describe('a password', () => {
  test('is never sent without TLS', async () => {
    await start({ login });
    expect(await fault(notifier({ password: login.password }).tell(words, 'k', never))).toBeInstanceOf(Refused);
    expect([sink.logins, sink.mails.length]).toEqual([0, 0]);
  });

  test('is never sent to a server whose certificate nobody knows', async () => {
    await start({ tls: { cert, key }, login });
    await fault(notifier({ password: login.password, trusted: false }).tell(words, 'k', never));
    expect(sink.logins).toBe(0);
  });

  test('that is wrong is told without it, and not tried again', async () => {
    await start({ tls: { cert, key }, login });
    const error = await fault(notifier({ password: 'wr0ng-h0rse' }).tell(words, 'k', never));
    expect(error).toBeInstanceOf(Refused);
    expect(error.message).toMatch(/did not take it: .*535.*Invalid login: \*+ is not the password/);
    expect(`${error.message}${error.stack}${JSON.stringify(error)}`).not.toContain('wr0ng');
  });

  test('that there is not', async () => {
    await start();
    const told = mailNotifier({ host: '127.0.0.1', port: sink.port, secure: false, from: 'a@example.com', login: { user: 'u', secret: 'smtp' } }, { read: (name) => Promise.reject(new SecretFault(name, 'there is none')) }).tell(words, 'k', never);
    expect((await fault(told)).message).toBe("The secret smtp can't be used: there is none.");
  });
});

describe('what goes wrong', () => {
  test.each([[451, false], [554, true]])('an answer of %d', async (code, given) => {
    await start({ answers: [code] });
    const error = await fault(notifier().tell(words, 'k', never));
    expect(error instanceof Refused).toBe(given);
    expect(error.message).toMatch(new RegExp(`^the mail server 127\\.0\\.0\\.1:\\d+ did not take it: .*${code} not taken`));
  });

  test('one address of two is not known: the other has it, and it is told', async () => {
    await start({ unknown: ['ada@example.com'] });
    expect((await fault(notifier().tell(words, 'k', never))).message).toMatch(/does not take 1 of 2 addresses$/);
    expect(sink.mails).toMatchObject([{ to: ['ops@example.com'] }]);
  });

  test('a server that says nothing is left when the time is over', async () => {
    await start({ silent: true });
    const stop = new AbortController();
    const told = fault(notifier().tell(words, 'k', stop.signal));
    await expect.poll(() => sink.tries).toBe(1);
    stop.abort();
    expect((await told).message).toMatch(/no answer in time$/);
  });
});
