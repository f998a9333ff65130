import { Controller, Get, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ActionView, LeaseView, Page } from '@berth/client';
import { leaseView } from '../views/lease.js';
import { Reads } from '../views/reads.js';
import { accepted, commandId, Commands } from './commands.js';
import { HostWork } from './host-work.js';
import { listQuery } from './paging.js';
import { notFound } from './problem.js';
import { objectBody, queryText } from './server.js';

const statuses = ['pending', 'acquired', 'active', 'released', 'broken', 'destroyed'] as const satisfies readonly LeaseView['status'][];

/** Leases, and what is done with them. */
@Controller('api/v1/leases')
export class LeasesController {
  constructor(
    @Inject(Reads) private readonly reads: Reads,
    @Inject(Commands) private readonly commands: Commands,
    @Inject(HostWork) private readonly work: HostWork,
  ) {}

  @Get()
  async list(@Req() request: FastifyRequest): Promise<Page<LeaseView>> {
    const page = await this.reads.leases(listQuery(request, statuses, ['owner', 'type']));
    return { ...page, items: page.items.map(leaseView) };
  }

  @Post()
  async request(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const { id } = await this.commands.send('lease', 'RequestLease', objectBody(request), commandId(request));
    return accepted(reply, 202, `leases/${id}`, { id });
  }

  @Get(':id')
  async get(@Param('id') id: string): Promise<LeaseView> {
    const row = await this.reads.lease(id);
    if (!row) throw notFound('unknown-lease', `lease ${JSON.stringify(id)}`, '/api/v1/leases');
    return leaseView(row);
  }

  @Post(':id/renew')
  async renew(@Param('id') lease: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    await this.commands.send('lease', 'RenewLease', { ...objectBody(request), lease }, commandId(request));
    return accepted(reply, 202, `leases/${lease}`, { id: lease });
  }

  @Post(':id/release')
  async release(@Param('id') lease: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    await this.commands.send('lease', 'ReleaseLease', { ...objectBody(request), lease }, commandId(request));
    return accepted(reply, 202, `leases/${lease}`, { id: lease });
  }

  @Post(':id/exec')
  async exec(@Param('id') lease: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const id = await this.work.exec(lease, objectBody(request), commandId(request));
    return accepted(reply, 202, `actions/${id}`, { id });
  }

  @Post(':id/put')
  @HttpCode(200)
  put(@Param('id') lease: string, @Req() request: FastifyRequest): Promise<ActionView> {
    return this.work.put(lease, queryText(request, 'path'), queryText(request, 'mode'), request, commandId(request));
  }

  @Post(':id/get')
  async fetch(@Param('id') lease: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.work.fetch(lease, objectBody(request)['path'], commandId(request), reply);
  }
}
