import { Controller, Delete, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';
import { TooLargeError } from '@berth/artifacts';
import { artifactBucket } from '@berth/nats';
import { DEFAULT_ARTIFACT_LIMIT, type Runtime } from '@berth/runtime';
import { saidBy } from '../access/asks.js';
import { Needs } from '../access/needs.js';
import { Objects } from '../live/objects.js';
import { Reads } from '../views/reads.js';
import { accepted, commandId, Commands } from './commands.js';
import { HttpProblem, notFound } from './problem.js';
import { objectBody, queryText } from './server.js';
import { RUNTIME } from './tokens.js';
import { z } from 'zod';
import { schemas } from '@berth/client';
import { artifactType } from '@berth/contracts';
import { bytes, command, Describe } from './describe.js';

/** Artifacts that come from outside a build, or leave it. */
@Controller('api/v1/builds')
export class ArtifactsController {
  constructor(
    @Inject(Commands) private readonly commands: Commands,
    @Inject(Reads) private readonly reads: Reads,
    @Inject(Objects) private readonly objects: Objects,
    @Inject(RUNTIME) private readonly runtime: Runtime,
  ) {}

  /** A link as JSON {name, type, uri}; or a file as application/octet-stream with `?name=` and `?type=`. */
  @Post(':id/artifacts')
  @Needs('build:write')
  @Describe({
    summary: 'Adds an artifact to a build: a link as JSON, or a file with its name in the query.', query: { name: z.string().max(800), type: artifactType }, answers: { 201: schemas.Accepted },
    body: [command('build-orchestrator', 'AddArtifact', 'build', 'file'), bytes('the file')], problems: ['unknown-build', 'name-taken', 'build-ended'],
  })
  async add(@Param('id') build: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const id = commandId(request);
    const body = request.body as Readable | undefined;
    if (typeof body === 'object' && body !== null && 'pipe' in body) await this.addFile(build, body, id, request);
    else await this.commands.send('build-orchestrator', 'AddArtifact', { ...saidBy(request.principal, objectBody(request)), build }, id);
    return accepted(reply, 201, `builds/${build}/artifacts`, { id: build });
  }

  /** Stored under a name of its own, so that it can never take the place of what the build has kept; a refusal leaves nothing. */
  private async addFile(build: string, body: Readable, id: string, request: FastifyRequest): Promise<void> {
    const [name, type] = [queryText(request, 'name'), queryText(request, 'type') ?? 'file'];
    if (!(await this.reads.build(build))) throw notFound('unknown-build', `build ${JSON.stringify(build)}`, '/api/v1/builds');
    const object = `${build}/added/${id}`;
    const maxBytes = this.runtime.config.artifactLimit ?? DEFAULT_ARTIFACT_LIMIT;
    let file;
    try {
      file = await this.objects.keep(object, body, maxBytes);
    } catch (error) {
      if (error instanceof TooLargeError) throw new HttpProblem('too-large', `The artifact is too large: at most ${maxBytes} bytes.`);
      throw error;
    }
    try {
      await this.commands.send('build-orchestrator', 'AddArtifact', saidBy(request.principal, { build, name, type, file: { object, ...file } }), id);
    } catch (error) {
      // Without an answer it may have been added: then its bytes must stay.
      if (error instanceof HttpProblem && error.code !== 'unavailable') await this.objects.delete(artifactBucket, object);
      throw error;
    }
  }

  @Post(':id/artifacts/pin')
  @Needs('build:write')
  @Describe({ summary: 'A pinned artifact is kept whatever its plan says.', body: command('build-orchestrator', 'PinArtifact', 'build'), answers: { 202: schemas.Accepted }, problems: ['unknown-build', 'not-found'] })
  async pin(@Param('id') build: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    await this.commands.send('build-orchestrator', 'PinArtifact', { ...objectBody(request), build }, commandId(request));
    return accepted(reply, 202, `builds/${build}/artifacts`, { id: build });
  }

  @Delete(':id/artifacts/*')
  @Needs('build:write')
  @Describe({ summary: 'Removes an artifact, of every generation.', query: { reason: z.string().max(256) }, answers: { 202: schemas.Accepted }, problems: ['unknown-build', 'not-found'] })
  async release(@Param('id') build: string, @Param('*') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    await this.commands.send('build-orchestrator', 'ReleaseArtifact', { build, name, ...(queryText(request, 'reason') !== undefined && { reason: queryText(request, 'reason') }) }, commandId(request));
    return accepted(reply, 202, `builds/${build}/artifacts`, { id: build });
  }
}
