import { Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { hardwareDocument, page, schemas, type HardwareDocument, type HardwareImport, type HardwareView, type Page } from '@berth/client';
import { fieldErrors, summary } from '@berth/contracts';
import { Needs } from '../access/needs.js';
import { Fleet } from '../views/fleet.js';
import { accepted, commandId, Commands } from './commands.js';
import { command, Describe } from './describe.js';
import { importHardware } from './hardware-import.js';
import { hardwareList } from './memory-lists.js';
import { named, nameIn } from './names.js';
import { listQuery, memoryForm, memoryPage } from './paging.js';
import * as parameters from './parameters.js';
import { HttpProblem, notFound } from './problem.js';
import { objectBody, queryFlag } from './server.js';

const form = memoryForm(hardwareList);
const unknown = (name: string): HttpProblem => notFound('unknown-hardware', `hardware ${JSON.stringify(name)}`, '/api/v1/hardware');

/** Machines as hardware: how they are reached when their operating system is not. */
@Controller('api/v1/hardware')
export class HardwareController {
  constructor(
    @Inject(Fleet) private readonly fleet: Fleet,
    @Inject(Commands) private readonly commands: Commands,
  ) {}

  @Get()
  @Needs('jobs:read')
  @Describe({ summary: 'Machines as hardware, by name unless another order is asked for; passwords are names of secrets.', query: parameters.ofList(form), answers: { 200: page(schemas.HardwareView) } })
  list(@Req() request: FastifyRequest): Page<HardwareView> {
    return memoryPage(this.fleet.hardware.list(), hardwareList, listQuery(request, form));
  }

  @Get('export')
  @Needs('jobs:read')
  @Describe({ summary: 'All that is said of hardware and its groups, as it can be imported again.', answers: { 200: schemas.HardwareDocument } })
  export(): HardwareDocument {
    return this.fleet.hardware.document();
  }

  /** One name at a time: what is refused is told with its name, and the others are done. */
  @Post('import')
  @HttpCode(200)
  @Needs('hardware:write')
  @Describe({
    summary: 'Makes what is said of hardware and its groups be what the body says, and tells for each name what that changes.',
    query: { dryRun: parameters.flag.describe('only what it would change'), prune: parameters.flag.describe('what is not in the body is forgotten') },
    body: hardwareDocument, answers: { 200: schemas.HardwareImport },
  })
  import(@Req() request: FastifyRequest): Promise<HardwareImport> {
    const how = { dryRun: queryFlag(request, 'dryRun'), prune: queryFlag(request, 'prune') };
    const parsed = hardwareDocument.safeParse(objectBody(request));
    if (!parsed.success) {
      const errors = fieldErrors(parsed.error);
      throw new HttpProblem('invalid-data', `The import is refused, and nothing is done: ${summary(errors.slice(0, 5))}`, errors);
    }
    return importHardware(this.commands, this.fleet.hardware.document(), parsed.data, how, commandId(request));
  }

  @Get(':name')
  @Needs('jobs:read')
  @Describe({ summary: 'One machine as hardware, with its loan.', answers: { 200: schemas.HardwareView }, problems: ['unknown-hardware'] })
  get(@Param('name') name: string): HardwareView {
    const hardware = this.fleet.hardware.get(name);
    if (!hardware) throw unknown(name);
    return hardware;
  }

  @Put(':name')
  @Needs('hardware:write')
  @Describe({ summary: 'Says how a machine is managed; replaces what was said before.', writes: { at: '/api/v1/hardware/:name', kind: 'hardware' }, body: command('host-agent-gateway', 'SetHardware', 'name'), answers: { 201: schemas.AcceptedName }, problems: ['unknown-hardware-group', 'name-taken', 'hardware-in-use'] })
  async set(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    await this.commands.send('host-agent-gateway', 'SetHardware', named(objectBody(request), name, 'hardware'), commandId(request));
    return accepted(reply, 201, `hardware/${name}`, { id: name, name });
  }

  @Delete(':name')
  @Needs('hardware:write')
  @Describe({ summary: 'Forgets how a machine is managed.', answers: { 202: schemas.AcceptedName }, problems: ['unknown-hardware', 'hardware-in-use', 'loan-live', 'job-live'] })
  async remove(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    await this.commands.send('host-agent-gateway', 'RemoveHardware', { name: nameIn(name, unknown) }, commandId(request));
    return accepted(reply, 202, 'hardware', { id: name, name });
  }

  @Post(':name/loan/steps/:step')
  @Needs('jobs:loan')
  @Describe({
    summary: 'A person has done a step of a loan.', params: { step: z.int().min(0).max(31).describe('which, counted from 0') }, body: command('host-agent-gateway', 'CompleteLoanStep', 'machine', 'step'),
    answers: { 202: schemas.AcceptedName }, problems: ['unknown-hardware', 'no-loan', 'unknown-step', 'step-not-over', 'not-allowed'],
  })
  async loanStep(@Param('name') name: string, @Param('step') step: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    if (!/^\d{1,2}$/.test(step)) throw new HttpProblem('invalid-data', 'The request is refused: step is a number from 0 on.', [{ field: 'step', message: 'must be a number from 0 on' }]);
    await this.commands.send('host-agent-gateway', 'CompleteLoanStep', { ...objectBody(request), machine: nameIn(name, unknown), step: Number(step) }, commandId(request));
    return accepted(reply, 202, `hardware/${name}`, { id: name, name });
  }
}
