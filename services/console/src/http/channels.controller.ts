import { Controller, Delete, Get, Inject, Param, Post, Put, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { page, schemas, type ChannelView, type Page } from '@berth/client';
import { Needs } from '../access/needs.js';
import { Images } from '../views/images.js';
import { listForm } from '../views/lists.js';
import { accepted, commandId, Commands } from './commands.js';
import { command, Describe, settles } from './describe.js';
import { ofVersion, showsImages, unusable } from './image-answers.js';
import { badChannel, channelIn, unknownChannel, versionRef, withVersions } from './image-names.js';
import { listQuery, pageOf } from './paging.js';
import * as parameters from './parameters.js';
import { objectBody } from './server.js';

const form = listForm('channel');
const reason = z.string().min(1).max(1024).optional();
const assignment = z.object({ version: versionRef, reason, retest: z.boolean().default(false).describe('try the test again that the version has failed') }).describe('Where it is to point.');
const rollback = z.object({ from: versionRef.optional().describe('only if it still points at this one'), to: versionRef.optional().describe('the one before it that may be used when absent'), reason }).describe('Where it is to point again.');

/** Channels of images, named `IMAGE:CHANNEL`. */
@Controller('api/v1/channels')
export class ChannelsController {
  constructor(
    @Inject(Images) private readonly images: Images,
    @Inject(Commands) private readonly commands: Commands,
  ) {}

  @Get()
  @Needs('images:read')
  @Describe({ summary: 'Channels of images, by name unless another order is asked for.', query: parameters.ofList(form), answers: { 200: page(schemas.ChannelView) }, shows: showsImages })
  async list(@Req() request: FastifyRequest): Promise<Page<ChannelView>> {
    const query = listQuery(request, form);
    return pageOf(await this.images.channels(query), query, (channel) => channel);
  }

  @Get(':name')
  @Needs('images:read')
  @Describe({ summary: 'One channel, as `IMAGE:CHANNEL`, with where it pointed.', answers: { 200: schemas.ChannelView }, problems: ['unknown-channel'], shows: showsImages })
  async get(@Param('name') name: string): Promise<ChannelView> {
    channelIn(name);
    const channel = await this.images.channel(name);
    if (!channel) throw unknownChannel(name);
    return channel;
  }

  @Put(':name')
  @Needs('images:write')
  @Describe({ summary: 'Makes or changes a channel of an image.', writes: { at: '/api/v1/channels/:name', kind: 'image' }, body: command('image-factory', 'SaveChannel', 'image', 'channel'), answers: { 201: schemas.AcceptedName }, problems: ['unknown-image', 'unknown-plan'] })
  async set(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    await this.commands.send('image-factory', 'SaveChannel', { ...objectBody(request), ...channelIn(name, badChannel) }, commandId(request));
    return accepted(reply, 201, `channels/${name}`, { id: name, name });
  }

  @Delete(':name')
  @Needs('images:write')
  @Describe({ summary: 'Removes a channel that no live host was booted from.', answers: { 202: schemas.AcceptedName }, problems: ['unknown-image', 'unknown-channel', 'channel-in-use'] })
  async remove(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    await this.commands.send('image-factory', 'RemoveChannel', channelIn(name), commandId(request));
    return accepted(reply, 202, 'channels', { id: name, name });
  }

  @Post(':name/assign')
  @Needs('images:write')
  @Describe({
    summary: 'Points a channel at a version, once it has passed the test of the channel.', body: assignment, answers: { 202: schemas.Accepted }, settles: settles.channel,
    problems: [...ofVersion, ...unusable, 'unknown-image', 'unknown-channel', 'version-not-complete', 'test-failed', 'unknown-plan'],
  })
  async assign(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const channel = channelIn(name);
    await this.commands.send('image-factory', 'AssignChannel', { ...(await withVersions(this.images, objectBody(request), 'version')), ...channel }, commandId(request));
    return accepted(reply, 202, `channels/${name}`, { id: name });
  }

  @Post(':name/rollback')
  @Needs('images:write')
  @Describe({
    summary: 'Points a channel at a version that it pointed at before.', body: rollback, answers: { 202: schemas.Accepted }, settles: settles.channel,
    problems: [...ofVersion, ...unusable, 'unknown-image', 'unknown-channel', 'no-version-before', 'channel-moved', 'version-not-complete'],
  })
  async rollback(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const channel = channelIn(name);
    await this.commands.send('image-factory', 'RollbackChannel', { ...(await withVersions(this.images, objectBody(request), 'from', 'to')), ...channel }, commandId(request));
    return accepted(reply, 202, `channels/${name}`, { id: name });
  }
}
