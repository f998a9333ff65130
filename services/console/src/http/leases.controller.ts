import { Controller, Get, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ActionView, LeaseExplanation, LeaseView, Page } from '@berth/client';
import type { Explanation } from '@berth/contracts';
import { Fleet } from '../views/fleet.js';
import { leaseView, type LeaseRow } from '../views/lease.js';
import { Reads } from '../views/reads.js';
import { accepted, commandId, Commands } from './commands.js';
import { asOf, Explanations } from './explanations.js';
import { HostWork } from './host-work.js';
import { listQuery } from './paging.js';
import { notFound } from './problem.js';
import { objectBody, queryFlag, queryText } from './server.js';

const statuses = ['pending', 'acquired', 'active', 'released', 'broken', 'destroyed'] as const satisfies readonly LeaseView['status'][];

/** Leases, and what is done with them. */
@Controller('api/v1/leases')
export class LeasesController {
  constructor(
    @Inject(Reads) private readonly reads: Reads,
    @Inject(Commands) private readonly commands: Commands,
    @Inject(HostWork) private readonly work: HostWork,
    @Inject(Explanations) private readonly explanations: Explanations,
    @Inject(Fleet) private readonly fleet: Fleet,
  ) {}

  @Get()
  async list(@Req() request: FastifyRequest): Promise<Page<LeaseView>> {
    const page = await this.reads.leases(listQuery(request, statuses, ['owner', 'type', 'project']));
    return { ...page, items: page.items.map((row) => this.view(row)) };
  }

  /** Asks for a lease; with `?dryRun=true` only what would become of it. */
  @Post()
  async request(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<{ id: string } | Explanation> {
    const body = objectBody(request);
    if (queryFlag(request, 'dryRun')) {
      reply.code(200);
      return this.explanations.dryRun(body);
    }
    const key = commandId(request);
    await this.explanations.mustBeServable(body, key);
    const { id } = await this.commands.send('lease', 'RequestLease', body, key);
    return accepted(reply, 202, `leases/${id}`, { id });
  }

  @Get(':id')
  async get(@Param('id') id: string): Promise<LeaseView> {
    const row = await this.reads.lease(id);
    if (!row) throw notFound('unknown-lease', `lease ${JSON.stringify(id)}`, '/api/v1/leases');
    return this.view(row);
  }

  @Get(':id/explanation')
  explanation(@Param('id') id: string, @Req() request: FastifyRequest): Promise<LeaseExplanation> {
    return this.explanations.ofLease(id, asOf(queryText(request, 'at')));
  }

  @Post(':id/beat')
  async beat(@Param('id') lease: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    await this.commands.send('lease', 'BeatLease', { ...objectBody(request), lease }, commandId(request));
    return accepted(reply, 202, `leases/${lease}`, { id: lease });
  }

  @Post(':id/priority')
  async priority(@Param('id') lease: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    await this.commands.send('lease', 'ChangePriority', { ...objectBody(request), lease }, commandId(request));
    return accepted(reply, 202, `leases/${lease}`, { id: lease });
  }

  /** Keeps the host of a lease as it is; the id in the answer is that of the host. */
  @Post(':id/hold')
  async hold(@Param('id') lease: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const { id } = await this.commands.send('allocator', 'HoldResource', { ...objectBody(request), lease }, commandId(request));
    return accepted(reply, 202, `resources/${id}`, { id });
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

  /** Begins a terminal; it is talked to at `actions/ID/live`. */
  @Post(':id/terminal')
  async terminal(@Param('id') lease: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const id = await this.work.begin(lease, 'terminal', objectBody(request), commandId(request));
    return accepted(reply, 202, `actions/${id}`, { id });
  }

  /** Begins a forward; each connection through it is talked to at `actions/ID/live`. */
  @Post(':id/forward')
  async forward(@Param('id') lease: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const id = await this.work.begin(lease, 'forward', objectBody(request), commandId(request));
    return accepted(reply, 202, `actions/${id}`, { id });
  }

  @Post(':id/service/restart')
  restart(@Param('id') lease: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.service(lease, true, request, reply);
  }

  @Post(':id/service/stop')
  stop(@Param('id') lease: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.service(lease, false, request, reply);
  }

  private async service(lease: string, start: boolean, request: FastifyRequest, reply: FastifyReply) {
    const id = await this.work.service(lease, start, commandId(request));
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

  private view(row: LeaseRow): LeaseView {
    return leaseView(row, row.resource === null ? undefined : this.fleet.resource(row.resource));
  }
}
