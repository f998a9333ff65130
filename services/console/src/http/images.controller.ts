import { Controller, Delete, Get, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { page, schemas, type ImageBoard, type ImageView, type Page } from '@berth/client';
import { Needs } from '../access/needs.js';
import { Images } from '../views/images.js';
import { listForm } from '../views/lists.js';
import { nothing } from './bodies.js';
import { accepted, commandId, Commands } from './commands.js';
import { command, Describe, settles } from './describe.js';
import { removed, showsImages, stays } from './image-answers.js';
import { unknownImage } from './image-names.js';
import { nameIn } from './names.js';
import { listQuery, pageOf } from './paging.js';
import * as parameters from './parameters.js';
import type { ProblemCode } from './problem.js';
import { objectBody, queryFlag } from './server.js';

const form = listForm('image');
const known = (name: string): string => nameIn(name, unknownImage);
/** Why no version is begun; what it is made of may be why. */
const unbuildable = ['unknown-image', 'unknown-channel', 'unbuildable-target', 'version-not-complete', 'version-revoked'] as const satisfies readonly ProblemCode[];

/** Images: templates, and what is built of them. */
@Controller('api/v1/images')
export class ImagesController {
  constructor(
    @Inject(Images) private readonly images: Images,
    @Inject(Commands) private readonly commands: Commands,
  ) {}

  @Get()
  @Needs('images:read')
  @Describe({ summary: 'Images, by name unless another order is asked for.', query: parameters.ofList(form), answers: { 200: page(schemas.ImageView) }, shows: showsImages })
  async list(@Req() request: FastifyRequest): Promise<Page<ImageView>> {
    const query = listQuery(request, form);
    return pageOf(await this.images.list(query), query, (image) => image);
  }

  @Post()
  @Needs('images:write')
  @Describe({
    summary: 'Saves an image under the name in its template; the same again is no new revision.', writes: { at: '/api/v1/images/:name', kind: 'image' }, body: command('image-factory', 'SaveImage'), answers: { 201: schemas.AcceptedVersion },
    problems: ['invalid-template', 'unbuildable-target', 'unknown-catalog-entry', 'unknown-account', 'unknown-image', 'unknown-channel', 'name-taken'],
  })
  async save(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const { id, data } = await this.commands.send('image-factory', 'SaveImage', objectBody(request), commandId(request));
    const name = typeof data['name'] === 'string' ? data['name'] : id;
    return accepted(reply, 201, `images/${name}`, { id: name, name, version: typeof data['revision'] === 'number' ? data['revision'] : null });
  }

  @Post('validate')
  @HttpCode(200)
  @Needs('images:read')
  @Describe({ summary: 'Reads the template of an image and saves nothing.', body: command('image-factory', 'ValidateTemplate'), answers: { 200: schemas.ValidTemplate }, problems: ['invalid-template', 'unbuildable-target'] })
  async validate(@Req() request: FastifyRequest) {
    return (await this.commands.send('image-factory', 'ValidateTemplate', objectBody(request), commandId(request))).data;
  }

  @Post('import')
  @Needs('images:write')
  @Describe({
    summary: 'Takes in an image that a provider has already, as a version that is complete; the id of the answer is that of the version.', body: command('image-factory', 'ImportImage'), answers: { 201: schemas.Accepted },
    problems: ['unknown-account', 'provider-refused', 'name-taken'],
  })
  async import(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const { id } = await this.commands.send('image-factory', 'ImportImage', objectBody(request), commandId(request));
    return accepted(reply, 201, `versions/${id}`, { id });
  }

  @Get(':name')
  @Needs('images:read')
  @Describe({ summary: 'One image.', answers: { 200: schemas.ImageView }, problems: ['unknown-image'], shows: showsImages })
  async get(@Param('name') name: string): Promise<ImageView> {
    const image = await this.images.image(known(name));
    if (!image) throw unknownImage(name);
    return image;
  }

  @Delete(':name')
  @Needs('images:write')
  @Describe({
    summary: 'Removes an image.', query: { cascade: parameters.flag.describe('with its versions, and what was pushed of them') }, answers: { 202: schemas.RemovedView },
    problems: ['unknown-image', 'image-in-use', 'channel-in-use', ...stays],
  })
  async remove(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const { data } = await this.commands.send('image-factory', 'RemoveImage', { image: known(name), cascade: queryFlag(request, 'cascade') }, commandId(request));
    return removed(reply, 'images', name, data);
  }

  @Get(':name/board')
  @Needs('images:read')
  @Describe({ summary: 'What is built of an image, for which accounts, and the one thing that can be done about each.', answers: { 200: schemas.ImageBoard }, problems: ['unknown-image'], shows: showsImages })
  async board(@Param('name') name: string): Promise<ImageBoard> {
    const board = await this.images.board(known(name));
    if (!board) throw unknownImage(name);
    return board;
  }

  @Post(':name/build')
  @Needs('images:build')
  @Describe({
    summary: 'Builds a version of an image; the id of the answer is that of the version.', body: command('image-factory', 'BuildImage', 'image'), answers: { 202: schemas.Accepted }, settles: settles.version, problems: unbuildable,
  })
  build(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.begin({ ...objectBody(request), image: known(name) }, request, reply);
  }

  @Post(':name/build-all')
  @Needs('images:build')
  @Describe({ summary: 'Builds a version for all targets that the template and the environment have.', body: nothing, answers: { 202: schemas.Accepted }, settles: settles.version, problems: unbuildable })
  buildAll(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.begin({ image: known(name) }, request, reply);
  }

  private async begin(data: Record<string, unknown>, request: FastifyRequest, reply: FastifyReply) {
    const { id } = await this.commands.send('image-factory', 'BuildImage', data, commandId(request));
    return accepted(reply, 202, `versions/${id}`, { id });
  }
}
