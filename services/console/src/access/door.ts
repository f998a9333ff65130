import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HttpProblem } from '../http/problem.js';
import { WEB_ROUTE } from '../http/web.js';
import type { Admission, Credentials } from './credentials.js';
import { NOBODY, type Audit, type Refusal } from './audit.js';
import type { Open } from './open.js';
import { refuseOpenRoutes, type Route } from './needs.js';
import { OF_TASK, type Need, type Permission } from './permissions.js';
import { asking, type Principal } from './principal.js';
import type { Rates } from './rates.js';
import { refuseStrange, thingOf, type Scope } from './scope.js';
import { refuseOtherOrigins, type SignIns, type Subject } from './sign-ins.js';
import { isHawk, type Taskcluster } from './taskcluster.js';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * What every answer says to browsers. Pages run the scripts of the console and no other, are shown inside of no other page,
 * and tell no other site where they were. Styles may stand in the page: terminals write theirs there.
 */
const securityHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

type Admitted = Extract<Admission, { who: Principal }>;
/** Whoever was let in; somebody whom Taskcluster knows has no sessions here. */
interface Entered {
  who: Principal;
  subject: Subject | null;
}
type Refused = Extract<Admission, { refusal: HttpProblem }>;

/** One request as the door sees it; the upgrade of a live session is one too. */
interface Knock {
  headers: IncomingHttpHeaders;
  method: string;
  /** as it was declared; undefined when there is none */
  route: string | undefined;
  path: string;
  params: unknown;
  address: string;
  need: Need;
  /** of a route that clients of Taskcluster may ask: as it was sent, with its query */
  signed?: string;
  /** the upgrade of a live session */
  live?: boolean;
}

/** Who may pass: the one place that lets requests in. */
export class Door {
  constructor(
    private readonly credentials: Credentials,
    private readonly signIns: SignIns,
    private readonly scope: Scope,
    private readonly audit: Audit,
    /** of each who was let in */
    private readonly requests: Rates,
    /** of wrong tokens, by address */
    private readonly failures: Rates,
    private readonly open: Open,
    private readonly taskcluster: Pick<Taskcluster, 'admit'> | null = null,
  ) {}

  /** Stands before every route of a server, before a body is read. @returns the routes, as they are added */
  guard(server: FastifyInstance): Route[] {
    const routes = refuseOpenRoutes(server);
    server.decorateRequest('principal', null);
    server.addHook('onRequest', async (request, reply) => {
      for (const [name, value] of Object.entries(securityHeaders)) reply.raw.setHeader(name, value);
      if (this.signIns.secure !== '') reply.raw.setHeader('Strict-Transport-Security', 'max-age=31536000');
      const admission = await this.admit(knockOf(request));
      if (!admission) return;
      request.principal = admission.who;
      reply.raw.once('close', this.open.add({ mayGoOn: () => this.mayGoOn(admission), end: () => cut(reply.raw) }));
    });
    server.addHook('preHandler', (request, _reply, done) => asking.run(request.principal, done));
    return routes;
  }

  /** Lets in who joins a live session. */
  async admitLive(request: IncomingMessage, path: string, action: string | undefined): Promise<void> {
    const { headers, socket } = request;
    const route = action === undefined ? undefined : '/api/v1/actions/:id/live';
    const admission = await this.admit({ headers, method: 'GET', route, path, params: { id: action }, address: socket.remoteAddress ?? '', need: action === undefined ? 'signed-in' : 'lease:terminal', live: true });
    if (admission) socket.once('close', this.open.add({ mayGoOn: () => this.mayGoOn(admission), end: () => Boolean(socket.destroy()) }));
  }

  /**
   * Somebody showed a token, or the link of one, to sign in with.
   * @throws {HttpProblem} it opens nothing
   */
  signIn(request: FastifyRequest, admission: Admission): Admitted {
    const knock = knockOf(request);
    const admitted: Admitted = this.admitted(knock, admission);
    this.count(knock, admitted.who);
    return admitted;
  }

  private count(knock: Knock, who: Principal): void {
    const wait = this.requests.take(who.actor);
    if (wait > 0) throw this.refuse(knock, who.actor, tooMany('You send more requests than are answered', wait));
  }

  private async admit(knock: Knock): Promise<Entered | null> {
    const { need } = knock;
    if (need === 'anyone') return null;
    const admission = this.admitted<Entered>(knock, await this.known(knock));
    const { who } = admission;
    this.count(knock, who);
    try {
      if (who.session && (knock.live || !SAFE.has(knock.method))) this.refuseForeign(knock);
      else if (knock.live) refuseOtherOrigins(knock.headers.origin, knock.headers.host, this.signIns.url);
      // Of which task it is, the route finds out.
      if (need !== 'signed-in' && need !== OF_TASK) {
        if (!who.permissions.has(need)) throw forbidden(who, need);
        const thing = knock.route === undefined ? undefined : thingOf(knock.route, knock.params);
        if (thing) {
          refuseStrange(thing, need);
          await this.scope.check(who, need, thing);
        }
      }
    } catch (error) {
      // That something is not there is no refusal, and an outage even less.
      throw error instanceof HttpProblem && error.code === 'forbidden' ? this.refuse(knock, who.actor, error) : error;
    }
    return admission;
  }

