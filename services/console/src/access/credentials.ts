import { createHash, timingSafeEqual } from 'node:crypto';
import { unreachable } from '@berth/contracts';
import type { ConsoleApp } from '../console.app.js';
import { BUILT_IN } from '../domain/token.js';
import { HttpProblem } from '../http/problem.js';
import type { TokenRow, Tokens } from '../views/tokens.js';
import { NOBODY } from './audit.js';
import { principal, type Principal } from './principal.js';
import type { Session, SignIns, Subject } from './sign-ins.js';

/** Whoever was let in, or why not. `wrong`: what was shown is not known here, as when somebody tries. */
export type Admission = { who: Principal; subject: Subject } | { refusal: HttpProblem; actor: string; wrong: boolean };

/** In between, the use of a token need not be noted: it is stored once an hour. */
const NOTE_EVERY_MS = 600_000;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const unauthorized = (message: string, actor: string, wrong: boolean): Admission => ({ refusal: new HttpProblem('unauthorized', message), actor, wrong });

/** Who shows what: tokens, and the sessions of browsers. */
export class Credentials {
  private readonly builtIn: Buffer;
  private readonly noted = new Map<string, number>();

  /** @param token of the installation: whoever shows it may do everything */
  constructor(
    token: string,
    private readonly tokens: Tokens,
    private readonly signIns: SignIns,
    private readonly app: Pick<ConsoleApp, 'used'>,
    private readonly now: () => number = Date.now,
  ) {
    this.builtIn = digest(token);
  }

  /** Of the headers of a request. A token goes before a cookie. */
  of({ authorization, cookie }: { authorization?: string | undefined; cookie?: string | undefined }): Admission {
    if (authorization !== undefined) {
      const secret = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
      return secret === undefined ? unauthorized('A token is needed: send "Authorization: Bearer TOKEN".', NOBODY, true) : this.ofSecret(secret);
    }
    const session = this.signIns.of(cookie);
    if (session) return this.ofSession(session);
    return unauthorized('A token is needed: send "Authorization: Bearer TOKEN", or sign in with a browser.', NOBODY, false);
  }

  ofSecret(secret: string): Admission {
    const shown = digest(secret);
    // Equal lengths and equal time, whatever was given.
    if (timingSafeEqual(shown, this.builtIn)) return this.ofBuiltIn();
    // Found by its hash, which tells nobody how near a guess was.
    const row = this.tokens.withSecret(shown.toString('hex'));
    return row ? this.ofToken(row) : unauthorized('This token is not valid here.', NOBODY, true);
  }

  /** Whoever opens a link that signs in once. */
  ofLink(once: string): Admission {
    const subject = this.signIns.redeem(once);
    return subject ? this.ofSubject(subject) : unauthorized('This link was used before, or its time is up: `berth login-link` prints a new one.', NOBODY, true);
  }

  /** Somebody for whom a session was begun, or a link made. */
  ofSubject(subject: Subject): Admission {
    switch (subject.of) {
      case 'built-in':
        return subject.key === this.builtIn.toString('hex') ? this.ofBuiltIn() : unauthorized('The token of this installation is another one by now: sign in again.', `token:${BUILT_IN}`, false);
      case 'token': {
        const row = this.tokens.row(subject.name);
        return row?.id === subject.id ? this.ofToken(row) : unauthorized(`The token ${subject.name} was revoked: sign in with another one.`, `token:${subject.name}`, false);
      }
      case 'user':
        return { who: principal(`user:${subject.email}`, subject.role, subject.projects), subject };
      default:
        return unreachable(subject);
    }
  }

  private ofSession({ id, until, subject }: Session): Admission {
    const admission = this.ofSubject(subject);
    return 'who' in admission ? { ...admission, who: { ...admission.who, session: { id, until } } } : admission;
  }

  /** Whoever runs this installation. */
  get builtInSubject(): Subject {
    return { of: 'built-in', key: this.builtIn.toString('hex') };
  }

  private ofBuiltIn(): Admission {
    return { who: principal(`token:${BUILT_IN}`, 'admin', null), subject: this.builtInSubject };
  }

  private ofToken(row: TokenRow): Admission {
    const { name, id, role, projects, jobs, expires } = row;
    const actor = `token:${name}`;
    const state = this.tokens.state(row);
    if (state === 'revoked') return unauthorized(`The token ${name} was revoked: ask for another one.`, actor, true);
    if (state === 'expired') return unauthorized(`The token ${name} ended at ${expires ?? ''}: ask for another one.`, actor, true);
    this.note(row);
    return { who: principal(actor, role, projects, jobs), subject: { of: 'token', name, id } };
  }

  private note({ name, id }: TokenRow): void {
    const now = this.now();
    if (now - (this.noted.get(id) ?? 0) < NOTE_EVERY_MS) return;
    this.noted.set(id, now);
    this.app.used({ name, id });
  }
}
