import { Controller, Delete, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { auditEntry, page, schemas, type AuditEntry, type MeView, type Page, type SignInLink, type SignInWays } from '@berth/client';
import { Credentials } from '../access/credentials.js';
import { Door } from '../access/door.js';
import { Needs } from '../access/needs.js';
import { BEGIN, type Oidc } from '../access/oidc.js';
import { refuseOtherOrigins, SignIns } from '../access/sign-ins.js';
import { AuditLog } from '../live/audit-log.js';
import { Describe } from './describe.js';
import * as parameters from './parameters.js';
import { positionQuery } from './paging.js';
import { HttpProblem } from './problem.js';
import { objectBody, queryText } from './server.js';
import { OIDC } from './tokens.js';

const signInBody = z.object({ token: z.string().optional().describe('a token'), once: z.string().optional().describe('or what a link says') });

/** Who asks, sessions of browsers, and who did what. */
@Controller('api/v1')
export class AccessController {
  constructor(
    @Inject(Door) private readonly door: Door,
    @Inject(Credentials) private readonly credentials: Credentials,
    @Inject(SignIns) private readonly signIns: SignIns,
    @Inject(AuditLog) private readonly log: AuditLog,
    @Inject(OIDC) private readonly oidc: Oidc | null,
  ) {}

  @Get('me')
  @Needs('signed-in')
  @Describe({ summary: 'Who asks, and what that may do.', answers: { 200: schemas.MeView } })
  me(@Req() { principal }: FastifyRequest): MeView {
    const { actor, name, role, projects, permissions, session } = principal!;
    return { actor, name, role, projects: projects && [...projects], permissions: [...permissions], until: session?.until ?? null };
  }

  @Get('session/ways')
  @Needs('anyone')
  @Describe({ summary: 'How a browser can be signed in besides with a token.', answers: { 200: schemas.SignInWays } })
  ways(): SignInWays {
    return { provider: this.oidc && { name: this.oidc.name, path: BEGIN } };
  }

  /** Signs a browser in, with a token or with what a link says once. */
  @Post('session')
  @HttpCode(204)
  @Needs('anyone')
  @Describe({ summary: 'Signs a browser in: with a token, or with what a link says once.', body: signInBody, answers: { 204: 'It is signed in: the cookie says so.' }, problems: ['unauthorized', 'forbidden', 'rate-limited', 'invalid-data'] })
  async signIn(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    this.refuseForeign(request);
    const { token, once } = objectBody(request);
    if ((typeof token === 'string') === (typeof once === 'string')) throw new HttpProblem('invalid-data', 'Signing in is refused: give either token or once.', [{ field: 'token', message: 'must be a token, or `once` what a link says' }]);
    const { who, subject } = this.door.signIn(request, typeof token === 'string' ? this.credentials.ofSecret(token) : this.credentials.ofLink(String(once)));
    const cookie = await this.signIns.begin(subject, { actor: who.actor, role: who.role, by: typeof token === 'string' ? 'token' : 'link', address: request.ip });
    reply.header('Set-Cookie', cookie).header('Cache-Control', 'no-store');
  }

  @Delete('session')
  @HttpCode(204)
  @Needs('signed-in')
  @Describe({ summary: 'Ends the session of a browser for good.', answers: { 204: 'It is ended.' } })
  async signOut(@Req() { principal }: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    const { actor, session } = principal!;
    if (!session) throw new HttpProblem('invalid-data', 'There is no session to end: you showed a token, which is revoked instead.', [{ field: 'Cookie', message: 'must be that of a session' }]);
    reply.header('Set-Cookie', await this.signIns.end(actor, session)).header('Cache-Control', 'no-store');
  }

  /** A link that signs a browser in as whoever asks for it: once, and within an hour. */
  @Post('session/links')
  @HttpCode(201)
  @Needs('signed-in')
  @Describe({ summary: 'A link that signs a browser in as whoever asks: once, and within an hour.', answers: { 201: schemas.SignInLink } })
  async link(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<SignInLink> {
    const { actor } = request.principal!;
    const admission = this.credentials.of(request.headers);
    if (!('who' in admission)) throw admission.refusal;
    if (admission.subject.of === 'user') throw new HttpProblem('invalid-data', 'No link is made: you sign in with your provider, and so can any browser of yours.', [{ field: 'Cookie', message: 'must be of a session that a token began' }]);
    reply.header('Cache-Control', 'no-store');
    return this.signIns.made(actor, admission.subject);
  }

  /** Newest first. A page may be short, or empty, before the last one: what is older is looked at with its cursor. */
  @Get('audit')
  @Needs('audit:read')
  @Describe({ summary: 'Who did what and who was refused what, newest first.', query: { what: auditEntry.shape.what, actor: z.string(), limit: parameters.limit, cursor: parameters.cursor }, answers: { 200: page(schemas.AuditEntry) } })
  audit(@Req() request: FastifyRequest): Promise<Page<AuditEntry>> {
    const what = queryText(request, 'what');
    if (what !== undefined && what !== 'refused' && what !== 'signed-in' && what !== 'did') throw new HttpProblem('invalid-data', `The query is refused: there is no what ${JSON.stringify(what)}.`, [{ field: 'what', message: 'use one of refused, signed-in, did' }]);
    return this.log.page({ ...positionQuery(request), actor: queryText(request, 'actor'), what });
  }

  private refuseForeign(request: FastifyRequest): void {
    try {
      refuseOtherOrigins(request.headers.origin, request.headers.host, this.signIns.url);
    } catch (error) {
      if (error instanceof HttpProblem) this.door.refused(request, error);
      throw error;
    }
  }
}
