import { z } from 'zod';
import { jobTask, jobTasks, secretName, type JobTask } from '@berth/contracts';
import { isLoopback } from './console-config.js';

/** Where a ticket is filed for a machine that could not be brought back. */
export type TicketsSetting =
  | {
      kind: 'bugzilla';
      /** where Bugzilla is, without a slash at its end */
      url: string;
      /** where problems are filed */
      product: string;
      component: string;
      version: string;
      /** of a Bugzilla that asks for the type of a bug; absent where it does not know of types */
      type?: string;
      /** where the tickets of machines are, that problems are linked to */
      machines: { product: string; component: string };
      /** name of the secret with the API key */
      secret: string;
    }
  | { kind: 'webhook'; url: string; /** name of the secret with the key that is signed with */ secret: string };

/** A server that takes mail. */
export interface MailSetting {
  host: string;
  port: number;
  /** TLS from the first byte on; otherwise STARTTLS where it is offered, and always when there is a login */
  secure: boolean;
  from: string;
  /** `secret` is the name of the secret with the password */
  login?: { user: string; secret: string };
}

/** A channel of an IRC network. */
export interface IrcSetting {
  host: string;
  port: number;
  tls: boolean;
  nick: string;
  channel: string;
  /** name of the secret with the password of the server */
  secret?: string;
}

/** Which hardware jobs there are, who is told of them, and where tickets go. All of it may be absent. */
export interface JobsConfig {
  /** those that may be asked for; all when absent */
  jobTasks?: readonly JobTask[];
  tickets?: TicketsSetting;
  mail?: MailSetting;
  /** name of the secret with the URL of the webhook of a chat: whoever has the URL can write there */
  chat?: { secret: string };
  irc?: IrcSetting;
}

/** Why a setting can't be read; the message goes behind the name of the variable, and has nothing in it that may be a secret. */
class Fault extends Error {}

