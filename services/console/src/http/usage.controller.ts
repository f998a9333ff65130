import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { schemas, usageBy, type TimelineView, type UsageBy, type UsageView } from '@berth/client';
import { duration, instant } from '@berth/contracts';
import { rather } from '@berth/runtime';
import { z } from 'zod';
import { Needs } from '../access/needs.js';
import { seenBy } from '../access/principal.js';
import { Fleet } from '../views/fleet.js';
import { Reads } from '../views/reads.js';
import { MOST_BUCKETS, WEEK } from '../views/usage.js';
import { usageCsv } from './csv.js';
import { Describe, type Content, type Shows } from './describe.js';
import { instantQuery } from './paging.js';
import { HttpProblem } from './problem.js';
import { queryCount, queryText } from './server.js';

const ofSpan = { from: instant.describe('a week before `to` when absent'), to: instant.describe('now when absent') };
const usageQuery = { ...ofSpan, by: usageBy.describe('owner when absent'), bucket: duration.describe('in stretches of so long, such as 1h or 1d; as one when absent') };
const timelineQuery = { ...ofSpan, buckets: z.int().min(1).max(MOST_BUCKETS).describe('stretches of equal length; 100 when absent') };
const CSV = { types: ['text/csv'], what: 'a heading, and a line for each item' } as const satisfies Content;
const shows = { kinds: ['resource', 'lease', 'build', 'blueprint'], rows: true, timed: true } satisfies Shows;
const refused = (field: string, what: string, message: string): HttpProblem => new HttpProblem('invalid-data', `The query is refused: ${what}.`, [{ field, message }]);

/** What was used, and how busy it was. */
@Controller('api/v1')
export class UsageController {
  constructor(
    @Inject(Reads) private readonly reads: Reads,
    @Inject(Fleet) private readonly fleet: Fleet,
  ) {}

  @Get('usage')
  @Needs('usage:read')
  @Describe({ summary: 'Who has used how many hours of hosts, how long they waited, and what it cost.', query: usageQuery, answers: { 200: schemas.UsageView }, rather: CSV, shows })
  usage(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<UsageView | string> {
    reply.header('Vary', 'Accept');
    return rather(request.headers.accept, 'application/json', 'text/csv') ? this.csv(request, reply) : this.report(request);
  }

  @Get('usage.csv')
  @Needs('usage:read')
  @Describe({ summary: 'The same as comma-separated values.', query: usageQuery, answers: { 200: CSV } })
  asCsv(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    return this.csv(request, reply);
  }

  private async csv(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const text = usageCsv(await this.report(request));
    reply.header('Content-Type', 'text/csv; charset=utf-8; header=present').header('Content-Disposition', 'attachment; filename="usage.csv"').header('Cache-Control', 'no-store');
    return text;
  }

  @Get('timeline')
  @Needs('usage:read')
  @Describe({ summary: 'How busy it was, in stretches of time.', query: timelineQuery, answers: { 200: schemas.TimelineView }, shows })
  timeline(@Req() request: FastifyRequest): Promise<TimelineView> {
    const { from, to } = span(request);
    return this.reads.timeline(from, to, queryCount(request, 'buckets', { least: 1, most: MOST_BUCKETS, otherwise: 100 }), seenBy(request.principal));
  }

  private report(request: FastifyRequest): Promise<UsageView> {
    const by = queryText(request, 'by') ?? 'owner';
    if (!usageBy.options.includes(by as UsageBy)) throw refused('by', `usage is not told by ${JSON.stringify(by)}`, `use one of ${usageBy.options.join(', ')}`);
    const { from, to } = span(request);
    const bucket = queryText(request, 'bucket');
    const read = bucket === undefined ? undefined : duration.safeParse(bucket);
    if (read?.success === false) throw refused('bucket', 'bucket is not a duration', 'use a duration such as 1h or 1d');
    const bucketMs = read?.data ?? null;
    if (bucketMs !== null && (to - from) / bucketMs > MOST_BUCKETS) throw refused('bucket', `there would be more than ${MOST_BUCKETS} buckets`, 'use a longer bucket or a shorter time');
    return this.reads.usage({ from, to, by: by as UsageBy, bucketMs, now: Date.now() }, this.fleet.prices(), seenBy(request.principal));
  }
}

/** The time that is asked about: the last week unless it says otherwise. */
function span(request: FastifyRequest): { from: number; to: number } {
  const at = (name: string, otherwise: number): number => {
    const text = queryText(request, name);
    return text === undefined ? otherwise : Date.parse(instantQuery(name, text));
  };
  const to = at('to', Date.now());
  const from = at('from', to - WEEK);
  if (from >= to) throw refused('from', 'from is not before to', 'use a time before `to`');
  return { from, to };
}
