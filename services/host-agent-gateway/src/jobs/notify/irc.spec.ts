import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { newAuthority } from '../../../../../test/support/certificate.js';
import { chunks, MOST_BYTES } from './irc-lines.js';
import { ircNotifier } from './irc.js';
import { IrcServer, type IrcHabits } from './irc.testing.js';
import { Refused, type Words } from './notifier.js';

const AT_ONCE = 4;
const authority = newAuthority('an authority of our own');
const { certificate: cert, key } = authority.issue('127.0.0.1');
const never = new AbortController().signal;
const words = (line: string): Words => ({ subject: '', line, text: '', to: [] });
let server: IrcServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

const start = async (habits: IrcHabits = {}) => (server = await IrcServer.start(habits));
const tell = (line: string, { password, tls, ca, channel = '#builds', signal = never }: { password?: string; tls?: boolean; ca?: string; channel?: string; signal?: AbortSignal } = {}) =>
  ircNotifier({ host: '127.0.0.1', port: server!.port, tls: tls ?? false, nick: 'berth', channel, ...(password !== undefined && { secret: 'irc' }) }, { read: () => Promise.resolve(Buffer.from(password!)) }, ca === undefined ? {} : { ca }, 1).tell(words(line), 'k', signal);
const fault = async (told: Promise<void>) => told.then(() => expect.unreachable(), (error: Error) => error);

describe('a text in parts', () => {
  const prefix = 'berth!~berth@a.example';

  test('that is short is one', () => expect(chunks('reboot of mac-17 begins', '#builds', prefix)).toEqual(['reboot of mac-17 begins']));
  test('has no line break, which would be a command of its own', () => expect(chunks('a\r\nQUIT :b\0c', '#builds', prefix)).toEqual(['a QUIT :b c']));
  test('breaks at spaces', () => {
    const text = 'word '.repeat(300).trim();
    const parts = chunks(text, '#builds', prefix);
    expect(parts.join(' ')).toBe(text);
    expect(parts.every((part) => part.endsWith('word') && part.startsWith('word'))).toBe(true);
  });
  test('each fits with who says it, is whole characters, and nothing is lost', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 1500, size: 'max' }), (text) => {
        const parts = chunks(text, '#builds', prefix);
        for (const part of parts) {
          expect(Buffer.byteLength(`:${prefix} PRIVMSG #builds :${part}`)).toBeLessThanOrEqual(MOST_BYTES);
          expect(Buffer.from(part).toString()).toBe(part);
        }
        const bare = (all: string) => all.replaceAll(/[\s\0]+/g, '');
        expect(bare(parts.join(''))).toBe(bare(text));
      }),
      // To make a text of many kilobytes small takes minutes; the seed says it again.
      { endOnFailure: true },
    );
  });
});

describe('on a real connection', () => {
  test('it comes, says it and goes', async () => {
    await start();
    await tell('reboot of mac-17 begins');
    expect(server!.came).toEqual(['NICK berth', 'USER berth 0 * :Berth', 'JOIN #builds', 'PRIVMSG #builds :reboot of mac-17 begins', 'PING :told', 'QUIT :told']);
    expect(server!.texts).toEqual(['reboot of mac-17 begins']);
    expect(server!.bare).toEqual([]);
  });

  test('what is long comes whole, though the server cuts lines and adds who said it', async () => {
    await start();
    const line = 'wörter mit ümläuten '.repeat(90).trim();
    await tell(line);
    expect(server!.texts.length).toBeGreaterThan(AT_ONCE);
    expect(server!.texts.join(' ')).toBe(line);
  });

  test('what is endless is cut before the server throws it out', async () => {
    await start();
    await tell('x'.repeat(20_000));
    expect(server!.texts).toHaveLength(8);
    expect(server!.texts.at(-1)).toBe('(and more)');
  });

  test('a nick that is in use, and a server that wants its cookie back', async () => {
    await start({ taken: ['berth', 'berth_'], cookie: 'c00k1e' });
    await tell('hello');
    expect(server!.came).toContain('PONG :c00k1e');
    expect(server!.got).toEqual([expect.stringMatching(/^:berth__!\S+ PRIVMSG #builds :hello$/)]);
  });

  test('with TLS and a password', async () => {
    await start({ tls: { cert, key }, password: 'open-sesame' });
    await tell('hello', { tls: true, ca: authority.certificate, password: 'open-sesame' });
    expect(server!.texts).toEqual(['hello']);
  });

  test('not to a server whose certificate nobody knows', async () => {
    await start({ tls: { cert, key }, password: 'open-sesame' });
    expect((await fault(tell('hello', { tls: true, password: 'open-sesame' }))).message).toMatch(/^IRC at 127\.0\.0\.1:\d+ did not take it: (UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY|SELF_SIGNED)/);
    expect(server!.came).toEqual([]);
  });
});

describe('what goes wrong', () => {
  test('a password that is wrong is told without it, and not tried again', async () => {
    await start({ password: 'open-sesame' });
    const error = await fault(tell('hello', { password: 'wrong-sesame' }));
    expect(error).toBeInstanceOf(Refused);
    expect(error.message).toMatch(/464 Password incorrect: \*+$/);
  });
  test.each([[{ closed: ['#builds'] }, /473 #builds Cannot join channel/], [{ quiet: ['#builds'] }, /404 #builds Cannot send to channel/]])('a channel that does not let it: %j', async (habits, message) => {
    await start(habits);
    const error = await fault(tell('hello'));
    expect(error).toBeInstanceOf(Refused);
    expect(error.message).toMatch(message);
  });
  test('a password with a line break would be a command', async () => {
    await start();
    expect((await fault(tell('hello', { password: 'a\r\nQUIT' }))).message).toBe("The secret irc can't be the password of an IRC server: it has a space or a line break in it");
    expect(server!.came).toEqual([]);
  });
  test('a server that says nothing is left when the time is over', async () => {
    await start({ silent: true });
    const stop = new AbortController();
    const told = fault(tell('hello', { signal: stop.signal }));
    await expect.poll(() => server!.came.length).toBe(2);
    stop.abort();
    expect((await told).message).toMatch(/did not take it: no answer in time$/);
  });
  test('nobody there', async () => {
    await start();
    const { port } = server!;
    await server!.stop();
    server = undefined;
    const told = ircNotifier({ host: '127.0.0.1', port, tls: false, nick: 'berth', channel: '#builds' }, { read: () => expect.unreachable() }).tell(words('x'), 'k', never);
    expect((await fault(told)).message).toBe(`IRC at 127.0.0.1:${port} did not take it: ECONNREFUSED`);
  });
});
