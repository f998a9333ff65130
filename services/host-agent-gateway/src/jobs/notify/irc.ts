import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { setTimeout as pause } from 'node:timers/promises';
import type { IrcSetting } from '@berth/runtime';
import { oneLine, toldSecret, type SecretStore } from '../told-secret.js';
import { chunks, parseLine, type IrcMessage } from './irc-lines.js';
import { Refused, type Notifier } from './notifier.js';

/** Numbers of answers: RFC 2812, section 5. */
const WELCOME = '001';
const NICK_IN_USE = '433';
const END_OF_NAMES = '366';
/** No that stays: banned, password wrong (464, 465), channel full, by invitation, banned, by key (471 to 475), no such channel, a nick that may not be. */
const REFUSED = new Set(['403', '405', '432', '464', '465', '471', '473', '474', '475', '476', '477', '404']);
/** Servers throw out whoever says more than this at once, section 5.8: a line costs two seconds, and ten are lent. */
const AT_ONCE = 4;
const PACE_MS = 2000;
/** What is longer is not for a channel. */
const MOST_LINES = 8;
const MOST_NICKS = 5;
/** What a server says before it is quit is a page of text; one that goes on talking is not listened to. */
const MOST_HEARD = 1024 * 1024;

/**
 * A channel of IRC (RFC 2812): it connects for each notice, says it and quits, because nobody reads notices of jobs often enough to
 * keep a connection for them.
 *
 * @param tls more for the connection, such as an authority that the system does not know
 */
export function ircNotifier(setting: IrcSetting, secrets: SecretStore, tls: ConnectionOptions = {}, paceMs = PACE_MS): Notifier {
  const { host, port, channel, nick, secret } = setting;
  return {
    name: 'irc',
    wants: () => true,
    async tell({ line }, _key, signal) {
      const password = secret === undefined ? undefined : await toldSecret(secrets, secret);
      if (password && /[\0\r\n ]/.test(password.text.trim())) throw new Refused(`The secret ${secret!} can't be the password of an IRC server: it has a space or a line break in it`);
      const socket = setting.tls ? connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }), ...tls }) : connectPlain({ host, port });
      const end = () => socket.destroy(new Error('no answer in time'));
      if (signal.aborted) end();
      signal.addEventListener('abort', end, { once: true });
      try {
        await say(new Talk(socket), { nick, channel, password: password?.text.trim(), line, paceMs, signal });
      } catch (error) {
        const { message } = error as Error;
        const said = `IRC at ${host}:${port} did not take it: ${oneLine(password?.mask(message) ?? message, 300)}`;
        throw error instanceof Refused ? new Refused(said) : new Error(said);
      } finally {
        signal.removeEventListener('abort', end);
        socket.destroy();
      }
    },
  };
}

interface Said {
  nick: string;
  channel: string;
  password: string | undefined;
  line: string;
  paceMs: number;
  signal: AbortSignal;
}

async function say(talk: Talk, { nick, channel, password, line, paceMs, signal }: Said): Promise<void> {
  if (password !== undefined) talk.send(`PASS ${password}`);
  let mine = nick;
  talk.send(`NICK ${mine}`);
  talk.send(`USER ${nick} 0 * :Berth`);
  for (let tries = 1; ; tries++) {
    const { command, parameters } = await talk.until([WELCOME, NICK_IN_USE]);
    if (command === WELCOME) {
      // The server may have cut it to what it takes.
      mine = parameters[0] ?? mine;
      break;
    }
    if (tries === MOST_NICKS) throw new Error(`${nick} and ${MOST_NICKS - 1} others like it are in use`);
    mine = `${nick}${'_'.repeat(tries)}`;
    talk.send(`NICK ${mine}`);
  }
  talk.send(`JOIN ${channel}`);
  // It tells us of our own coming as it tells the others, so that is how long we are in front of what we say.
  let prefix = '';
  for (let joined = false; !joined; ) {
    const message = await talk.until(['JOIN', END_OF_NAMES]);
    if (message.command === END_OF_NAMES) joined = true;
    else if (message.prefix.toLowerCase().startsWith(`${mine.toLowerCase()}!`)) prefix = message.prefix;
  }
  // The longest that there can be, for a server that does not tell: user 10 bytes, host 63.
  const parts = chunks(line, channel, prefix || `${mine}!${'u'.repeat(11)}@${'h'.repeat(63)}`);
  const told = parts.length > MOST_LINES ? [...parts.slice(0, MOST_LINES - 1), '(and more)'] : parts;
  for (const [at, part] of told.entries()) {
    if (at >= AT_ONCE) await pause(paceMs, undefined, { signal });
    talk.send(`PRIVMSG ${channel} :${part}`);
  }
  // It answers in order: with this one all before it were taken, or refused.
  talk.send('PING :told');
  await talk.until(['PONG']);
  talk.send('QUIT :told');
  await talk.over();
}

/** A connection, as messages in and lines out. */
class Talk {
  private readonly come: IrcMessage[] = [];
  private wake = () => {};
  private ended: Error | undefined;
  private rest = '';
  private heard = 0;

  constructor(private readonly socket: Socket) {
    socket.on('error', (error: NodeJS.ErrnoException) => this.end(new Error(error.code ?? error.message)));
    socket.on('close', () => this.end(new Error('it closed the connection')));
    socket.setEncoding('utf8').on('data', (text: string) => this.hear(text));
  }

  send(line: string): void {
    this.socket.write(`${line}\r\n`);
  }

  /** The next message that is one of these; others are passed over. @throws when the server says no, or is gone */
  async until(commands: readonly string[]): Promise<IrcMessage> {
    for (;;) {
      for (let message = this.come.shift(); message; message = this.come.shift()) {
        if (commands.includes(message.command)) return message;
        if (REFUSED.has(message.command)) throw new Refused(`${message.command} ${message.parameters.slice(1).join(' ')}`);
        if (message.command === 'ERROR') throw new Error(message.parameters.join(' '));
      }
      if (this.ended) throw this.ended;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  /** Once the server has closed it. */
  async over(): Promise<void> {
    while (!this.ended) await new Promise<void>((resolve) => (this.wake = resolve));
  }

  private hear(text: string): void {
    this.heard += text.length;
    if (this.heard > MOST_HEARD) return void this.socket.destroy(new Error('it does not stop talking'));
    const lines = (this.rest + text).split(/\r?\n/);
    this.rest = lines.pop()!;
    for (const line of lines) this.take(line);
  }

  private take(line: string): void {
    const message = parseLine(line);
    if (!message) return;
    if (message.command === 'PING') this.send(`PONG :${message.parameters.at(-1) ?? ''}`);
    else this.come.push(message);
    this.wake();
  }

  private end(error: Error): void {
    this.ended ??= error;
    this.wake();
  }
}
