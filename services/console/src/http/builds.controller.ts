import { Controller, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { posix } from 'node:path';
import type { ArtifactView, BuildView, LeaseExplanation, Page } from '@berth/client';
import { artifactBucket } from '@berth/nats';
import { Logs } from '../live/log.js';
import { Objects } from '../live/objects.js';
import { pour, skip } from '../live/pour.js';
import { artifactView, buildView, type BuildRow } from '../views/build.js';
import { Reads } from '../views/reads.js';
import { accepted, commandId, Commands } from './commands.js';
import { asOf, Explanations } from './explanations.js';
import { fileHeaders } from './host-work.js';
import { listQuery } from './paging.js';
import { HttpProblem, notFound } from './problem.js';
import { has, wantedRange } from './range.js';
import { LOG } from './tokens.js';
import { objectBody, queryCount, queryFlag, queryText } from './server.js';
import type { Runtime } from '@berth/runtime';

const statuses = ['pending', 'preparing', 'building', 'passed', 'failed', 'aborted', 'error'] as const satisfies readonly BuildView['status'][];

/** Builds, their logs and their artifacts. */
@Controller('api/v1/builds')
export class BuildsController {
  constructor(
    @Inject(Reads) private readonly reads: Reads,
    @Inject(Commands) private readonly commands: Commands,
    @Inject(Logs) private readonly logs: Logs,
    @Inject(Objects) private readonly objects: Objects,
    @Inject(LOG) private readonly log: Runtime['log'],
    @Inject(Explanations) private readonly explanations: Explanations,
  ) {}

  @Get()
  async list(@Req() request: FastifyRequest): Promise<Page<BuildView>> {
    const page = await this.reads.builds(listQuery(request, statuses, ['plan']));
    return { ...page, items: page.items.map(buildView) };
  }

  @Post()
  async request(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const { id } = await this.commands.send('build-orchestrator', 'RequestBuild', objectBody(request), commandId(request));
    return accepted(reply, 202, `builds/${id}`, { id });
  }

  @Get(':id')
  async get(@Param('id') id: string): Promise<BuildView> {
    return buildView(await this.found(id));
  }

  @Get(':id/explanation')
  explanation(@Param('id') id: string, @Req() request: FastifyRequest): Promise<LeaseExplanation> {
    return this.explanations.ofBuild(id, asOf(queryText(request, 'at')));
  }

  @Post(':id/abort')
  async abort(@Param('id') build: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    await this.commands.send('build-orchestrator', 'AbortBuild', { ...objectBody(request), build }, commandId(request));
    return accepted(reply, 202, `builds/${build}`, { id: build });
  }

  @Get(':id/log')
  async buildLog(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.found(id);
    const follow = queryFlag(request, 'follow');
    const offset = queryCount(request, 'offset', { least: 0, most: Number.MAX_SAFE_INTEGER, otherwise: 0 });
    await pour(reply, { 'Content-Type': 'text/plain; charset=utf-8' }, (signal) => skip(this.logs.build(id, { follow }, signal), offset), this.log);
  }

  @Get(':id/artifacts')
  async artifacts(@Param('id') id: string): Promise<Page<ArtifactView>> {
    return { items: (await this.found(id)).artifacts.map(artifactView), cursor: null };
  }

  @Get(':id/artifacts/*')
  async artifact(@Param('id') id: string, @Param('*') name: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const kept = (await this.found(id)).artifacts.find((one) => one.name === name);
    if (!kept) throw notFound('not-found', `artifact ${JSON.stringify(name)} of this build`, `/api/v1/builds/${id}/artifacts`);
    const tag = `"${kept.sha256}"`;
    if (has(request, tag)) return void reply.code(304).header('ETag', tag).send();
    const wanted = wantedRange(request, kept.bytes, tag);
    if (wanted.kind === 'none') {
      reply.header('Content-Range', `bytes */${kept.bytes}`);
      throw new HttpProblem('range-not-satisfiable', `The artifact ${JSON.stringify(name)} has ${kept.bytes} bytes, and none of them is in that range.`, [{ field: 'Range', message: `must begin before byte ${kept.bytes}` }]);
    }
    const object = await this.objects.open(artifactBucket, kept.object);
    if (!object) throw new HttpProblem('not-found', `The bytes of artifact ${JSON.stringify(name)} are no longer kept.`);
    // An object without a hash was put there by somebody else: only reading it shows whether it is the one.
    if (object.bytes !== kept.bytes || (object.sha256 ?? kept.sha256) !== kept.sha256) throw new HttpProblem('internal', `The bytes that are stored for artifact ${JSON.stringify(name)} are not those that the build kept.`);
    const headers = { 'Content-Type': 'application/octet-stream', 'Accept-Ranges': 'bytes', ...fileHeaders(posix.basename(kept.name), kept) };
    if (wanted.kind === 'whole') return pour(reply, headers, (signal) => object.read(undefined, signal), this.log);
    const { start, end } = wanted;
    const part = { ...headers, 'Content-Length': end - start, 'Content-Range': `bytes ${start}-${end - 1}/${kept.bytes}` };
    await pour(reply, part, (signal) => object.read({ start, end }, signal), this.log, 206);
  }

  private async found(id: string): Promise<BuildRow> {
    const row = await this.reads.build(id);
    if (!row) throw notFound('unknown-build', `build ${JSON.stringify(id)}`, '/api/v1/builds');
    return row;
  }
}
