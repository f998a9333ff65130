import { Controller, Get, Inject, Param, Post, Put, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { page, schemas, type CapacityView, type MomentView, type OrphanView, type Page, type QuotaView, type ResourceView, type ServiceVerb } from '@berth/client';
import { name as nameSchema, uuid, type CommandType } from '@berth/contracts';
import { Needs } from '../access/needs.js';
import { seenBy } from '../access/principal.js';
import { Scope } from '../access/scope.js';
import { Fleet } from '../views/fleet.js';
import { listForm } from '../views/lists.js';
import { Moments } from '../views/moments.js';
import { Reads } from '../views/reads.js';
import { resourceView, withLeases } from '../views/resources.js';
import { accepted, commandId, Commands } from './commands.js';
import { asOf } from './explanations.js';
import { orphanList } from './memory-lists.js';
import { listQuery, memoryForm, memoryPage, pageOf, WHOLE } from './paging.js';
import { HttpProblem, notFound } from './problem.js';
import { objectBody, queryCount, queryText } from './server.js';
import { z } from 'zod';
import { serviceInput } from './bodies.js';
import { command, Describe } from './describe.js';
import * as parameters from './parameters.js';

const resourceForm = { ...listForm('resource'), usual: WHOLE };
const orphanForm = memoryForm(orphanList);
const momentQuery = { at: parameters.asOf, limit: z.int().min(0).max(10_000).describe(`so many of each list at most; ${WHOLE} when absent`) };

/** The ways in and out of service, as in the path, and the command of each. */
const verbs = {
  quarantine: 'QuarantineResource',
  'end-quarantine': 'EndQuarantine',
  hold: 'HoldResource',
  'end-hold': 'EndHold',
  drain: 'DrainResource',
  'end-drain': 'EndDrain',
  release: 'ReleaseResource',
} as const satisfies Record<ServiceVerb, CommandType<'allocator'>>;

const verb = z.enum(Object.keys(verbs) as [ServiceVerb, ...ServiceVerb[]]);

/** What there is to be leased, how it is, and the limits over all of it. */
@Controller('api/v1')
export class FleetController {
  constructor(
    @Inject(Fleet) private readonly fleet: Fleet,
    @Inject(Reads) private readonly reads: Reads,
    @Inject(Moments) private readonly moments: Moments,
    @Inject(Commands) private readonly commands: Commands,
    @Inject(Scope) private readonly scope: Scope,
  ) {}

  /** Those that live, unless `?status=` says otherwise; it takes statuses and states, with commas between. */
  @Get('resources')
  @Needs('fleet:read')
  @Describe({
    summary: 'Resources, by name unless another order is asked for: those that live unless `status` says otherwise.', query: parameters.ofList(resourceForm), answers: { 200: page(schemas.ResourceView) },
    shows: { kinds: ['resource'], rows: true, timed: true },
  })
  async resources(@Req() request: FastifyRequest): Promise<Page<ResourceView>> {
    const query = listQuery(request, resourceForm);
    const now = Date.now();
    const found = await this.reads.resources(query, seenBy(request.principal));
    const seen = await this.scope.visibleLeases(request.principal);
    return pageOf(found, query, (row) => withLeases(resourceView(row, now), seen));
  }

  @Get('resources/:id')
  @Needs('fleet:read')
  @Describe({ summary: 'One resource, also one that is no more.', answers: { 200: schemas.ResourceView }, problems: ['unknown-resource'] })
  async resource(@Param('id') id: string, @Req() request: FastifyRequest): Promise<ResourceView> {
    const resource = this.fleet.resource(id) ?? (await this.reads.endedResource(id));
    if (!resource) throw unknownResource(id);
    return withLeases(resource, await this.scope.visibleLeases(request.principal));
  }

  @Post('resources/:id/:verb')
  @Needs('fleet:write')
  @Describe({
    summary: 'Takes a resource out of service, or back; `release` ends it for good.', params: { verb }, body: serviceInput, answers: { 202: schemas.Accepted }, problems: ['unknown-resource', 'not-found'],
  })
  async serviceResource(@Param('id') id: string, @Param('verb') verb: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const command = commandOf(verb);
    if (!uuid.safeParse(id).success) throw unknownResource(id);
    await this.commands.send('allocator', command, { ...objectBody(request), resource: id }, commandId(request));
    return accepted(reply, 202, `resources/${id}`, { id });
  }

  @Post('machines/:name/:verb')
  @Needs('fleet:write')
  @Describe({
    summary: 'Takes the host of a machine out of service, or back.', params: { verb }, body: serviceInput, answers: { 202: schemas.AcceptedName }, problems: ['unknown-machine', 'unknown-resource', 'not-found'],
  })
  async serviceMachine(@Param('name') name: string, @Param('verb') verb: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const command = commandOf(verb);
    if (!nameSchema.safeParse(name).success) throw notFound('unknown-machine', `machine ${JSON.stringify(name)}`, '/api/v1/machines');
    await this.commands.send('allocator', command, { ...objectBody(request), machine: name }, commandId(request));
    return accepted(reply, 202, `machines/${name}`, { id: name, name });
  }

  /** The whole fleet as it was at `?at=`, a time or a position; as it is without. */
  @Get('fleet')
  @Needs('fleet:read')
  @Describe({ summary: 'The whole fleet as it was at a time or a position; as it is without.', query: momentQuery, answers: { 200: schemas.MomentView }, shows: { kinds: ['machine', 'resource', 'lease', 'build'], rows: true, timed: true } })
  async moment(@Req() request: FastifyRequest): Promise<MomentView> {
    const limit = queryCount(request, 'limit', { least: 0, most: 10_000, otherwise: WHOLE });
    const now = Date.now();
    const wanted = asOf(queryText(request, 'at')) ?? { time: now };
    const moment = await this.moments.at(wanted);
    return moment.view('time' in wanted ? Math.min(wanted.time, now) : Date.parse(moment.at || new Date(0).toISOString()), limit, seenBy(request.principal));
  }

  @Get('capacity')
  @Needs('fleet:read')
  @Describe({ summary: 'Slots of hosts: free, busy, booting and so on, by blueprint.', query: { by: z.string().describe('an attribute: also by each value of it') }, answers: { 200: schemas.CapacityView } })
  capacity(@Req() request: FastifyRequest): CapacityView {
    return this.fleet.capacity(queryText(request, 'by') ?? null);
  }

  @Get('quota')
  @Needs('fleet:read')
  @Describe({ summary: 'The limits across blueprints, and what is used of them.', answers: { 200: schemas.QuotaView } })
  quota(@Req() { principal }: FastifyRequest): QuotaView {
    const { quota, use } = this.fleet.quota();
    // What others hold is theirs to know.
    return { quota, use: principal?.projects ? { ...use, owners: use.owners.filter(({ owner }) => owner === principal.name) } : use };
  }

  /** Replaces all limits: what the body leaves out is not limited. */
  @Put('quota')
  @Needs('quota:write')
  @Describe({ summary: 'Replaces all limits: what the body leaves out is not limited.', writes: { at: '/api/v1/quota', kind: 'fleet' }, body: command('allocator', 'SetQuota'), answers: { 202: schemas.Accepted }, problems: ['limit-in-use'] })
  async setQuota(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const { id } = await this.commands.send('allocator', 'SetQuota', objectBody(request), commandId(request));
    return accepted(reply, 202, 'quota', { id });
  }

  @Get('orphans')
  @Needs('fleet:read')
  @Describe({ summary: 'What was found without an owner, of the last 100.', query: parameters.ofList(orphanForm), answers: { 200: page(schemas.OrphanView) } })
  orphans(@Req() request: FastifyRequest): Page<OrphanView> {
    return memoryPage(this.fleet.orphans(), orphanList, listQuery(request, orphanForm));
  }
}

const unknownResource = (id: string): HttpProblem => notFound('unknown-resource', `resource ${JSON.stringify(id)}`, '/api/v1/resources');

function commandOf(verb: string): (typeof verbs)[ServiceVerb] {
  if (Object.hasOwn(verbs, verb)) return verbs[verb as ServiceVerb];
  throw new HttpProblem('not-found', `There is nothing that is called ${JSON.stringify(verb)}: use ${Object.keys(verbs).join(', ')}.`);
}
