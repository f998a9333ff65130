import { Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { page, schemas, type ActionView, type FileView, type Page } from '@berth/client';
import { Needs } from '../access/needs.js';
import { commandId } from './commands.js';
import { HostWork } from './host-work.js';
import { queryCount, queryFlag, queryText } from './server.js';
import { underLease } from './bodies.js';
import { bytes, Describe } from './describe.js';
import * as parameters from './parameters.js';

const problems = [...underLease, 'path-outside', 'not-found'] as const;

/** The folder of a lease. */
@Controller('api/v1/leases/:id/files')
export class LeaseFilesController {
  constructor(@Inject(HostWork) private readonly work: HostWork) {}

  /** What is in a folder, by name; the cursor is the last name. */
  @Get()
  @Needs('lease:exec')
  @Describe({
    summary: 'What is in a folder, by name; the cursor is the last name.', query: { path: parameters.path.describe('the folder of the lease itself when absent'), limit: parameters.limit.describe('so many at most; 500 when absent'), cursor: parameters.cursor },
    answers: { 200: page(schemas.FileView) }, problems,
  })
  async list(@Param('id') lease: string, @Req() request: FastifyRequest): Promise<Page<FileView>> {
    const after = queryText(request, 'cursor');
    const limit = queryCount(request, 'limit', { least: 1, most: 1000, otherwise: 500 });
    const { items, more } = (await this.work.look(lease, 'ListFiles', { path: queryText(request, 'path') ?? '.', limit, ...(after !== undefined && { after }) }, commandId(request))) as { items: FileView[]; more: boolean };
    return { items, cursor: more ? (items.at(-1)?.name ?? null) : null };
  }

  /** What one path is; a link is not followed. */
  @Get('stat')
  @Needs('lease:exec')
  @Describe({ summary: 'What one path is; a link is not followed.', query: { path: parameters.path }, answers: { 200: schemas.FileView }, problems })
  async stat(@Param('id') lease: string, @Req() request: FastifyRequest): Promise<FileView> {
    return (await this.work.look(lease, 'StatFile', { path: queryText(request, 'path') }, commandId(request))) as unknown as FileView;
  }

  @Get('content')
  @Needs('lease:exec')
  @Describe({ summary: 'The bytes of a file.', query: { path: parameters.path }, answers: { 200: bytes('the file') }, problems })
  async read(@Param('id') lease: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.work.fetch(lease, queryText(request, 'path'), commandId(request), reply, 'not-found');
  }

  @Put('content')
  @Needs('lease:exec')
  @Describe({ summary: 'Puts a file into the folder of the lease; answered when it is there.', query: { path: parameters.path, mode: parameters.mode }, body: bytes('the file, up to 1 GiB'), answers: { 200: schemas.ActionView }, problems })
  write(@Param('id') lease: string, @Req() request: FastifyRequest): Promise<ActionView> {
    return this.work.put(lease, queryText(request, 'path'), queryText(request, 'mode'), request, commandId(request));
  }

  @Delete()
  @Needs('lease:exec')
  @Describe({ summary: 'Removes a file, a link or a folder; answered when it is gone.', query: { path: parameters.path, recursive: parameters.flag.describe('a folder with all that is in it') }, answers: { 200: schemas.ActionView }, problems })
  remove(@Param('id') lease: string, @Req() request: FastifyRequest): Promise<ActionView> {
    return this.work.change(lease, { kind: 'remove-file', path: queryText(request, 'path'), recursive: queryFlag(request, 'recursive') }, request, commandId(request));
  }

  @Post('folder')
  @Needs('lease:exec')
  @HttpCode(200)
  @Describe({ summary: 'Makes a folder, with those above it; answered when it is there.', query: { path: parameters.path }, answers: { 200: schemas.ActionView }, problems })
  folder(@Param('id') lease: string, @Req() request: FastifyRequest): Promise<ActionView> {
    return this.work.change(lease, { kind: 'make-folder', path: queryText(request, 'path') }, request, commandId(request));
  }
}
