import { Controller, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ArtifactView, BuildView, LeaseExplanation, Page } from '@berth/client';
import { artifactBucket } from '@berth/nats';
import { Objects } from '../live/objects.js';
import { pour } from '../live/pour.js';
import { artifactView, buildView, type BuildRow } from '../views/build.js';
import { Reads } from '../views/reads.js';
import { accepted, commandId, Commands } from './commands.js';
import { asOf, Explanations } from './explanations.js';
import { fileHeaders } from './host-work.js';
import { listQuery } from './paging.js';
import { HttpProblem, notFound } from './problem.js';
import { LOG } from './tokens.js';
import { objectBody, queryText } from './server.js';
import type { Runtime } from '@berth/runtime';

const statuses = ['pending', 'preparing', 'building', 'passed', 'failed', 'aborted', 'error'] as const satisfies readonly BuildView['status'][];

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

  @Get(':id/artifacts')
  async artifacts(@Param('id') id: string): Promise<Page<ArtifactView>> {
    return { items: (await this.found(id)).artifacts.map(artifactView), cursor: null };
  }

  @Get(':id/artifacts/:name')
  async artifact(@Param('id') id: string, @Param('name') name: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const kept = (await this.found(id)).artifacts.find((one) => one.name === name);
    if (!kept) throw notFound('not-found', `artifact ${JSON.stringify(name)} of this build`, `/api/v1/builds/${id}/artifacts`);
    const headers = { 'Content-Type': 'application/octet-stream', ...fileHeaders(kept.name, kept) };
    const tag = `"${kept.sha256}"`;
    if (request.headers['if-none-match'] === tag) return void reply.code(304).header('ETag', tag).send();
    const object = await this.objects.open(artifactBucket, kept.object);
    if (!object) throw new HttpProblem('not-found', `The bytes of artifact ${JSON.stringify(name)} are no longer kept.`);
    await pour(reply, headers, (signal) => object.read(signal), this.log);
  }

  private async found(id: string): Promise<BuildRow> {
    const row = await this.reads.build(id);
    if (!row) throw notFound('unknown-build', `build ${JSON.stringify(id)}`, '/api/v1/builds');
    return row;
  }
}
