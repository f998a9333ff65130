import { Controller, Get, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { page, schemas, type ActionView, type LeaseExplanation, type LeaseView, type Page } from '@berth/client';
import { explanation as explanationSchema, type Explanation } from '@berth/contracts';
import { forAsker } from '../access/asks.js';
import { Needs } from '../access/needs.js';
import { seenBy } from '../access/principal.js';
import { Scope } from '../access/scope.js';
import { Fleet } from '../views/fleet.js';
import { leaseView, type LeaseRow } from '../views/lease.js';
import { listForm } from '../views/lists.js';
import { Reads } from '../views/reads.js';
import { accepted, commandId, Commands } from './commands.js';
import { asOf, Explanations } from './explanations.js';
import { HostWork } from './host-work.js';
import { listQuery, pageOf } from './paging.js';
import { notFound } from './problem.js';
import { objectBody, queryFlag, queryText } from './server.js';
import { z } from 'zod';
import { execBody, nothing, sessionBody, underLease } from './bodies.js';
import { bytes, command, Describe, settles } from './describe.js';
import * as parameters from './parameters.js';

const form = listForm('lease');

/** Leases, and what is done with them. */
@Controller('api/v1/leases')
export class LeasesController {
  constructor(
    @Inject(Reads) private readonly reads: Reads,
    @Inject(Commands) private readonly commands: Commands,
    @Inject(HostWork) private readonly work: HostWork,
    @Inject(Explanations) private readonly explanations: Explanations,
    @Inject(Fleet) private readonly fleet: Fleet,
    @Inject(Scope) private readonly scope: Scope,
  ) {}

  @Get()
  @Needs('lease:read')
  @Describe({
    summary: 'Leases, newest first unless another order is asked for.', query: parameters.ofList(form), answers: { 200: page(schemas.LeaseView) },
    shows: { kinds: ['lease', 'resource'], rows: true },
  })
  async list(@Req() request: FastifyRequest): Promise<Page<LeaseView>> {
    const query = listQuery(request, form);
    return pageOf(await this.reads.leases(query, seenBy(request.principal)), query, (row) => this.view(row));
  }

  /** Asks for a lease; with `?dryRun=true` only what would become of it. */
  @Post()
  @Needs('lease:write')
  @Describe({
    summary: 'Asks for a lease.', query: { dryRun: parameters.flag.describe('only what would become of it: nothing is made') }, body: command('lease', 'RequestLease'),
    answers: { 202: schemas.Accepted, 200: z.union([schemas.Accepted, explanationSchema]).describe('With `wait`: it came to rest. With `dryRun`: the explanation.') }, settles: settles.lease,
    problems: ['unservable', 'unknown-lease', 'lease-not-active', 'lease-ended', 'not-allowed', 'unknown-blueprint', 'name-taken'],
  })
  async request(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<{ id: string } | Explanation> {
    const body = forAsker(request.principal, objectBody(request), 'owner');
    await this.mayStand(request, body);
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
  @Needs('lease:read')
  @Describe({ summary: 'One lease.', answers: { 200: schemas.LeaseView }, problems: ['unknown-lease'], shows: { kinds: ['lease', 'resource'], one: 'id' } })
  async get(@Param('id') id: string): Promise<LeaseView> {
    const row = await this.reads.lease(id);
    if (!row) throw notFound('unknown-lease', `lease ${JSON.stringify(id)}`, '/api/v1/leases');
    return this.view(row);
  }

  @Get(':id/explanation')
  @Needs('lease:read')
  @Describe({ summary: 'Why a lease waits or waited.', query: { at: parameters.asOf }, answers: { 200: schemas.LeaseExplanation }, problems: ['unknown-lease', 'lease-ended'] })
  explanation(@Param('id') id: string, @Req() request: FastifyRequest): Promise<LeaseExplanation> {
    return this.explanations.ofLease(id, asOf(queryText(request, 'at')));
  }

  @Post(':id/beat')
  @Needs('lease:write')
  @Describe({ summary: 'Its holder lives: of a lease with a ttl.', body: command('lease', 'BeatLease', 'lease'), answers: { 202: schemas.Accepted }, problems: ['unknown-lease', 'lease-ended'] })
  async beat(@Param('id') lease: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    await this.commands.send('lease', 'BeatLease', { ...objectBody(request), lease }, commandId(request));
    return accepted(reply, 202, `leases/${lease}`, { id: lease });
  }

  @Post(':id/priority')
  @Needs('lease:write')
  @Describe({ summary: 'Changes which request is served first.', body: command('lease', 'ChangePriority', 'lease'), answers: { 202: schemas.Accepted }, problems: ['unknown-lease', 'lease-ended'] })
  async priority(@Param('id') lease: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    await this.commands.send('lease', 'ChangePriority', { ...objectBody(request), lease }, commandId(request));
    return accepted(reply, 202, `leases/${lease}`, { id: lease });
  }

  /** Keeps the host of a lease as it is; the id in the answer is that of the host. */
  @Post(':id/hold')
  @Needs('lease:write')
  @Describe({
    summary: 'Keeps the host of a lease as it is, for debugging; `id` is that of the host.', body: command('allocator', 'HoldResource', 'lease', 'resource', 'machine'), answers: { 202: schemas.Accepted },
    problems: ['unknown-lease', 'unknown-resource'],
  })
  async hold(@Param('id') lease: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const { id } = await this.commands.send('allocator', 'HoldResource', { ...objectBody(request), lease }, commandId(request));
    return accepted(reply, 202, `resources/${id}`, { id });
  }

  @Post(':id/renew')
  @Needs('lease:write')
  @Describe({ summary: 'Changes when a lease ends by itself.', body: command('lease', 'RenewLease', 'lease'), answers: { 202: schemas.Accepted }, problems: ['unknown-lease', 'lease-ended'] })
  async renew(@Param('id') lease: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    await this.commands.send('lease', 'RenewLease', { ...objectBody(request), lease }, commandId(request));
    return accepted(reply, 202, `leases/${lease}`, { id: lease });
  }

  @Post(':id/release')
  @Needs('lease:write')
  @Describe({ summary: 'Gives a lease back.', body: command('lease', 'ReleaseLease', 'lease'), answers: { 202: schemas.Accepted }, settles: settles.leaseGone, problems: ['unknown-lease', 'lease-ended'] })
  async release(@Param('id') lease: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    await this.commands.send('lease', 'ReleaseLease', { ...objectBody(request), lease }, commandId(request));
    return accepted(reply, 202, `leases/${lease}`, { id: lease });
  }

  @Post(':id/exec')
  @Needs('lease:exec')
  @Describe({ summary: 'Runs a command on the leased resource; `id` is that of the action.', body: execBody, answers: { 202: schemas.Accepted }, settles: settles.action, problems: underLease })
  async exec(@Param('id') lease: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const id = await this.work.exec(lease, objectBody(request), commandId(request));
    return accepted(reply, 202, `actions/${id}`, { id });
  }

  /** Begins a terminal; it is talked to at `actions/ID/live`. */
  @Post(':id/terminal')
  @Needs('lease:terminal')
  @Describe({
    summary: 'Begins a terminal; it is talked to at `actions/ID/live`.', body: sessionBody('terminal'), answers: { 202: schemas.Accepted }, settles: settles.session, problems: [...underLease, 'too-many-sessions'],
  })
  async terminal(@Param('id') lease: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const id = await this.work.begin(lease, 'terminal', objectBody(request), commandId(request));
    return accepted(reply, 202, `actions/${id}`, { id });
  }

  /** Begins a forward; each connection through it is talked to at `actions/ID/live`. */
  @Post(':id/forward')
  @Needs('lease:terminal')
  @Describe({
    summary: 'Begins a forward; each connection through it is talked to at `actions/ID/live`.', body: sessionBody('forward'), answers: { 202: schemas.Accepted }, settles: settles.session,
    problems: [...underLease, 'too-many-sessions'],
  })
  async forward(@Param('id') lease: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const id = await this.work.begin(lease, 'forward', objectBody(request), commandId(request));
    return accepted(reply, 202, `actions/${id}`, { id });
  }

  @Post(':id/service/restart')
  @Needs('lease:exec')
  @Describe({ summary: 'Stops a leased service and starts it again; `id` is that of the action.', body: nothing, answers: { 202: schemas.Accepted }, settles: settles.action, problems: [...underLease, 'unknown-blueprint'] })
  restart(@Param('id') lease: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.service(lease, true, request, reply);
  }

  @Post(':id/service/stop')
  @Needs('lease:exec')
  @Describe({ summary: 'Stops a leased service; `id` is that of the action.', body: nothing, answers: { 202: schemas.Accepted }, settles: settles.action, problems: [...underLease, 'unknown-blueprint'] })
  stop(@Param('id') lease: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.service(lease, false, request, reply);
  }

  private async service(lease: string, start: boolean, request: FastifyRequest, reply: FastifyReply) {
    const id = await this.work.service(lease, start, commandId(request));
    return accepted(reply, 202, `actions/${id}`, { id });
  }

  @Post(':id/put')
  @Needs('lease:exec')
  @HttpCode(200)
  @Describe({
    summary: 'Puts a file into the folder of the lease; answered when it is there.', query: { path: parameters.path, mode: parameters.mode }, body: bytes('the file, up to 1 GiB'), answers: { 200: schemas.ActionView },
    problems: [...underLease, 'path-outside'],
  })
  put(@Param('id') lease: string, @Req() request: FastifyRequest): Promise<ActionView> {
    return this.work.put(lease, queryText(request, 'path'), queryText(request, 'mode'), request, commandId(request));
  }

  @Post(':id/get')
  @Needs('lease:exec')
  @Describe({ summary: 'Gets a file out of the folder of the lease.', body: z.object({ path: parameters.path }), answers: { 200: bytes('the file') }, problems: [...underLease, 'path-outside'] })
  async fetch(@Param('id') lease: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.work.fetch(lease, objectBody(request)['path'], commandId(request), reply);
  }

  /** What is to stand on another lease is asked for by whoever may touch that. */
  private async mayStand({ principal }: FastifyRequest, { host }: Record<string, unknown>): Promise<void> {
    const lease = (host as { lease?: unknown } | undefined | null)?.lease;
    if (principal && typeof lease === 'string') await this.scope.check(principal, 'lease:write', { kind: 'lease', id: lease });
  }

  private view(row: LeaseRow): LeaseView {
    return leaseView(row, row.resource === null ? undefined : this.fleet.resource(row.resource));
  }
}
