import { Controller, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { posix } from 'node:path';
import { page, schemas, type ArtifactView, type BuildView, type LeaseExplanation, type Page } from '@berth/client';
import { artifactBucket } from '@berth/nats';
import { forAsker, saidBy } from '../access/asks.js';
import { Needs } from '../access/needs.js';
import { seenBy } from '../access/principal.js';
import { Objects } from '../live/objects.js';
import { pour } from '../live/pour.js';
import { artifactView, buildView, leasedArtifacts, type BuildRow } from '../views/build.js';
import { listForm } from '../views/lists.js';
import { Reads } from '../views/reads.js';
import { accepted, commandId, Commands } from './commands.js';
import { asOf, Explanations } from './explanations.js';
import { fileHeaders } from './host-work.js';
import { artifactList } from './memory-lists.js';
import { listQuery, memoryForm, memoryPage, pageOf } from './paging.js';
import { HttpProblem, notFound } from './problem.js';
import { has, wantedRange } from './range.js';
import { LOG } from './tokens.js';
import { objectBody, queryCount, queryText } from './server.js';
import type { Runtime } from '@berth/runtime';
import { z } from 'zod';
import { bytes, command, Describe, settles } from './describe.js';
import * as parameters from './parameters.js';

const form = listForm('build');
const artifactForm = memoryForm(artifactList);

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
  @Describe({
    summary: 'Builds, newest first unless another order is asked for.', query: parameters.ofList(form), answers: { 200: page(schemas.BuildView) },
    shows: { kinds: ['build'], rows: true },
  })
  async list(@Req() request: FastifyRequest): Promise<Page<BuildView>> {
    const query = listQuery(request, form);
    return pageOf(await this.reads.builds(query, seenBy(request.principal)), query, buildView);
  }

  @Post()
  @Needs('build:write')
  @Describe({
    summary: 'Asks for a build of a plan.', body: command('build-orchestrator', 'RequestBuild'), answers: { 202: schemas.Accepted }, settles: settles.build,
    problems: ['unknown-plan', 'not-allowed', 'unknown-build', 'build-ended', 'name-taken'],
  })
  async request(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const { id } = await this.commands.send('build-orchestrator', 'RequestBuild', forAsker(request.principal, objectBody(request), 'initiator'), commandId(request));
    return accepted(reply, 202, `builds/${id}`, { id });
  }

  @Get(':id')
  @Needs('build:read')
  @Describe({
    summary: 'One build with its steps and artifacts.', query: { generation: z.int().positive().describe('as it was when that one ended; the present one when absent') }, answers: { 200: schemas.BuildView }, problems: ['unknown-build'],
    shows: { kinds: ['build'], one: 'id' },
  })
  async get(@Param('id') id: string, @Req() request: FastifyRequest): Promise<BuildView> {
    const now = await this.found(id);
    const generation = queryCount(request, 'generation', { least: 1, most: Number.MAX_SAFE_INTEGER, otherwise: now.generation });
    if (generation === now.generation) return buildView(now);
    const row = await this.reads.generation(id, generation);
    if (!row) throw new HttpProblem('invalid-data', `The query is refused: the build has no generation ${generation}.`, [{ field: 'generation', message: `must be a number from 1 to ${now.generation}` }]);
    return buildView(row);
  }

  @Get(':id/explanation')
  @Needs('build:read')
  @Describe({ summary: 'Why the lease waits or waited that the build needs.', query: { at: parameters.asOf }, answers: { 200: schemas.LeaseExplanation }, problems: ['unknown-build', 'unknown-lease', 'not-found', 'lease-ended'] })
  explanation(@Param('id') id: string, @Req() request: FastifyRequest): Promise<LeaseExplanation> {
    return this.explanations.ofBuild(id, asOf(queryText(request, 'at')));
  }

  @Post(':id/abort')
  @Needs('build:write')
  @Describe({ summary: 'Ends a build; what it used is cleaned up.', body: command('build-orchestrator', 'AbortBuild', 'build'), answers: { 202: schemas.Accepted }, settles: settles.build, problems: ['unknown-build', 'build-ended'] })
  abort(@Param('id') build: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.tell('AbortBuild', build, {}, request, reply);
  }

  @Post(':id/pause')
  @Needs('build:write')
  @Describe({ summary: 'No further step begins; what runs goes on.', body: command('build-orchestrator', 'PauseBuild', 'build'), answers: { 202: schemas.Accepted }, settles: settles.buildPaused, problems: ['unknown-build', 'build-ended'] })
  pause(@Param('id') build: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.tell('PauseBuild', build, {}, request, reply);
  }

  @Post(':id/resume')
  @Needs('build:write')
  @Describe({ summary: 'Lets a paused build go on.', body: command('build-orchestrator', 'ResumeBuild', 'build'), answers: { 202: schemas.Accepted }, settles: settles.build, problems: ['unknown-build', 'build-ended'] })
  resume(@Param('id') build: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.tell('ResumeBuild', build, {}, request, reply);
  }

  @Post(':id/restart')
  @Needs('build:write')
  @Describe({
    summary: 'Begins a new generation of a build; one that is under way is ended first.', body: command('build-orchestrator', 'RestartBuild', 'build'), answers: { 202: schemas.Accepted }, settles: settles.build,
    problems: ['unknown-build', 'not-restartable', 'build-ended'],
  })
  restart(@Param('id') build: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.tell('RestartBuild', build, {}, request, reply);
  }

  @Post(':id/steps/:step/rerun')
  @Needs('build:write')
  @Describe({
    summary: 'Runs a step that is over once more, with all that build on it.', body: command('build-orchestrator', 'RerunStep', 'build', 'step'), answers: { 202: schemas.Accepted }, settles: settles.build,
    problems: ['unknown-build', 'unknown-step', 'step-not-over', 'not-restartable', 'build-ended'],
  })
  rerun(@Param('id') build: string, @Param('step') step: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.tell('RerunStep', build, { step }, request, reply);
  }

  /** Reports on a step from outside, or decides on one that waits for an approval. */
  @Post(':id/steps/:step/messages')
  @Needs('build:write')
  @Describe({
    summary: 'Reports on a step that waits for a message, or decides on one that waits for an approval.', body: command('build-orchestrator', 'SendBuildMessage', 'build', 'step'), answers: { 202: schemas.Accepted },
    settles: settles.build, problems: ['unknown-build', 'unknown-step', 'step-ended', 'not-allowed', 'build-ended'],
  })
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
  @Describe({
    summary: 'What a build has left, with its hosts and working copies.', query: parameters.ofList(artifactForm), answers: { 200: page(schemas.ArtifactView) }, problems: ['unknown-build'], shows: { kinds: ['build'], one: 'id' },
  })
  async artifacts(@Param('id') id: string, @Req() request: FastifyRequest): Promise<Page<ArtifactView>> {
    const query = listQuery(request, artifactForm);
    const row = await this.found(id);
    return memoryPage([...leasedArtifacts(row), ...row.artifacts.map(artifactView)], artifactList, query);
  }

  @Get(':id/artifacts/*')
  @Needs('build:read')
  @Describe({
    summary: 'The bytes of an artifact. `Range` (one), `If-Range` and `If-None-Match` are understood.', query: { generation: z.int().positive().describe('the newest when absent') },
    answers: { 200: bytes('the artifact'), 206: bytes('a part of it'), 303: 'It is elsewhere: `Location` says where.', 304: 'Whoever asks has it.' }, problems: ['unknown-build', 'not-found', 'range-not-satisfiable'],
  })
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
