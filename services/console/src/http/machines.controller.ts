import { Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { page, schemas, type MachineTest, type MachineView, type Page } from '@berth/client';
import { name as nameSchema } from '@berth/contracts';
import { Needs } from '../access/needs.js';
import { Fleet } from '../views/fleet.js';
import { listForm } from '../views/lists.js';
import { Reads } from '../views/reads.js';
import { accepted, commandId, Commands } from './commands.js';
import { testMachine } from './machine-test.js';
import { listQuery, pageOf, WHOLE } from './paging.js';
import { HttpProblem, notFound } from './problem.js';
import { objectBody } from './server.js';
import { command, Describe, mergePatch, settles } from './describe.js';
import * as parameters from './parameters.js';

const form = { ...listForm('machine'), usual: WHOLE };

/** Machines. */
@Controller('api/v1')
export class MachinesController {
  constructor(
    @Inject(Fleet) private readonly fleet: Fleet,
    @Inject(Reads) private readonly reads: Reads,
    @Inject(Commands) private readonly commands: Commands,
  ) {}

  @Get('machines')
  @Needs('fleet:read')
  @Describe({ summary: 'Machines, by name, unless another order is asked for.', query: parameters.ofList(form), answers: { 200: page(schemas.MachineView) }, shows: { kinds: ['machine', 'resource'], rows: true, timed: true } })
  async list(@Req() request: FastifyRequest): Promise<Page<MachineView>> {
    const query = listQuery(request, form);
    return pageOf(await this.reads.machines(query), query, (row) => this.fleet.machineView(row));
  }

  @Post('machines')
  @Needs('fleet:write')
  @Describe({
    summary: 'Enrols a machine: it is looked at first, and its host key is kept.', body: command('allocator', 'AddMachine'), answers: { 201: schemas.AcceptedName }, settles: settles.machine,
    problems: ['name-taken', 'machine-unreachable', 'machine-refused', 'host-key-changed'],
  })
  async add(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const body = objectBody(request);
    await this.commands.send('allocator', 'AddMachine', body, commandId(request));
    const name = String(body['name']);
    return accepted(reply, 201, `machines/${name}`, { id: name, name });
  }

  /** What enrolling it would find; the body is the same, and nothing is kept. */
  @Post('machines/test')
  @Needs('fleet:write')
  @Describe({
    summary: 'Looks at a machine as enrolling it would, and keeps nothing.', body: command('allocator', 'AddMachine', 'name'), answers: { 200: schemas.MachineTest },
    problems: ['machine-unreachable', 'machine-refused', 'host-key-changed'],
  })
  @HttpCode(200)
  test(@Req() request: FastifyRequest): Promise<MachineTest> {
    return testMachine(this.commands, objectBody(request), commandId(request));
  }

  @Get('machines/:name')
  @Needs('fleet:read')
  @Describe({ summary: 'One machine.', answers: { 200: schemas.MachineView }, problems: ['unknown-machine'] })
  get(@Param('name') name: string): MachineView {
    const machine = this.fleet.machine(name);
    if (!machine) throw notFound('unknown-machine', `machine ${JSON.stringify(name)}`, '/api/v1/machines');
    return machine;
  }

  @Patch('machines/:name')
  @Needs('fleet:write')
  @Describe({
    summary: 'Changes what is said of a machine, as a merge patch (RFC 7396): what is left out stays, null takes away.', writes: { at: '/api/v1/machines/:name', kind: 'machine' }, body: mergePatch(command('allocator', 'ChangeMachine', 'name')), answers: { 202: schemas.AcceptedName },
    problems: ['unknown-machine', 'machine-changed', 'machine-unreachable', 'machine-refused', 'host-key-changed'],
  })
  async change(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    if (!nameSchema.safeParse(name).success) throw notFound('unknown-machine', `machine ${JSON.stringify(name)}`, '/api/v1/machines');
    const body = objectBody(request);
    if (Object.hasOwn(body, 'name') && body['name'] !== name) throw new HttpProblem('invalid-data', 'The change is refused: a machine keeps its name.', [{ field: 'name', message: `must be ${name}, or left out: a machine keeps its name` }]);
    await this.commands.send('allocator', 'ChangeMachine', { ...body, name }, commandId(request));
    return accepted(reply, 202, `machines/${name}`, { id: name, name });
  }

  @Delete('machines/:name')
  @Needs('fleet:write')
  @Describe({ summary: 'Takes a machine out of the fleet. Leases on it go on.', answers: { 202: schemas.AcceptedName }, problems: ['unknown-machine'] })
  async remove(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    if (!nameSchema.safeParse(name).success) throw notFound('unknown-machine', `machine ${JSON.stringify(name)}`, '/api/v1/machines');
    await this.commands.send('allocator', 'RemoveMachine', { name }, commandId(request));
    return accepted(reply, 202, 'machines', { id: name, name });
  }
}
