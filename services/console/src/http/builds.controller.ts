import { Controller, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { posix } from 'node:path';
import type { ArtifactView, BuildView, LeaseExplanation, Page } from '@berth/client';
import { artifactBucket } from '@berth/nats';
import { forAsker, saidBy } from '../access/asks.js';
import { Needs } from '../access/needs.js';
import { Objects } from '../live/objects.js';
import { pour } from '../live/pour.js';
import { artifactView, leasedArtifacts, buildView, type BuildRow } from '../views/build.js';
import { Reads } from '../views/reads.js';
import { accepted, commandId, Commands } from './commands.js';
import { asOf, Explanations } from './explanations.js';
import { fileHeaders } from './host-work.js';
import { listQuery } from './paging.js';
import { HttpProblem, notFound } from './problem.js';
import { has, wantedRange } from './range.js';
import { LOG } from './tokens.js';
import { objectBody, queryCount, queryText } from './server.js';
import type { Runtime } from '@berth/runtime';

const statuses = ['pending', 'preparing', 'building', 'paused', 'passed', 'failed', 'aborted', 'error'] as const satisfies readonly BuildView['status'][];

/** Builds and their artifacts. */
@Controller('api/v1/builds')
export class BuildsController {
  constructor(
    @Inject(Reads) private readonly reads: Reads,
    @Inject(Commands) private readonly commands: Commands,
    @Inject(Objects) private readonly objects: Objects,
    @Inject(LOG) private readonly log: Runtime['log'],
    @Inject(Explanations) private readonly explanations: Explanations,
  ) {}

  @Get()
  @Needs('build:read')
  async list(@Req() request: FastifyRequest): Promise<Page<BuildView>> {
    const page = await this.reads.builds(listQuery(request, statuses, ['plan']));
    return { ...page, items: page.items.map(buildView) };
  }

  @Post()
  @Needs('build:write')
  async request(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const { id } = await this.commands.send('build-orchestrator', 'RequestBuild', forAsker(request.principal, objectBody(request), 'initiator'), commandId(request));
    return accepted(reply, 202, `builds/${id}`, { id });
  }

  @Get(':id')
  @Needs('build:read')
  async get(@Param('id') id: string): Promise<BuildView> {
    return buildView(await this.found(id));
  }

  @Get(':id/explanation')
  @Needs('build:read')
  explanation(@Param('id') id: string, @Req() request: FastifyRequest): Promise<LeaseExplanation> {
    return this.explanations.ofBuild(id, asOf(queryText(request, 'at')));
  }

  @Post(':id/abort')
  @Needs('build:write')
  abort(@Param('id') build: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.tell('AbortBuild', build, {}, request, reply);
  }

  @Post(':id/pause')
  @Needs('build:write')
  pause(@Param('id') build: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.tell('PauseBuild', build, {}, request, reply);
  }

  @Post(':id/resume')
  @Needs('build:write')
  resume(@Param('id') build: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.tell('ResumeBuild', build, {}, request, reply);
  }

  @Post(':id/restart')
  @Needs('build:write')
  restart(@Param('id') build: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.tell('RestartBuild', build, {}, request, reply);
  }

  @Post(':id/steps/:step/rerun')
  @Needs('build:write')
  rerun(@Param('id') build: string, @Param('step') step: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.tell('RerunStep', build, { step }, request, reply);
  }

  /** Reports on a step from outside, or decides on one that waits for an approval. */
  @Post(':id/steps/:step/messages')
  @Needs('build:write')
  message(@Param('id') build: string, @Param('step') step: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.tell('SendBuildMessage', build, { step }, request, reply);
  }

  private async tell(type: 'AbortBuild' | 'PauseBuild' | 'ResumeBuild' | 'RestartBuild' | 'RerunStep' | 'SendBuildMessage', build: string, more: { step?: string }, request: FastifyRequest, reply: FastifyReply) {
    const body = type === 'SendBuildMessage' ? saidBy(request.principal, objectBody(request)) : objectBody(request);
    await this.commands.send('build-orchestrator', type, { ...body, ...more, build }, commandId(request));
    return accepted(reply, 202, `builds/${build}`, { id: build });
  }

  @Get(':id/artifacts')
  @Needs('build:read')
  async artifacts(@Param('id') id: string): Promise<Page<ArtifactView>> {
    const row = await this.found(id);
    return { items: [...leasedArtifacts(row), ...row.artifacts.map(artifactView)], cursor: null };
  }

  @Get(':id/artifacts/*')
  @Needs('build:read')
  async artifact(@Param('id') id: string, @Param('*') name: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const generation = queryCount(request, 'generation', { least: 1, most: Number.MAX_SAFE_INTEGER, otherwise: 0 });
    const row = await this.found(id);
    const leased = leasedArtifacts(row).find((one) => one.name === name);
    if (leased) return void reply.code(303).header('Location', leased.uri ?? '').send();
    const kept = row.artifacts.findLast((one) => one.name === name && (generation === 0 || one.generation === generation));
    if (!kept) throw notFound('not-found', `artifact ${JSON.stringify(name)} of this build`, `/api/v1/builds/${id}/artifacts`);
    const { object: its, bytes, sha256 } = kept;
    // It is elsewhere: whoever asks is sent there.
    if (its === null || bytes === null || sha256 === null) return void reply.code(303).header('Location', kept.uri ?? '').send();
    const tag = `"${sha256}"`;
    if (has(request, tag)) return void reply.code(304).header('ETag', tag).send();
    const wanted = wantedRange(request, bytes, tag);
    if (wanted.kind === 'none') {
      reply.header('Content-Range', `bytes */${bytes}`);
      throw new HttpProblem('range-not-satisfiable', `The artifact ${JSON.stringify(name)} has ${bytes} bytes, and none of them is in that range.`, [{ field: 'Range', message: `must begin before byte ${bytes}` }]);
    }
    const object = await this.objects.open(artifactBucket, its);
    if (!object) throw new HttpProblem('not-found', `The bytes of artifact ${JSON.stringify(name)} are no longer kept.`);
    // An object without a hash was put there by somebody else: only reading it shows whether it is the one.
    if (object.bytes !== bytes || (object.sha256 ?? sha256) !== sha256) throw new HttpProblem('internal', `The bytes that are stored for artifact ${JSON.stringify(name)} are not those that the build kept.`);
    const headers = { 'Content-Type': 'application/octet-stream', 'Accept-Ranges': 'bytes', ...fileHeaders(posix.basename(kept.name), { bytes, sha256 }) };
    if (wanted.kind === 'whole') return pour(reply, headers, (signal) => object.read(undefined, signal), this.log);
    const { start, end } = wanted;
    const part = { ...headers, 'Content-Length': end - start, 'Content-Range': `bytes ${start}-${end - 1}/${bytes}` };
    await pour(reply, part, (signal) => object.read({ start, end }, signal), this.log, 206);
  }

  private async found(id: string): Promise<BuildRow> {
    const row = await this.reads.build(id);
    if (!row) throw notFound('unknown-build', `build ${JSON.stringify(id)}`, '/api/v1/builds');
    return row;
  }
}
