import { Controller, Get, Inject, Param, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Channel, page, schemas, type Page, type ProjectionView } from '@berth/client';
import type { Runtime } from '@berth/runtime';
import { z } from 'zod';
import { Needs } from '../access/needs.js';
import { pour } from '../live/pour.js';
import { projectionNames, type ProjectionName } from '../views/columns.js';
import { lags } from '../views/lag.js';
import { RebuildRunning, rebuildProjection } from '../views/rebuild.js';
import { Describe, text } from './describe.js';
import { HttpProblem } from './problem.js';
import { DATABASE, RUNTIME, type Database } from './tokens.js';

/** A line of progress at most this often. */
const TELL_MS = 250;
const progress = text('the last line begins with `done` or `failed`');

/** The tables that lists are read from. */
@Controller('api/v1/projections')
export class ProjectionsController {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(DATABASE) private readonly database: Database,
  ) {}

  /** How far each is behind the events. */
  @Get()
  @Needs('fleet:read')
  @Describe({ summary: 'The tables that lists are read from, and how far each is behind the events.', answers: { 200: page(schemas.ProjectionView) } })
  async list(): Promise<Page<ProjectionView>> {
    return { items: await lags(this.runtime.connection, this.database), cursor: null };
  }

  /** Makes all projections anew and tells how far it is, a line at a time. The last line starts with "done" or "failed". */
  @Post('rebuild')
  @Needs('projections:write')
  @Describe({ summary: 'Makes all projections anew, and tells how far it is, a line at a time.', answers: { 200: progress }, problems: ['in-progress'] })
  rebuildAll(@Res() reply: FastifyReply): Promise<void> {
    return this.rebuild(projectionNames, reply);
  }

  /** The same of one projection. */
  @Post(':name/rebuild')
  @Needs('projections:write')
  @Describe({ summary: 'Makes one projection anew, and tells how far it is, a line at a time.', params: { name: z.enum(projectionNames) }, answers: { 200: progress }, problems: ['in-progress', 'not-found'] })
  rebuildOne(@Param('name') name: string, @Res() reply: FastifyReply): Promise<void> {
    if (!projectionNames.includes(name as ProjectionName)) {
      throw new HttpProblem('not-found', `There is no projection ${JSON.stringify(name)}: /api/v1/projections shows what there is.`, [{ field: 'name', message: `use one of ${projectionNames.join(', ')}` }]);
    }
    return this.rebuild([name as ProjectionName], reply);
  }

  private async rebuild(names: readonly ProjectionName[], reply: FastifyReply): Promise<void> {
    const lines = new Channel<string>();
    let told = 0;
    let fail: (error: unknown) => void = () => undefined;
    let begin: () => void = () => undefined;
    const begun = new Promise<void>((resolve, reject) => {
      begin = resolve;
      fail = reject;
    });
    // Goes on even if nobody listens any more: half a rebuild is no use to anyone.
    rebuildProjection(
      this.runtime,
      this.database,
      ({ position, of, done }) => {
        begin();
        if (done) lines.push(`done: ${position} commits\n`);
        else if (Date.now() - told >= TELL_MS) {
          told = Date.now();
          lines.push(`${Math.floor((100 * position) / Math.max(1, of))}% ${position} of ${of} commits\n`);
        }
      },
      names,
    ).then(
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
