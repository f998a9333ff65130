import { Controller, Delete, Get, Inject, Param, Post, Put, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { page, schemas, type ImageVersionView, type LineageView, type Page } from '@berth/client';
import { imageTarget, type CommandType, type ImageTarget } from '@berth/contracts';
import { artifactBucket } from '@berth/nats';
import { Needs } from '../access/needs.js';
import { Objects } from '../live/objects.js';
import { pour } from '../live/pour.js';
import { Images } from '../views/images.js';
import { listForm } from '../views/lists.js';
import { nothing } from './bodies.js';
import { accepted, commandId, Commands } from './commands.js';
import { command, Describe, settles } from './describe.js';
import { fileHeaders } from './host-work.js';
import { ofVersion, removed, showsImages, stays, unusable } from './image-answers.js';
import { unknownVersion, versionIn } from './image-names.js';
import { listQuery, pageOf } from './paging.js';
import * as parameters from './parameters.js';
import { HttpProblem, notFound } from './problem.js';
import { objectBody, queryFlag, queryText } from './server.js';
import { LOG, type Log } from './tokens.js';

const form = listForm('image_version');
const SPDX = 'application/spdx+json';
const target = { target: imageTarget };
const cascade = { cascade: parameters.flag.describe('with what was pushed of it') };

/** Versions of images. In a path, a version is its id, `IMAGE@NUMBER` or `IMAGE:CHANNEL`. */
@Controller('api/v1/versions')
export class VersionsController {
  constructor(
    @Inject(Images) private readonly images: Images,
    @Inject(Commands) private readonly commands: Commands,
    @Inject(Objects) private readonly objects: Objects,
    @Inject(LOG) private readonly log: Log,
  ) {}

  @Get()
  @Needs('images:read')
  @Describe({ summary: 'Versions of images, newest first unless another order is asked for: those that are offered, or all.', query: parameters.ofList(form), answers: { 200: page(schemas.ImageVersionView) }, shows: showsImages })
  async list(@Req() request: FastifyRequest): Promise<Page<ImageVersionView>> {
    const query = listQuery(request, form);
    return pageOf(await this.images.versions(query), query, (version) => version);
  }

  @Get(':id')
  @Needs('images:read')
  @Describe({ summary: 'One version, by its id, as `IMAGE@NUMBER` or as `IMAGE:CHANNEL`.', answers: { 200: schemas.ImageVersionView }, problems: ['unknown-version'], shows: showsImages })
  async get(@Param('id') id: string): Promise<ImageVersionView> {
    const version = await this.images.version(id);
    if (!version) throw unknownVersion(id);
    return version;
  }

  @Get(':id/lineage')
  @Needs('images:read')
  @Describe({ summary: 'What a version is made of, and what is made of it.', answers: { 200: schemas.LineageView }, problems: ['unknown-version'], shows: showsImages })
  async lineage(@Param('id') id: string): Promise<LineageView> {
    const lineage = await this.images.lineage(id);
    if (!lineage) throw unknownVersion(id);
    return lineage;
  }

  @Get(':id/sbom')
  @Needs('images:read')
  @Describe({
    summary: 'What a version consists of: SPDX 2.3 as JSON.', query: { target: imageTarget.describe('the first that has one when absent') },
    answers: { 200: { types: [SPDX], what: 'the bill of materials' } }, problems: ['unknown-version', 'not-found'],
  })
  async sbom(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const asked = queryText(request, 'target');
    const found = await this.images.sbom(id, asked === undefined ? undefined : targetIn(asked));
    if (found === undefined) throw unknownVersion(id);
    if (found === null) throw notFound('not-found', `bill of materials of this version${asked === undefined ? '' : ` for ${asked}`}`, `/api/v1/versions/${id}`);
    const { file: { object: name, bytes, sha256 }, version } = found;
    const object = await this.objects.open(artifactBucket, name);
    if (!object) throw new HttpProblem('not-found', 'The bytes of the bill of materials are no longer kept.');
    if (object.bytes !== bytes || (object.sha256 ?? sha256) !== sha256) throw new HttpProblem('internal', 'The bytes that are stored for the bill of materials are not those that the build kept.');
    const headers = { 'Content-Type': SPDX, ...fileHeaders(`${version.image}-${version.number}-${found.target}.spdx.json`, { bytes, sha256 }) };
    await pour(reply, headers, (signal) => object.read(undefined, signal), this.log);
  }

  @Post(':id/push')
  @Needs('images:write')
  @Describe({
    summary: 'Pushes a version to accounts; what has failed is tried again.', body: command('image-factory', 'PushImage', 'version'), answers: { 202: schemas.Accepted }, settles: settles.push,
    problems: [...ofVersion, ...unusable, 'unknown-account', 'target-not-built', 'push-live'],
  })
  push(@Param('id') id: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.tell('PushImage', id, objectBody(request), request, reply);
  }

  @Post(':id/push-all')
  @Needs('images:write')
  @Describe({
    summary: 'Pushes a version to every account of its environment whose target is built.', body: nothing, answers: { 202: schemas.Accepted }, settles: settles.push,
    problems: [...ofVersion, ...unusable, 'version-outdated', 'target-not-built', 'push-live'],
  })
  pushAll(@Param('id') id: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.tell('PushAll', id, {}, request, reply);
  }

  @Post(':id/abort')
  @Needs('images:build')
  @Describe({ summary: 'Ends what is being built of a version: those targets have failed.', body: command('image-factory', 'AbortVersion', 'version'), answers: { 202: schemas.Accepted }, settles: settles.version, problems: [...ofVersion, 'target-not-there'] })
  abort(@Param('id') id: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.tell('AbortVersion', id, objectBody(request), request, reply);
  }

  @Post(':id/targets/:target/rebuild')
  @Needs('images:build')
  @Describe({
    summary: 'Builds a target once more that has failed, alone.', params: target, body: nothing, answers: { 202: schemas.Accepted }, settles: settles.version,
    problems: [...ofVersion, ...unusable, 'target-live', 'target-not-failed', 'target-not-there', 'unbuildable-target', 'version-imported'],
  })
  rebuild(@Param('id') id: string, @Param('target') of: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.tell('RebuildTarget', id, { target: targetIn(of) }, request, reply);
  }

  @Delete(':id')
  @Needs('images:write')
  @Describe({ summary: 'Removes a version.', query: { cascade: parameters.flag.describe('with what was built and pushed of it') }, answers: { 202: schemas.RemovedView }, problems: [...ofVersion, ...stays] })
  remove(@Param('id') id: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.takeAway('DeleteVersion', id, { cascade: queryFlag(request, 'cascade') }, request, reply);
  }

  @Delete(':id/targets/:target')
  @Needs('images:write')
  @Describe({ summary: 'Removes what was built for a target.', params: target, query: cascade, answers: { 202: schemas.RemovedView }, problems: [...ofVersion, ...stays, 'target-not-there'] })
  removeTarget(@Param('id') id: string, @Param('target') of: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.takeAway('DeleteTargetImage', id, { target: targetIn(of), cascade: queryFlag(request, 'cascade') }, request, reply);
  }

  @Delete(':id/accounts/:account')
  @Needs('images:write')
  @Describe({ summary: 'Removes what was pushed to an account; what could not be removed is tried again.', answers: { 202: schemas.RemovedView }, problems: [...ofVersion, ...stays, 'unknown-account', 'not-pushed'] })
  removePushed(@Param('id') id: string, @Param('account') account: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.takeAway('DeleteProviderImage', id, { account }, request, reply);
  }

  @Post(':id/revoke')
  @Needs('images:write')
  @Describe({
    summary: 'Takes a version out of use, at once or later: channels that point at it go back.', body: command('image-factory', 'RevokeVersion', 'version'), answers: { 202: schemas.Accepted }, problems: [...ofVersion, 'version-revoked', 'no-version-before'],
  })
  revoke(@Param('id') id: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.tell('RevokeVersion', id, objectBody(request), request, reply);
  }

  @Post(':id/restore')
  @Needs('images:write')
  @Describe({ summary: 'Takes back the revocation of a version.', body: command('image-factory', 'RestoreVersion', 'version'), answers: { 202: schemas.Accepted }, problems: [...ofVersion, 'version-not-revoked', 'version-revoked'] })
  restore(@Param('id') id: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.tell('RestoreVersion', id, objectBody(request), request, reply);
  }

  @Post(':id/mark')
  @Needs('images:write')
  @Describe({ summary: 'Says whether a version is offered and may be launched.', body: command('image-factory', 'MarkVersion', 'version'), answers: { 202: schemas.Accepted }, problems: [...ofVersion, 'version-in-use'] })
  mark(@Param('id') id: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.tell('MarkVersion', id, objectBody(request), request, reply);
  }

  @Put(':id/labels')
  @Needs('images:build')
  @Describe({ summary: 'Sets the labels of a version that is not complete.', body: command('image-factory', 'SetLabels', 'version'), answers: { 202: schemas.Accepted }, problems: [...ofVersion, 'labels-frozen'] })
  label(@Param('id') id: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.tell('SetLabels', id, objectBody(request), request, reply);
  }

  @Put(':id/attributes')
  @Needs('images:write')
  @Describe({ summary: 'Sets attributes of what the warehouse holds of a version; an empty value takes one away.', body: command('image-factory', 'SetAttributes', 'version'), answers: { 202: schemas.Accepted }, problems: ofVersion })
  attributes(@Param('id') id: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.tell('SetAttributes', id, objectBody(request), request, reply);
  }

  private async tell(type: CommandType<'image-factory'>, name: string, data: Record<string, unknown>, request: FastifyRequest, reply: FastifyReply) {
    const version = await versionIn(this.images, name);
    await this.commands.send('image-factory', type, { ...data, version }, commandId(request));
    return accepted(reply, 202, `versions/${version}`, { id: version });
  }

  private async takeAway(type: CommandType<'image-factory'>, name: string, data: Record<string, unknown>, request: FastifyRequest, reply: FastifyReply) {
    const version = await versionIn(this.images, name);
    const answer = await this.commands.send('image-factory', type, { ...data, version }, commandId(request));
    return removed(reply, `versions/${version}`, version, answer.data);
  }
}

/** A target in a path or a query. */
function targetIn(text: string): ImageTarget {
  const parsed = imageTarget.safeParse(text);
  if (parsed.success) return parsed.data;
  const message = `use one of ${imageTarget.options.join(', ')}`;
  throw new HttpProblem('invalid-data', `The request is refused: there is no target ${JSON.stringify(text)}.`, [{ field: 'target', message }]);
}
