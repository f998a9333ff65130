import { Controller, Delete, Get, Inject, Param, Put, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { page, schemas, type HardwareGroupView, type Page } from '@berth/client';
import { Needs } from '../access/needs.js';
import { Fleet } from '../views/fleet.js';
import { accepted, commandId, Commands } from './commands.js';
import { command, Describe } from './describe.js';
import { hardwareGroupList } from './memory-lists.js';
import { named, nameIn } from './names.js';
import { listQuery, memoryForm, memoryPage } from './paging.js';
import * as parameters from './parameters.js';
import { notFound, type HttpProblem } from './problem.js';
import { objectBody } from './server.js';

const form = memoryForm(hardwareGroupList);
const unknown = (name: string): HttpProblem => notFound('unknown-hardware-group', `group of hardware ${JSON.stringify(name)}`, '/api/v1/hardware-groups');

/** Groups of machines that are driven alike. */
@Controller('api/v1/hardware-groups')
export class HardwareGroupsController {
  constructor(
    @Inject(Fleet) private readonly fleet: Fleet,
    @Inject(Commands) private readonly commands: Commands,
  ) {}

  @Get()
  @Needs('jobs:read')
  @Describe({ summary: 'Groups of hardware, by name.', query: parameters.ofList(form), answers: { 200: page(schemas.HardwareGroupView) } })
  list(@Req() request: FastifyRequest): Page<HardwareGroupView> {
    return memoryPage(this.fleet.hardware.groupList(), hardwareGroupList, listQuery(request, form));
  }

  @Get(':name')
  @Needs('jobs:read')
  @Describe({ summary: 'One group of hardware.', answers: { 200: schemas.HardwareGroupView }, problems: ['unknown-hardware-group'] })
  get(@Param('name') name: string): HardwareGroupView {
    const group = this.fleet.hardware.group(name);
    if (!group) throw unknown(name);
    return group;
  }

  @Put(':name')
  @Needs('hardware:write')
  @Describe({ summary: 'Says how a group of machines is driven; replaces what was said before.', writes: { at: '/api/v1/hardware-groups/:name', kind: 'hardware-group' }, body: command('host-agent-gateway', 'SetHardwareGroup', 'name'), answers: { 201: schemas.AcceptedName } })
  async set(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    await this.commands.send('host-agent-gateway', 'SetHardwareGroup', named(objectBody(request), name, 'group'), commandId(request));
    return accepted(reply, 201, `hardware-groups/${name}`, { id: name, name });
  }

  @Delete(':name')
  @Needs('hardware:write')
  @Describe({ summary: 'Forgets a group that no machine is in.', answers: { 202: schemas.AcceptedName }, problems: ['unknown-hardware-group', 'hardware-in-use'] })
  async remove(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    await this.commands.send('host-agent-gateway', 'RemoveHardwareGroup', { name: nameIn(name, unknown) }, commandId(request));
    return accepted(reply, 202, 'hardware-groups', { id: name, name });
  }
}
