import { Controller, Delete, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { page, schemas, type DeadLetterRetry, type DeadLetterView, type Page } from '@berth/client';
import { services } from '@berth/contracts';
import { Needs } from '../access/needs.js';
import { actorNow } from '../access/principal.js';
import { ConsoleApp } from '../console.app.js';
import { DeadLetters, NotRetryable } from '../live/dead-letters.js';
import { nothing } from './bodies.js';
import { Describe } from './describe.js';
import { positionQuery } from './paging.js';
import * as parameters from './parameters.js';
import { HttpProblem, notFound } from './problem.js';
import { queryText } from './server.js';
import { LOG, type Log } from './tokens.js';

/** Commands that could not be carried out. They are messages and not things with a life: who did what with them is in the audit. */
@Controller('api/v1')
export class DeadLettersController {
  constructor(
    @Inject(DeadLetters) private readonly letters: DeadLetters,
    @Inject(ConsoleApp) private readonly app: ConsoleApp,
    @Inject(LOG) private readonly log: Log,
  ) {}

  /** `?service=&type=&limit=&cursor=`, the newest first. */
  @Get('dead-letters')
  @Needs('deadletters:read')
  @Describe({ summary: 'Commands that could not be carried out, the newest first.', query: { service: z.enum(services), type: z.string(), limit: parameters.limit, cursor: parameters.cursor }, answers: { 200: page(schemas.DeadLetterView) } })
  list(@Req() request: FastifyRequest): Promise<Page<DeadLetterView>> {
    const { limit, before } = positionQuery(request);
    const service = queryText(request, 'service');
    if (service !== undefined && !(services as readonly string[]).includes(service)) {
      throw new HttpProblem('invalid-data', `The query is refused: there is no service ${JSON.stringify(service)}.`, [{ field: 'service', message: `use one of ${services.join(', ')}` }]);
    }
    return this.letters.list({ service, type: queryText(request, 'type'), limit, before });
  }

  @Get('dead-letters/:id')
  @Needs('deadletters:read')
  @Describe({ summary: 'One of them, with what was sent.', answers: { 200: schemas.DeadLetterView }, problems: ['unknown-dead-letter'] })
  async get(@Param('id') id: string): Promise<DeadLetterView> {
    const letter = await this.letters.get(sequenceOf(id));
    if (!letter) throw unknown(id);
    return letter;
  }

  @Post('dead-letters/:id/retry')
  @Needs('deadletters:write')
  @Describe({ summary: 'Sends it to its service once more, under its own id.', body: nothing, answers: { 202: schemas.DeadLetterRetry }, problems: ['unknown-dead-letter', 'not-retryable'] })
  async retry(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<DeadLetterRetry> {
    const done = await this.letters.retry(sequenceOf(id), actorNow()).catch((error: unknown) => {
      throw error instanceof NotRetryable ? new HttpProblem('not-retryable', `Dead letter ${id} can't be tried again. ${error.message}`) : error;
    });
    reply.code(202);
    if (!done) return this.gone(id, { id, command: null, outcome: 'gone', code: null, message: null });
    const { letter, ...result } = done;
    const { service, type } = letter;
    this.log.info({ actor: actorNow(), deadLetter: id, service, type, commandId: result.command, outcome: result.outcome }, 'a dead letter was tried again');
    this.app.tell(actorNow(), { type: 'DeadLetterRetried', data: { letter: id, service, type, command: result.command, outcome: result.outcome } });
    return result;
  }

  @Delete('dead-letters/:id')
  @Needs('deadletters:write')
  @Describe({ summary: 'Removes it; its command is never carried out.', answers: { 202: schemas.Accepted }, problems: ['unknown-dead-letter'] })
  async drop(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<{ id: string }> {
    const letter = await this.letters.get(sequenceOf(id));
    reply.code(202);
    if (!letter) return this.gone(id, { id });
    // Of two at once one has dropped it.
    if (!(await this.letters.drop(id))) return { id };
    const { service, type, reason } = letter;
    this.log.info({ actor: actorNow(), deadLetter: id, service, type, reason }, 'a dead letter was dropped');
    this.app.tell(actorNow(), { type: 'DeadLetterDropped', data: { letter: id, service, type } });
    return { id };
  }

  /** The same again has no second effect and is no error; what never was is one. */
  private async gone<T>(id: string, answer: T): Promise<T> {
    if (await this.letters.was(id)) return answer;
    throw unknown(id);
  }
}

const unknown = (id: string): HttpProblem => notFound('unknown-dead-letter', `dead letter ${JSON.stringify(id)}`, '/api/v1/dead-letters');

/** Ids are sequences of BERTH_DEAD. */
function sequenceOf(id: string): string {
  if (!/^[1-9]\d{0,14}$/.test(id)) throw unknown(id);
  return id;
}