/** A setting that is a text of its own, read by a function that throws a {@link Fault}. */
const readBy = <T>(read: (text: string) => T) =>
  z.string().transform((text, context): T => {
    try {
      return read(text);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });

/** @throws Fault with `like` for what is no URL or has a password in it */
function urlOf(text: string, schemes: readonly string[], like: string): URL {
  if (!URL.canParse(text)) throw new Fault(like);
  const url = new URL(text);
  if (url.password !== '') throw new Fault('must not hold a password: name a secret instead');
  if (!schemes.includes(url.protocol.slice(0, -1)) || url.hostname === '') throw new Fault(like);
  return url;
}

/** Without the brackets of an IPv6 address. */
const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');

/** What is shown with a key must not be read on the way. */
function webOf(text: string, like: string): URL {
  const url = urlOf(text, ['https', 'http'], like);
  if (url.protocol === 'http:' && !isLoopback(hostOf(url))) throw new Fault('must be https: over plain HTTP anybody on the way could read the key');
  if (url.username !== '' || url.hash !== '') throw new Fault(like);
  return url;
}

const TICKETS_LIKE = 'must be bugzilla+https://HOST/?product=PRODUCT&component=COMPONENT or webhook+https://HOST/PATH';
const KNOWN = ['product', 'component', 'version', 'type', 'machines'];

function ticketsOf(text: string): TicketsSetting extends infer T ? (T extends unknown ? Omit<T, 'secret'> : never) : never {
  const [, kind, rest] = /^(bugzilla|webhook)\+(https?:.*)$/.exec(text) ?? [];
  if (kind === undefined || rest === undefined) throw new Fault(TICKETS_LIKE);
  const url = webOf(rest, TICKETS_LIKE);
  if (kind === 'webhook') return { kind: 'webhook', url: url.href };
  const said = url.searchParams;
  const stray = [...said.keys()].find((key) => !KNOWN.includes(key));
  if (stray !== undefined) throw new Fault(`says ${stray}, which Bugzilla is not asked for: use ${KNOWN.join(', ')}`);
  const [product, component] = [said.get('product') ?? '', said.get('component') ?? ''];
  if (product === '' || component === '') throw new Fault(`${TICKETS_LIKE}: it lacks ${product === '' ? 'product' : 'component'}`);
  const machines = said.get('machines');
  const at = machines?.indexOf('/') ?? -1;
  if (machines !== null && (at <= 0 || at === machines.length - 1)) throw new Fault('says machines without a "/": use machines=PRODUCT/COMPONENT');
  const type = said.get('type');
  return {
    kind: 'bugzilla',
    url: `${url.origin}${url.pathname.replace(/\/+$/, '')}`,
    product,
    component,
    version: said.get('version') ?? 'unspecified',
    ...(type !== null && { type }),
    machines: machines === null ? { product, component } : { product: machines.slice(0, at), component: machines.slice(at + 1) },
  };
}

const MAIL_LIKE = 'must be smtp://USER@HOST:587, smtps://USER@HOST:465, or either without a user';

function mailOf(text: string): Omit<MailSetting, 'from' | 'login'> & { user?: string } {
  const url = urlOf(text, ['smtp', 'smtps'], MAIL_LIKE);
  if (!['', '/'].includes(url.pathname) || url.search !== '' || url.hash !== '') throw new Fault(MAIL_LIKE);
  const secure = url.protocol === 'smtps:';
  return { host: hostOf(url), port: Number(url.port || (secure ? 465 : 587)), secure, ...(url.username !== '' && { user: decodeURIComponent(url.username) }) };
}

const IRC_LIKE = 'must be ircs://NICK@HOST:6697/CHANNEL, or irc:// without TLS';

/** Names by RFC 2812, section 2.3.1 (nicknames) and 1.3 (channels). */
function ircOf(text: string): Omit<IrcSetting, 'secret'> {
  const url = urlOf(text, ['irc', 'ircs'], IRC_LIKE);
  const tls = url.protocol === 'ircs:';
  const nick = decodeURIComponent(url.username);
  if (!/^[A-Za-z[\]\\`_^{|}][A-Za-z0-9[\]\\`_^{|}-]{0,29}$/.test(nick)) throw new Fault(`${IRC_LIKE}: NICK begins with a letter and has letters, digits, "-" and "_"`);
  const path = decodeURIComponent(url.pathname.slice(1));
  const channel = /^[#&+!]/.test(path) ? path : `#${path}`;
  if (path === '' || url.hash !== '' || channel.length > 50 || /[\u0000-\u0020,\u0007:]/.test(channel)) throw new Fault(`${IRC_LIKE}: CHANNEL has at most 49 characters and no space, "," or ":"; a "#" in front is added`);
  return { host: hostOf(url), port: Number(url.port || (tls ? 6697 : 6667)), tls, nick, channel };
}

function tasksOf(text: string): JobTask[] {
  const words = text.split(',').map((word) => word.trim()).filter((word) => word !== '');
  const unknown = words.filter((word) => !jobTask.safeParse(word).success);
  if (unknown.length > 0) throw new Fault(`has ${unknown.map((word) => JSON.stringify(word)).join(', ')}, which ${unknown.length > 1 ? 'are no jobs' : 'is no job'}: use ${jobTasks.join(', ')}, with commas between, or leave it out to publish all`);
  return jobTasks.filter((task) => words.includes(task));
}

/** What of the environment is about hardware jobs. */
export const jobsEnvironment = {
  BERTH_JOB_TASKS: readBy(tasksOf).optional(),
  BERTH_TICKETS: readBy(ticketsOf).optional(),
  BERTH_TICKETS_SECRET: secretName.optional(),
  BERTH_SMTP: readBy(mailOf).optional(),
  BERTH_SMTP_SECRET: secretName.optional(),
  BERTH_MAIL_FROM: z.email('must be an address such as berth@example.com').optional(),
  BERTH_CHAT_SECRET: secretName.optional(),
  BERTH_IRC: readBy(ircOf).optional(),
  BERTH_IRC_SECRET: secretName.optional(),
} as const;

type Environment = z.output<z.ZodObject<typeof jobsEnvironment>>;

/**
 * What the gateway is given of the environment.
 * @throws Error with one sentence that lists all that does not fit together
 */
export function jobsSettings(env: Environment): JobsConfig {
  const faults = misfits(env);
  if (faults.length > 0) throw new Error(`The environment can't be used: ${faults.join('; ')}`);
  const { BERTH_TICKETS: tickets, BERTH_SMTP: mail, BERTH_IRC: irc, BERTH_CHAT_SECRET: chat, BERTH_MAIL_FROM: from } = env;
  const { user, ...server } = mail ?? {};
  return {
    ...(env.BERTH_JOB_TASKS !== undefined && { jobTasks: env.BERTH_JOB_TASKS }),
    ...(tickets && { tickets: { ...tickets, secret: env.BERTH_TICKETS_SECRET! } }),
    ...(mail && { mail: { ...(server as Omit<typeof mail, 'user'>), from: from!, ...(user !== undefined && { login: { user, secret: env.BERTH_SMTP_SECRET! } }) } }),
    ...(chat !== undefined && { chat: { secret: chat } }),
    ...(irc && { irc: { ...irc, ...(env.BERTH_IRC_SECRET !== undefined && { secret: env.BERTH_IRC_SECRET }) } }),
  };
}

function misfits(env: Environment): string[] {
  const needs = (has: boolean, wants: boolean, variable: string, why: string) => (has && !wants ? [`${variable}: must be set too: ${why}`] : []);
  const { BERTH_TICKETS: tickets, BERTH_TICKETS_SECRET: key, BERTH_SMTP: mail, BERTH_SMTP_SECRET: password, BERTH_MAIL_FROM: from, BERTH_IRC: irc, BERTH_IRC_SECRET: entry } = env;
  return [
    ...needs(tickets !== undefined, key !== undefined, 'BERTH_TICKETS_SECRET', 'it names the secret with the key for BERTH_TICKETS'),
    ...needs(key !== undefined, tickets !== undefined, 'BERTH_TICKETS', 'BERTH_TICKETS_SECRET alone says nothing'),
    ...needs(mail !== undefined, from !== undefined, 'BERTH_MAIL_FROM', 'mail has a sender'),
    ...needs(from !== undefined || password !== undefined, mail !== undefined, 'BERTH_SMTP', 'it names the server that takes mail'),
    ...needs(mail?.user !== undefined, password !== undefined, 'BERTH_SMTP_SECRET', 'it names the secret with the password of the user in BERTH_SMTP'),
    ...(mail && mail.user === undefined && password !== undefined ? ['BERTH_SMTP: must name a user, as in smtp://USER@HOST:587, when BERTH_SMTP_SECRET is set'] : []),
    ...needs(entry !== undefined, irc !== undefined, 'BERTH_IRC', 'BERTH_IRC_SECRET alone says nothing'),
    ...(irc && entry !== undefined && !irc.tls && !isLoopback(irc.host) ? ['BERTH_IRC: must be ircs:// when BERTH_IRC_SECRET is set: without TLS anybody on the way could read the password'] : []),
  ];
}
