import { Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ActionView, FileView, Page } from '@berth/client';
import { Needs } from '../access/needs.js';
import { commandId } from './commands.js';
import { HostWork } from './host-work.js';
import { queryCount, queryFlag, queryText } from './server.js';

/** The folder of a lease. */
@Controller('api/v1/leases/:id/files')
export class LeaseFilesController {
  constructor(@Inject(HostWork) private readonly work: HostWork) {}

  /** What is in a folder, by name; the cursor is the last name. */
  @Get()
  @Needs('lease:exec')
  async list(@Param('id') lease: string, @Req() request: FastifyRequest): Promise<Page<FileView>> {
    const after = queryText(request, 'cursor');
    const limit = queryCount(request, 'limit', { least: 1, most: 1000, otherwise: 500 });
    const { items, more } = (await this.work.look(lease, 'ListFiles', { path: queryText(request, 'path') ?? '.', limit, ...(after !== undefined && { after }) }, commandId(request))) as { items: FileView[]; more: boolean };
    return { items, cursor: more ? (items.at(-1)?.name ?? null) : null };
  }

  /** What one path is; a link is not followed. */
  @Get('stat')
  @Needs('lease:exec')
  async stat(@Param('id') lease: string, @Req() request: FastifyRequest): Promise<FileView> {
    return (await this.work.look(lease, 'StatFile', { path: queryText(request, 'path') }, commandId(request))) as unknown as FileView;
  }

  @Get('content')
  @Needs('lease:exec')
  async read(@Param('id') lease: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.work.fetch(lease, queryText(request, 'path'), commandId(request), reply, 'not-found');
  }

  @Put('content')
  @Needs('lease:exec')
  write(@Param('id') lease: string, @Req() request: FastifyRequest): Promise<ActionView> {
    return this.work.put(lease, queryText(request, 'path'), queryText(request, 'mode'), request, commandId(request));
  }

  @Delete()
  @Needs('lease:exec')
  remove(@Param('id') lease: string, @Req() request: FastifyRequest): Promise<ActionView> {
    return this.work.change(lease, { kind: 'remove-file', path: queryText(request, 'path'), recursive: queryFlag(request, 'recursive') }, request, commandId(request));
  }

  @Post('folder')
  @Needs('lease:exec')
  @HttpCode(200)
  folder(@Param('id') lease: string, @Req() request: FastifyRequest): Promise<ActionView> {
    return this.work.change(lease, { kind: 'make-folder', path: queryText(request, 'path') }, request, commandId(request));
  }
}
