import { Controller, Get, Inject, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Channel, schemas, type Health } from '@berth/client';
import type { Runtime } from '@berth/runtime';
import { Needs } from '../access/needs.js';
import { pour } from '../live/pour.js';
import { RebuildRunning, rebuildProjection } from '../views/rebuild.js';
import { HttpProblem } from './problem.js';
import { DATABASE, READINESS, RUNTIME, type Database, type Readiness } from './tokens.js';
import { Describe, text } from './describe.js';

/** A line of progress at most this often. */
const TELL_MS = 250;

/** The installation itself. */
@Controller()
export class SystemController {
  constructor(
    @Inject(READINESS) private readonly readiness: Readiness,
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(DATABASE) private readonly database: Database,
  ) {}

  @Get('healthz')
  @Needs('anyone')
  @Describe({ summary: 'Whether each service is ready.', answers: { 200: schemas.Health, 503: schemas.Health }, open: true })
  async health(@Res({ passthrough: true }) reply: FastifyReply): Promise<Health> {
    const services = await this.readiness();
    const ready = Object.values(services).every((service) => service.ready);
    reply.code(ready ? 200 : 503).header('Cache-Control', 'no-store');
    return { status: ready ? 'ok' : 'unavailable', services };
  }

  /** Makes the projections anew and tells how far it is, a line at a time. The last line starts with "done" or "failed". */
  @Post('api/v1/projections/rebuild')
  @Needs('projections:write')
  @Describe({ summary: 'Makes the projections anew, and tells how far it is, a line at a time.', answers: { 200: text('the last line begins with `done` or `failed`') }, problems: ['in-progress'] })
  async rebuild(@Res() reply: FastifyReply): Promise<void> {
    const lines = new Channel<string>();
    let told = 0;
    let fail: (error: unknown) => void = () => undefined;
    let begin: () => void = () => undefined;
    const begun = new Promise<void>((resolve, reject) => {
      begin = resolve;
      fail = reject;
    });
    // Goes on even if nobody listens any more: half a rebuild is no use to anyone.
    rebuildProjection(this.runtime, this.database, ({ position, of, done }) => {
      begin();
      if (done) lines.push(`done: ${position} commits\n`);
      else if (Date.now() - told >= TELL_MS) {
        told = Date.now();
        lines.push(`${Math.floor((100 * position) / Math.max(1, of))}% ${position} of ${of} commits\n`);
      }
    }).then(
      () => lines.end(),
      (error: unknown) => {
        fail(error instanceof RebuildRunning ? new HttpProblem('in-progress', `${error.message[0]!.toUpperCase()}${error.message.slice(1)}.`) : error);
        lines.push(`failed: ${(error as Error).message}\n`);
        lines.end();
      },
    );
    await begun;
    await pour(reply, { 'Content-Type': 'text/plain; charset=utf-8' }, () => lines, this.runtime.log);
  }
}