  private known(knock: Knock): Admission | ReturnType<Taskcluster['admit']> {
    const { headers, method, signed } = knock;
    return this.taskcluster && signed !== undefined && isHawk(headers.authorization) ? this.taskcluster.admit({ headers, method, url: signed }) : this.credentials.of(headers);
  }

  /** Whether who was let in would be still. */
  private mayGoOn({ who, subject }: Entered): boolean {
    if (subject === null) return true;
    return 'who' in this.credentials.ofSubject(subject) && (!who.session || this.signIns.isOpen(who.session));
  }

  private admitted<E extends Entered>(knock: Knock, admission: E | Refused): E {
    if ('who' in admission) return admission;
    const wait = admission.wrong ? this.failures.take(knock.address) : 0;
    throw this.refuse(knock, admission.actor, wait > 0 ? tooMany('So many wrong tokens came from your address that no more are looked at', wait) : admission.refusal);
  }

  /** What a cookie opens must come from a page of ours: a write with a header that others can't set, and which no browser can set on an upgrade. */
  private refuseForeign({ headers, live }: Knock): void {
    if (!live && headers['x-berth-csrf'] !== '1') throw new HttpProblem('forbidden', 'A write by cookie needs the header X-Berth-CSRF: 1, which a page of another site cannot set.', [{ field: 'X-Berth-CSRF', message: 'must be 1' }]);
    if (headers.origin === undefined) throw new HttpProblem('forbidden', 'What a cookie opens needs an Origin, as every browser sends it: programs show a token instead.', [{ field: 'Origin', message: 'must be the address of the console' }]);
    refuseOtherOrigins(headers.origin, headers.host, this.signIns.url);
  }

  /** Also told by those who refuse further inside; a permission that they found out about goes before what the route says. */
  refused(request: FastifyRequest, problem: HttpProblem, need?: Permission): void {
    this.refuse({ ...knockOf(request), ...(need && { need }) }, request.principal?.actor ?? NOBODY, problem);
  }

  /**
   * Whether whoever asks has a permission that only the route knows of.
   * @throws {HttpProblem} forbidden
   */
  mustHave(request: FastifyRequest, need: Permission): void {
    const who = request.principal!;
    if (who.permissions.has(need)) return;
    const problem = forbidden(who, need);
    this.refused(request, problem, need);
    throw problem;
  }

  private refuse(knock: Knock, actor: string, problem: HttpProblem): HttpProblem {
    const asked = knock.route === undefined ? `${knock.method} (no such route)` : `${knock.method} ${knock.route}`;
    const { need, address } = knock;
    this.audit.refused({
      actor, asked, address, reason: problem.message.slice(0, 512), code: problem.code as Refusal['code'],
      ...(knock.route !== undefined && { path: knock.path.slice(0, 512) }),
      ...(need !== 'anyone' && need !== 'signed-in' && need !== OF_TASK && { needs: need }),
    });
    problem.told = true;
    return problem;
  }
}

function knockOf(request: FastifyRequest): Knock {
  const { headers, method, params, ip } = request;
  // What the dashboard answers with a page of its own is no route of the API.
  const { url } = request.routeOptions;
  const route = request.is404 || url === WEB_ROUTE ? undefined : url;
  const path = request.url.split('?')[0]!;
  // Under /api not even that something is not there is news for everybody.
  const need = (route === undefined ? undefined : request.routeOptions.config.needs) ?? (isApi(path) ? 'signed-in' : 'anyone');
  return { headers, method, params, route, path, address: ip, need, ...(request.routeOptions.config.foreign && { signed: request.url }) };
}

/** Also when it is written with escapes. */
function isApi(path: string): boolean {
  try {
    return /^\/api(\/|$)/.test(decodeURIComponent(path));
  } catch {
    return true; // what can't be read is not shown around
  }
}

/** Ends an answer in the middle; one that has not begun is short, or will be ended later. */
function cut(response: ServerResponse): boolean {
  if (response.headersSent) response.destroy();
  return response.headersSent;
}

const forbidden = (who: Principal, need: Permission): HttpProblem => new HttpProblem('forbidden', sentence(who, need), [{ field: 'Authorization', message: `is not enough: ${need} is needed` }]);

const sentence = (who: Principal, need: Permission): string =>
  who.scoped ? `You may not do this: it needs ${need}, and the scopes of ${who.name} do not give that.` : `You may not do this: it needs ${need}, which ${who.projects === null ? `the role ${who.role} does not have` : `${who.role}s of some projects only do not have`}.`;

function tooMany(what: string, waitMs: number): HttpProblem {
  const seconds = Math.ceil(waitMs / 1000);
  return new HttpProblem('rate-limited', `${what}: wait ${seconds} s.`, [], undefined, {}, seconds);
}
