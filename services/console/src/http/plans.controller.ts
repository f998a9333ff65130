import { Controller, Get, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { page, schemas, type Page, type PlanView } from '@berth/client';
import { Needs } from '../access/needs.js';
import { Fleet } from '../views/fleet.js';
import { accepted, commandId, Commands } from './commands.js';
import { planList } from './memory-lists.js';
import { listQuery, memoryForm, memoryPage } from './paging.js';
import { notFound } from './problem.js';
import { objectBody } from './server.js';
import { planBody } from './bodies.js';
import { Describe } from './describe.js';
import * as parameters from './parameters.js';

const form = memoryForm(planList);

/** Build plans. */
@Controller('api/v1/plans')
export class PlansController {
  constructor(
    @Inject(Fleet) private readonly fleet: Fleet,
    @Inject(Commands) private readonly commands: Commands,
  ) {}

  @Get()
  @Needs('plan:read')
  @Describe({ summary: 'Plans, by name, unless another order is asked for.', query: parameters.ofList(form), answers: { 200: page(schemas.PlanView) } })
  list(@Req() request: FastifyRequest): Page<PlanView> {
    return memoryPage(this.fleet.planList(), planList, listQuery(request, form));
  }

  /** A plan as YAML, or as JSON {"source": YAML}. */
  @Post()
  @Needs('plan:write')
  @Describe({ summary: 'Saves a plan as its next version; the same text again is no new version.', writes: { at: '/api/v1/plans/:name', kind: 'plan' }, body: planBody, answers: { 201: schemas.AcceptedVersion }, problems: ['invalid-plan'] })
  async apply(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const data = typeof request.body === 'string' ? { source: request.body } : objectBody(request);
    const { id } = await this.commands.send('build-orchestrator', 'ApplyPlan', data, commandId(request));
    return accepted(reply, 201, `plans/${id}`, { id, name: id, version: this.fleet.plan(id)?.version ?? null });
  }

  /** Reads a plan and saves nothing. */
  @Post('validate')
  @Needs('plan:read')
  @HttpCode(200)
  @Describe({ summary: 'Reads a plan and saves nothing.', body: planBody, answers: { 200: schemas.ValidPlan }, problems: ['invalid-plan'] })
  async validate(@Req() request: FastifyRequest) {
    const data = typeof request.body === 'string' ? { source: request.body } : objectBody(request);
    return (await this.commands.send('build-orchestrator', 'ValidatePlan', data, commandId(request))).data;
  }

  @Get(':name')
  @Needs('plan:read')
  @Describe({ summary: 'One plan.', answers: { 200: schemas.PlanView }, problems: ['unknown-plan'] })
  get(@Param('name') name: string): PlanView {
    const plan = this.fleet.plan(name);
    if (!plan) throw notFound('unknown-plan', `plan ${JSON.stringify(name)}`, '/api/v1/plans');
    return plan;
  }
}
