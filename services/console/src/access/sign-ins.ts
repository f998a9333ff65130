import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { derivedId, role, type AccessEvent, type AnyRecorded } from '@berth/contracts';
import type { SignInLink } from '@berth/client';
import type { ConsoleApp } from '../console.app.js';
import { HttpProblem } from '../http/problem.js';
import type { Seal } from './seal.js';

const SESSION_MS = 12 * 3_600_000;
const LINK_MS = 3_600_000;
/** Links that were not used yet; the oldest go first. */
const MOST_LINKS = 100;
const PURPOSE = 'session';
export const COOKIE = 'berth-session';

/** Who a session is of: a token, which may be revoked; the token of the installation; or somebody whom a provider named. */
const subject = z.discriminatedUnion('of', [
  z.object({ of: z.literal('token'), name: z.string(), id: z.string() }),
  z.object({ of: z.literal('built-in'), key: z.string() }),
  z.object({ of: z.literal('user'), email: z.string(), role, projects: z.array(z.string()).nullable() }),
]);
export type Subject = z.infer<typeof subject>;

const sealed = z.object({ id: z.string(), until: z.string(), subject });
/** What the cookie of a browser says. */
export type Session = z.infer<typeof sealed>;

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Browsers that are signed in. What they are is in their cookie; here is only which of those were ended before their time. */
export class SignIns {
  private readonly ended = new Map<string, number>();
  /** by the hash of what the link says. In memory alone: a link that a restart forgets opens nothing, and another is soon made */
  private readonly links = new Map<string, { subject: Subject; until: number }>();
  /** where browsers reach the console */
  url = '';

  constructor(
    private readonly seal: Seal,
    private readonly app: Pick<ConsoleApp, 'told' | 'reached'>,
    private readonly now: () => number = Date.now,
  ) {}

  apply(recorded: AnyRecorded): void {
    if (recorded.kind !== 'access') return;
    for (const event of recorded.commit.events) if (event.type === 'SignedOut') this.ended.set(event.data.session, Date.parse(event.data.until));
    // A session whose time is up opens nothing anyway.
    for (const [id, until] of this.ended) if (until <= this.now()) this.ended.delete(id);
  }

  /**
   * Signs somebody in. The event is stored first: nobody is in of whom the history does not know.
   * @returns the cookie
   */
  async begin(of: Subject, about: { actor: string; role: string; by: Extract<AccessEvent, { type: 'SignedIn' }>['data']['by']; address: string }): Promise<string> {
    const { actor, ...how } = about;
    const session: Session = { id: randomUUID(), until: new Date(this.now() + SESSION_MS).toISOString(), subject: of };
    await this.app.told(actor, { type: 'SignedIn', data: { session: session.id, until: session.until, ...how } });
    return this.cookie(this.seal.close(session, PURPOSE), SESSION_MS / 1000);
  }

  /** Ends a session for good, whoever has its cookie. @returns the cookie that takes it away */
  async end(actor: string, session: { id: string; until: string }): Promise<string> {
    const position = await this.app.told(actor, { type: 'SignedOut', data: { session: session.id, until: session.until } });
    await this.app.reached(position);
    return this.cookie('', 0);
  }

  /** The session that a request shows; undefined when it shows none, or one that is over. */
  of(cookies: string | undefined): Session | undefined {
    const text = cookieOf(cookies, COOKIE);
    const parsed = text === undefined ? undefined : sealed.safeParse(this.seal.open(text, PURPOSE));
    if (!parsed?.success) return undefined;
    return this.isOpen(parsed.data) ? parsed.data : undefined;
  }

  isOpen({ id, until }: Pick<Session, 'id' | 'until'>): boolean {
    return Date.parse(until) > this.now() && !this.ended.has(id);
  }

  /** The same, told in the history before it is given away. */
  async made(actor: string, of: Subject): Promise<SignInLink> {
    const link = this.link(of);
    await this.app.told(actor, { type: 'LinkMade', data: { until: link.until } });
    return link;
  }

  /** A link that signs in as somebody, once and soon. */
  link(of: Subject): SignInLink {
    const once = randomBytes(32).toString('base64url');
    const until = this.now() + LINK_MS;
    for (const key of this.links.keys()) {
      if (this.links.size < MOST_LINKS) break;
      this.links.delete(key);
    }
    this.links.set(hash(once), { subject: of, until });
    return { url: `${this.url}/login?once=${once}`, until: new Date(until).toISOString() };
  }

  /** Whom a link signs in; from now on nobody. */
  redeem(once: string): Subject | undefined {
    const key = hash(once);
    const link = this.links.get(key);
    this.links.delete(key);
    return link && link.until > this.now() ? link.subject : undefined;
  }

  /** A cookie that scripts can't read and other sites can't send. */
  private cookie(value: string, seconds: number): string {
    return `${COOKIE}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${this.secure}`;
  }

  get secure(): string {
    return this.url.startsWith('https:') ? '; Secure' : '';
  }
}

/** Id of the stream that tells of somebody's comings, goings and refusals. */
export const accessStream = (actor: string): string => derivedId(actor, 'access');

export function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const part of header?.split(';') ?? []) {
    const at = part.indexOf('=');
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim() || undefined;
  }
  return undefined;
}

/**
 * A page of another site must not act for whoever is signed in here. The cookie is not sent from there (SameSite), and this
 * holds where a browser does not know that.
 */
export function refuseOtherOrigins(origin: string | undefined, host: string | undefined, url: string): void {
  if (origin === undefined) return;
  const own = URL.canParse(origin) && (new URL(origin).host === host || new URL(origin).origin === new URL(url).origin);
  if (!own) throw new HttpProblem('forbidden', `A page of ${origin} may not do this: only pages of Berth's own address may.`, [{ field: 'Origin', message: 'must be the address of the console' }]);
}
