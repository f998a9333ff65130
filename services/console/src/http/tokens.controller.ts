import { Controller, Delete, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { createHash, randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { page, schemas, type NewToken, type Page, type TokenView } from '@berth/client';
import { name as nameSchema } from '@berth/contracts';
import { ConsoleApp } from '../console.app.js';
import { Needs } from '../access/needs.js';
import { Tokens } from '../views/tokens.js';
import { accepted, commandId, Commands } from './commands.js';
import { command, Describe } from './describe.js';
import { HttpProblem, notFound } from './problem.js';
import { objectBody } from './server.js';

/** Tokens of this API. */
@Controller('api/v1/tokens')
export class TokensController {
  constructor(
    @Inject(Tokens) private readonly tokens: Tokens,
    @Inject(Commands) private readonly commands: Commands,
    @Inject(ConsoleApp) private readonly app: ConsoleApp,
  ) {}

  @Get()
  @Needs('tokens:read')
  @Describe({ summary: 'All tokens, newest first; never their secrets.', answers: { 200: page(schemas.TokenView) } })
  list(): Page<TokenView> {
    return { items: this.tokens.list(), cursor: null };
  }

  @Get(':name')
  @Needs('tokens:read')
  @Describe({ summary: 'One token.', answers: { 200: schemas.TokenView }, problems: ['unknown-token'] })
  get(@Param('name') name: string): TokenView {
    const token = this.tokens.get(name);
    if (!token) throw unknown(name);
    return token;
  }

  /** Makes a token. Its secret is in this answer and nowhere else: what goes on the bus and is stored is its hash. */
  @Post()
  @Needs('tokens:write')
  @Describe({ summary: 'Makes a token. Its secret is in this answer and is not shown again.', body: command('console', 'CreateToken', 'sha256'), answers: { 201: schemas.NewToken }, problems: ['name-taken'] })
  async create(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<NewToken> {
    const body = objectBody(request);
    if ('sha256' in body || 'secret' in body) throw new HttpProblem('invalid-data', 'The token is refused: Berth makes its secret itself.', [{ field: 'sha256' in body ? 'sha256' : 'secret', message: 'leave it out' }]);
    const id = commandId(request);
    const secret = `berth_${randomBytes(32).toString('base64url')}`;
    const sha256 = createHash('sha256').update(secret).digest('hex');
    const { id: name, position } = await this.commands.send('console', 'CreateToken', { ...body, sha256 }, id);
    await this.app.reached(position);
    // Sent again: the secret of the first time is the one that was stored, and nobody knows it any more but who got it.
    if (this.tokens.row(name)?.sha256 !== sha256) throw new HttpProblem('name-taken', `The token ${name} was made by this very request before, and its secret was shown then: revoke it and make another one if it was lost.`, [{ field: 'name', message: 'has a token already' }]);
    reply.header('Cache-Control', 'no-store');
    return accepted(reply, 201, `tokens/${name}`, { id: name, name, secret });
  }

  @Delete(':name')
  @Needs('tokens:write')
  @Describe({ summary: 'Ends a token, and all that was begun with it.', answers: { 202: schemas.AcceptedName }, problems: ['unknown-token'] })
  async revoke(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    if (!nameSchema.safeParse(name).success) throw unknown(name);
    await this.commands.send('console', 'RevokeToken', { token: name }, commandId(request));
    return accepted(reply, 202, `tokens/${name}`, { id: name, name });
  }
}

const unknown = (name: string): HttpProblem => notFound('unknown-token', `token ${JSON.stringify(name)}`, '/api/v1/tokens');
