import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { page, schemas, type ActionLogLine, type BuildLogGroup, type BuildLogLine, type LogGroup, type Page } from '@berth/client';
import type { Runtime } from '@berth/runtime';
import { Needs } from '../access/needs.js';
import { BuildLogs } from '../live/build-log.js';
import { ActionLogs } from '../live/log.js';
import { pour, skip, type Source } from '../live/pour.js';
import { buildLineView, gzipped, lineView, ndjson, textOf } from '../live/render.js';
import { Needle } from '../live/search.js';
import type { BuildRow } from '../views/build.js';
import { Reads } from '../views/reads.js';
import { attachment } from './host-work.js';
import { lineNumber, logQuery, searchQuery, spot, spotOf, streamQuery, type LogQuery } from './log-query.js';
import { acceptsCoding } from './methods.js';
import { HttpProblem, notFound } from './problem.js';
import { queryText } from './server.js';
import { LOG } from './tokens.js';
import { z } from 'zod';
import { logContent } from './bodies.js';
import { Describe } from './describe.js';
import * as parameters from './parameters.js';

/** What actions and builds print: as text, by lines, searched. */
@Controller('api/v1')
export class LogsController {
  constructor(
    @Inject(Reads) private readonly reads: Reads,
    @Inject(ActionLogs) private readonly actions: ActionLogs,
    @Inject(BuildLogs) private readonly builds: BuildLogs,
    @Inject(LOG) private readonly log: Runtime['log'],
  ) {}

  @Get('actions/:id/log')
  @Needs('lease:read')
  @Describe({ summary: 'What an action printed.', query: { ...parameters.log, from: parameters.line.describe('number of the first line'), stream: z.enum(['stdout', 'stderr']) }, answers: { 200: logContent }, problems: ['unknown-action'] })
  async actionLog(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.foundAction(id);
    const query = logQuery(request);
    const stream = streamQuery(request);
    const { follow, plain, timestamps, offset, count, tail } = query;
    if (tail !== undefined && stream !== undefined) throw new HttpProblem('invalid-data', 'The query is refused: tail counts the lines of both streams.', [{ field: 'tail', message: 'leave stream out, or use from and count' }]);
    if (!query.byLines) return this.send(reply, query, `action-${id}`, (signal) => this.actions.text(id, { follow, stream, offset, plain }, signal));
    const given = lineNumber('from', query.from);
    const from = tail === undefined ? given : await whileConnected(request, async (signal) => Math.max(1, (await this.actions.count(id, signal)).lines - tail + 1));
    const { actions } = this;
    await this.send(reply, query, `action-${id}`, (signal) => skip(render(signal), offset), tail === undefined ? {} : { 'Berth-From': from });
    async function* render(signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
      for await (const lines of actions.lines(id, { follow, stream, from, count }, signal)) {
        yield query.format === 'ndjson' ? Buffer.from(ndjson(lines.map((line) => lineView(line, plain)))) : textOf(lines, { timestamps, plain });
      }
    }
  }

  @Get('actions/:id/log/groups')
  @Needs('lease:read')
  @Describe({ summary: 'Lines between `::group::NAME` and `::endgroup::`.', answers: { 200: page(schemas.LogGroup) }, problems: ['unknown-action'] })
  async actionGroups(@Param('id') id: string, @Req() request: FastifyRequest): Promise<Page<LogGroup>> {
    await this.foundAction(id);
    const { groups } = await whileConnected(request, (signal) => this.actions.groups(id, signal));
    return { items: groups.map((group) => ({ ...group, within: [...group.within] })), cursor: null };
  }

  @Get('actions/:id/log/search')
  @Needs('lease:read')
  @Describe({ summary: 'Lines of an action that have a text.', query: parameters.search, answers: { 200: page(schemas.ActionLogLine) }, problems: ['unknown-action'] })
  async actionSearch(@Param('id') id: string, @Req() request: FastifyRequest): Promise<Page<ActionLogLine>> {
    await this.foundAction(id);
    const { text, ignoreCase, limit, cursor } = searchQuery(request);
    const from = lineNumber('cursor', cursor);
    return whileConnected(request, async (signal) => {
      const items: ActionLogLine[] = [];
      for await (const match of this.actions.search(id, new Needle(text, ignoreCase), from, signal)) {
        if (items.length === limit) return { items, cursor: String(match.n) };
        items.push({ ...lineView({ ...match, bytes: new Uint8Array() }, false), text: match.text });
      }
      return { items, cursor: null };
    });
  }

  @Get('builds/:id/log')
  @Needs('build:read')
  @Describe({
    summary: 'What the steps of a build printed, one after the other.', query: { ...parameters.log, from: z.union([parameters.spot, parameters.line]).describe('SECTION:LINE; with `step` also the number of a line'), step: z.string().describe('only that step') },
    answers: { 200: logContent }, problems: ['unknown-build'],
  })
  async buildLog(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const build = await this.foundBuild(id);
    const query = logQuery(request);
    const step = stepQuery(request, build);
    const { follow, plain, timestamps, offset, count, tail } = query;
    const name = `${build.plan}-${id}`;
    if (!query.byLines) return this.send(reply, query, name, (signal) => this.builds.text(id, { follow, offset, plain, step }, signal));
    const from = tail === undefined ? await this.buildFrom(id, query.from, step) : await whileConnected(request, (signal) => this.builds.tail(id, tail, { step }, signal));
    const { builds } = this;
    await this.send(reply, query, name, (signal) => skip(render(signal), offset), tail === undefined ? {} : { 'Berth-From': `${from!.section}:${from!.line}` });
    async function* render(signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
      for await (const { section, lines } of builds.lines(id, { follow, from, count, step }, signal)) {
        yield query.format === 'ndjson' ? Buffer.from(ndjson(lines.map((line) => buildLineView(section, line, plain)))) : textOf(lines, { timestamps, plain });
      }
    }
  }

