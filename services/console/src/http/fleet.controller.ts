import { Controller, Get, Inject, Param, Post, Put, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { page, schemas, type CapacityView, type OrphanView, type Page, type QuotaView, type ResourceState, type ResourceView, type ServiceVerb } from '@berth/client';
import { name as nameSchema, resourceType, uuid, type CommandType } from '@berth/contracts';
import { Needs } from '../access/needs.js';
import { Scope } from '../access/scope.js';
import { Fleet } from '../views/fleet.js';
import { withLeases } from '../views/resources.js';
import { accepted, commandId, Commands } from './commands.js';
import { HttpProblem, notFound } from './problem.js';
import { objectBody, queryText } from './server.js';
import { z } from 'zod';
import { serviceInput } from './bodies.js';
import { command, Describe } from './describe.js';
import * as parameters from './parameters.js';

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

const words = ['pending', 'active', 'broken', 'released', 'booting', 'ending', 'unreachable', 'held', 'quarantined', 'draining'] as const satisfies readonly (ResourceState | ResourceView['status'])[];

const verb = z.enum(Object.keys(verbs) as [ServiceVerb, ...ServiceVerb[]]);

/** What there is to be leased, how it is, and the limits over all of it. */
@Controller('api/v1')
export class FleetController {
  constructor(
    @Inject(Fleet) private readonly fleet: Fleet,
    @Inject(Commands) private readonly commands: Commands,
    @Inject(Scope) private readonly scope: Scope,
  ) {}

  /** `?status=` takes statuses and states, with commas between. */
  @Get('resources')
  @Needs('fleet:read')
  @Describe({
    summary: 'All resources.', query: { blueprint: z.string(), type: resourceType, status: parameters.some(words, 'statuses and states') }, answers: { 200: page(schemas.ResourceView) },
  })
  async resources(@Req() request: FastifyRequest): Promise<Page<ResourceView>> {
    const blueprint = queryText(request, 'blueprint');
    const type = queryText(request, 'type');
    const asked = queryText(request, 'status')?.split(',') ?? [];
    refuseUnknown('status', asked, words);
    refuseUnknown('type', type === undefined ? [] : [type], resourceType.options);
    const items = this.fleet.resourceList((row) => (blueprint === undefined || row.blueprint === blueprint) && (type === undefined || row.type === type));
    const wanted = asked.length === 0 ? items : items.filter(({ status, state }) => asked.includes(status) || asked.includes(state));
    const seen = await this.scope.visibleLeases(request.principal);
    return { items: wanted.map((resource) => withLeases(resource, seen)), cursor: null };
  }

  @Get('resources/:id')
  @Needs('fleet:read')
  @Describe({ summary: 'One resource.', answers: { 200: schemas.ResourceView }, problems: ['unknown-resource'] })
  async resource(@Param('id') id: string, @Req() request: FastifyRequest): Promise<ResourceView> {
    const resource = this.fleet.resource(id);
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
  @Describe({ summary: 'Replaces all limits: what the body leaves out is not limited.', body: command('allocator', 'SetQuota'), answers: { 202: schemas.Accepted }, problems: ['limit-in-use'] })
  async setQuota(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const { id } = await this.commands.send('allocator', 'SetQuota', objectBody(request), commandId(request));
    return accepted(reply, 202, 'quota', { id });
  }

  @Get('orphans')
  @Needs('fleet:read')
  @Describe({ summary: 'What was found without an owner, the last 100.', answers: { 200: page(schemas.OrphanView) } })
  orphans(): Page<OrphanView> {
    return { items: this.fleet.orphans(), cursor: null };
  }
}

const unknownResource = (id: string): HttpProblem => notFound('unknown-resource', `resource ${JSON.stringify(id)}`, '/api/v1/resources');

function commandOf(verb: string): (typeof verbs)[ServiceVerb] {
  if (Object.hasOwn(verbs, verb)) return verbs[verb as ServiceVerb];
  throw new HttpProblem('not-found', `There is nothing that is called ${JSON.stringify(verb)}: use ${Object.keys(verbs).join(', ')}.`);
}

function refuseUnknown(field: string, given: readonly string[], known: readonly string[]): void {
  const unknown = given.find((one) => !known.includes(one));
  if (unknown !== undefined) throw new HttpProblem('invalid-data', `The query is refused: there is no ${field} ${JSON.stringify(unknown)}.`, [{ field, message: `use one of ${known.join(', ')}` }]);
}
