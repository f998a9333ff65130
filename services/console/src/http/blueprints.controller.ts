import { Controller, Delete, Get, Inject, Param, Post, Put, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { page, schemas, type BlueprintView, type Page } from '@berth/client';
import { Needs } from '../access/needs.js';
import { Scope } from '../access/scope.js';
import { Fleet } from '../views/fleet.js';
import { withLeases } from '../views/resources.js';
import { accepted, commandId, Commands } from './commands.js';
import { blueprintList } from './memory-lists.js';
import { nameIn } from './names.js';
import { listQuery, memoryForm, memoryPage } from './paging.js';
import { HttpProblem, notFound } from './problem.js';
import { objectBody, queryUnlessFalse } from './server.js';
import { blueprintBody } from './bodies.js';
import { command, Describe } from './describe.js';
import * as parameters from './parameters.js';

const form = memoryForm(blueprintList);

/** Blueprints: how resources are matched, made, kept and ended. */
@Controller('api/v1/blueprints')
export class BlueprintsController {
  constructor(
    @Inject(Fleet) private readonly fleet: Fleet,
    @Inject(Commands) private readonly commands: Commands,
    @Inject(Scope) private readonly scope: Scope,
  ) {}

  /** `?resources=false` leaves out what they have made, which may be thousands. */
  @Get()
  @Needs('fleet:read')
  @Describe({
    summary: 'Blueprints, by name unless another order is asked for, with what they have made.', query: { ...parameters.ofList(form), resources: parameters.flag.describe('false: without what they have made, which may be thousands') },
    answers: { 200: page(schemas.BlueprintView) },
  })
  async list(@Req() request: FastifyRequest): Promise<Page<BlueprintView>> {
    const { items, ...rest } = memoryPage(this.fleet.blueprintList(), blueprintList, listQuery(request, form));
    if (!queryUnlessFalse(request, 'resources')) return { items: items.map((blueprint) => ({ ...blueprint, resources: [] })), ...rest };
    const seen = await this.scope.visibleLeases(request.principal);
    return { items: items.map((blueprint) => showing(blueprint, seen)), ...rest };
  }

  @Get(':name')
  @Needs('fleet:read')
  @Describe({ summary: 'One blueprint.', answers: { 200: schemas.BlueprintView }, problems: ['unknown-blueprint'] })
  async get(@Param('name') name: string, @Req() request: FastifyRequest): Promise<BlueprintView> {
    const blueprint = this.fleet.blueprint(name);
    if (!blueprint) throw unknown(name);
    return showing(blueprint, await this.scope.visibleLeases(request.principal));
  }

  /** Saves a blueprint; the body is its spec, which need not name it again. `?check=false`: its provider is not asked. */
  @Put(':name')
  @Needs('fleet:write')
  @Describe({
    summary: 'Saves a blueprint as its next version.', query: { check: parameters.flag.describe('false: its provider is not asked whether it could launch') }, writes: { at: '/api/v1/blueprints/:name', kind: 'blueprint' }, body: blueprintBody, answers: { 201: schemas.AcceptedVersion },
    problems: ['limit-in-use', 'provider-refused', 'unknown-blueprint', 'unknown-machine'],
  })
  async save(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const body = objectBody(request);
    if (body['name'] !== undefined && body['name'] !== name) {
      const message = `is ${JSON.stringify(body['name'])}, but the path says ${JSON.stringify(name)}: leave it out or make them agree`;
      throw new HttpProblem('invalid-data', `The blueprint is refused: name ${message}.`, [{ field: 'name', message }]);
    }
    const { data } = await this.commands.send('allocator', 'SaveBlueprint', { spec: { ...body, name }, check: queryUnlessFalse(request, 'check') }, commandId(request), { prefix: 'data.spec.' });
    const version = typeof data['version'] === 'number' ? data['version'] : (this.fleet.blueprint(name)?.version ?? null);
    return accepted(reply, 201, `blueprints/${name}`, { id: name, name, version });
  }

  @Delete(':name')
  @Needs('fleet:write')
  @Describe({ summary: 'Removes a blueprint that nothing is left of.', answers: { 202: schemas.AcceptedName }, problems: ['unknown-blueprint', 'built-in', 'blueprint-in-use'] })
  async remove(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    await this.commands.send('allocator', 'RemoveBlueprint', { name: known(name) }, commandId(request));
    return accepted(reply, 202, 'blueprints', { id: name, name });
  }

  @Post(':name/enable')
  @Needs('fleet:write')
  @Describe({ summary: 'Lets a blueprint serve requests.', body: command('allocator', 'EnableBlueprint', 'name'), answers: { 202: schemas.AcceptedName }, problems: ['unknown-blueprint'] })
  async enable(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    await this.commands.send('allocator', 'EnableBlueprint', { ...objectBody(request), name: known(name) }, commandId(request));
    return accepted(reply, 202, `blueprints/${name}`, { id: name, name });
  }

  @Post(':name/disable')
  @Needs('fleet:write')
  @Describe({ summary: 'Has a blueprint serve no more requests.', body: command('allocator', 'DisableBlueprint', 'name'), answers: { 202: schemas.AcceptedName }, problems: ['unknown-blueprint'] })
  async disable(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    await this.commands.send('allocator', 'DisableBlueprint', { ...objectBody(request), name: known(name) }, commandId(request));
    return accepted(reply, 202, `blueprints/${name}`, { id: name, name });
  }
}

const showing = (blueprint: BlueprintView, seen: ReadonlySet<string> | undefined): BlueprintView => ({ ...blueprint, resources: blueprint.resources.map((resource) => withLeases(resource, seen)) });
const unknown = (name: string): HttpProblem => notFound('unknown-blueprint', `blueprint ${JSON.stringify(name)}`, '/api/v1/blueprints');
const known = (name: string): string => nameIn(name, unknown);
