import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Credentials } from '../access/credentials.js';
import { Door } from '../access/door.js';
import { Needs } from '../access/needs.js';
import type { Oidc } from '../access/oidc.js';
import { SignIns } from '../access/sign-ins.js';
import { Describe } from './describe.js';
import { HttpProblem } from './problem.js';
import { OIDC } from './tokens.js';

/** Signing in with a provider of OpenID Connect. */
@Controller('login/oidc')
export class OidcController {
  constructor(
    @Inject(OIDC) private readonly oidc: Oidc | null,
    @Inject(Door) private readonly door: Door,
    @Inject(Credentials) private readonly credentials: Credentials,
    @Inject(SignIns) private readonly signIns: SignIns,
  ) {}

  @Get()
  @Needs('anyone')
  @Describe({ summary: 'Sends a browser to the provider to sign in.', answers: { 302: 'To the provider.' }, problems: ['not-found'] })
  async begin(@Res() reply: FastifyReply): Promise<void> {
    const { url, cookie } = await this.provider().begin();
    await reply.header('Set-Cookie', cookie).header('Cache-Control', 'no-store').redirect(url, 302);
  }

  @Get('callback')
  @Needs('anyone')
  @Describe({ summary: 'Takes a browser back from the provider.', answers: { 302: 'It is signed in: to the first page.' }, problems: ['not-found', 'unauthorized', 'forbidden', 'rate-limited'] })
  async finish(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const oidc = this.provider();
    const at = request.url.indexOf('?');
    reply.header('Set-Cookie', oidc.done).header('Cache-Control', 'no-store');
    try {
      const subject = await oidc.finish(at < 0 ? '' : request.url.slice(at), request.headers.cookie);
      const { who } = this.door.signIn(request, this.credentials.ofSubject(subject));
      const cookie = await this.signIns.begin(subject, { actor: who.actor, role: who.role, by: 'oidc', address: request.ip });
      await reply.header('Set-Cookie', cookie).redirect('/', 302);
    } catch (error) {
      if (error instanceof HttpProblem && (error.code === 'unauthorized' || error.code === 'forbidden') && !error.told) this.door.refused(request, error);
      throw error;
    }
  }

  private provider(): Oidc {
    if (!this.oidc) throw new HttpProblem('not-found', 'Nobody signs in with a provider here: set BERTH_OIDC_ISSUER, or sign in with a token.');
    return this.oidc;
  }
}