  @Get('builds/:id/log/groups')
  @Needs('build:read')
  @Describe({ summary: 'The tries of steps, and the groups in them.', answers: { 200: page(schemas.BuildLogGroup) }, problems: ['unknown-build'] })
  async buildGroups(@Param('id') id: string, @Req() request: FastifyRequest): Promise<Page<BuildLogGroup>> {
    await this.foundBuild(id);
    return whileConnected(request, async (signal) => {
      const items: BuildLogGroup[] = [];
      for await (const { section, groups, lines, ended } of this.builds.groups(id, signal)) {
        const own = { section: section.index, step: section.name, action: section.action };
        items.push({ ...own, name: section.name, within: [], firstLine: lines > 0 ? 1 : null, lastLine: ended && lines > 0 ? lines : null });
        items.push(...groups.map(({ name, within, firstLine, lastLine }) => ({ ...own, name, within: [section.name, ...within], firstLine, lastLine })));
      }
      return { items, cursor: null };
    });
  }

  @Get('builds/:id/log/search')
  @Needs('build:read')
  @Describe({ summary: 'Lines of a build that have a text.', query: { ...parameters.search, cursor: parameters.spot, step: z.string().describe('only that step') }, answers: { 200: page(schemas.BuildLogLine) }, problems: ['unknown-build'] })
  async buildSearch(@Param('id') id: string, @Req() request: FastifyRequest): Promise<Page<BuildLogLine>> {
    const build = await this.foundBuild(id);
    const { text, ignoreCase, limit, cursor } = searchQuery(request);
    const step = stepQuery(request, build);
    const from = cursor === undefined ? { section: 0, line: 1 } : spot('cursor', cursor);
    return whileConnected(request, async (signal) => {
      const items: BuildLogLine[] = [];
      for await (const { section, match } of this.builds.search(id, new Needle(text, ignoreCase), from, { step }, signal)) {
        if (items.length === limit) return { items, cursor: `${section.index}:${match.n}` };
        items.push({ ...buildLineView(section, { ...match, bytes: new Uint8Array() }, false), text: match.text });
      }
      return { items, cursor: null };
    });
  }

  /** The first line wanted: `SECTION:LINE`, or with a step the number of a line of its last try. */
  private async buildFrom(build: string, from: string | undefined, step: string | undefined) {
    if (from === undefined) return undefined;
    if (step === undefined || spotOf(from)) return spot('from', from);
    const line = lineNumber('from', from);
    const last = await this.builds.last(build, step);
    // A step that has not begun has no lines before those that are wanted.
    return last && { section: last.index, line };
  }

  private async send(reply: FastifyReply, query: LogQuery, name: string, source: Source, more: Record<string, string | number> = {}): Promise<void> {
    const type = query.format === 'ndjson' ? 'application/x-ndjson' : 'text/plain';
    const headers: Record<string, string | number> = { 'Content-Type': `${type}; charset=utf-8`, ...more };
    if (!query.download) return pour(reply, headers, source, this.log);
    const zip = !query.follow && acceptsCoding(reply.request.headers['accept-encoding'], 'gzip');
    Object.assign(headers, { 'Content-Disposition': attachment(`${name}.${query.format === 'ndjson' ? 'ndjson' : 'log'}`), Vary: 'Accept-Encoding' }, zip && { 'Content-Encoding': 'gzip' });
    await pour(reply, headers, zip ? (signal) => gzipped(source(signal)) : source, this.log);
  }

  private async foundAction(id: string): Promise<void> {
    if (!(await this.reads.action(id))) throw notFound('unknown-action', `action ${JSON.stringify(id)}`, 'the history of its lease');
  }

  private async foundBuild(id: string): Promise<BuildRow> {
    const row = await this.reads.build(id);
    if (!row) throw notFound('unknown-build', `build ${JSON.stringify(id)}`, '/api/v1/builds');
    return row;
  }
}

function stepQuery(request: FastifyRequest, build: BuildRow): string | undefined {
  const step = queryText(request, 'step');
  const names = build.steps.map(({ name }) => name);
  if (step === undefined || names.includes(step)) return step;
  throw new HttpProblem('invalid-data', `The query is refused: the build has no step ${JSON.stringify(step)}.`, [{ field: 'step', message: `use one of: ${names.join(', ')}` }]);
}

/** Work for somebody who may go away meanwhile: then it ends. */
async function whileConnected<T>(request: FastifyRequest, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const gone = new AbortController();
  const leave = () => gone.abort();
  const { socket } = request.raw;
  socket.once('close', leave);
  try {
    return await work(gone.signal);
  } finally {
    socket.off('close', leave);
  }
}
