import { Controller, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { page, schemas, type JobTaskView, type JobView, type Page } from '@berth/client';
import { jobNeeds, jobTask, jobTasks, type JobTask } from '@berth/contracts';
import type { EventStore } from '@berth/event-store';
import type { Runtime } from '@berth/runtime';
import { Door } from '../access/door.js';
import { jobTaskWords, leastFor } from '../access/job-tasks.js';
import { Needs } from '../access/needs.js';
import { OF_TASK, permissionFor } from '../access/permissions.js';
import { Hub } from '../live/hub.js';
import { pour } from '../live/pour.js';
import { eventsOf } from '../live/sse.js';
import { jobView, type JobRow } from '../views/job.js';
import { listForm } from '../views/lists.js';
import { Reads } from '../views/reads.js';
import { accepted, commandId, Commands } from './commands.js';
import { command, Describe, settles } from './describe.js';
import { lastEvent } from './last-event.js';
import { nameIn } from './names.js';
import { listQuery, pageOf } from './paging.js';
import * as parameters from './parameters.js';
import { HttpProblem, notFound } from './problem.js';
import { objectBody } from './server.js';
import { RUNTIME, STORE } from './tokens.js';

const form = listForm('job');
const unknownJob = (id: string): HttpProblem => notFound('unknown-job', `hardware job ${JSON.stringify(id)}`, '/api/v1/jobs');

/** Hardware jobs. */
@Controller('api/v1')
export class JobsController {
  constructor(
    @Inject(Reads) private readonly reads: Reads,
    @Inject(Commands) private readonly commands: Commands,
    @Inject(Door) private readonly door: Door,
    @Inject(Hub) private readonly hub: Hub,
    @Inject(STORE) private readonly store: EventStore,
    @Inject(RUNTIME) private readonly runtime: Runtime,
  ) {}

  @Get('job-tasks')
  @Needs('jobs:read')
  @Describe({ summary: 'The tasks of hardware jobs, whether they are published here, and who may ask for them.', answers: { 200: page(schemas.JobTaskView) } })
  tasks(@Req() { principal }: FastifyRequest): Page<JobTaskView> {
    const { jobTasks: published = jobTasks } = this.runtime.config;
    const items = jobTasks.map((task): JobTaskView => {
      const { title, description, effect } = jobTaskWords[task];
      const permission = permissionFor(task);
      return { task, title, description, effect, published: published.includes(task), permission, least: leastFor(task), may: principal!.permissions.has(permission), needs: jobNeeds[task].map((one) => [...one]) };
    });
    return { items, cursor: null };
  }

  @Get('jobs')
  @Needs('jobs:read', 'problem')
  @Describe({ summary: 'Hardware jobs, newest first unless another order is asked for.', query: parameters.ofList(form), answers: { 200: page(schemas.JobView) }, shows: { kinds: ['job'], rows: true } })
  async list(@Req() request: FastifyRequest): Promise<Page<JobView>> {
    const query = listQuery(request, form);
    return pageOf(await this.reads.jobs(query), query, jobView);
  }

  @Get('jobs/:id')
  @Needs('jobs:read', 'problem')
  @Describe({ summary: 'One hardware job with its attempts.', answers: { 200: schemas.JobView }, problems: ['unknown-job'], shows: { kinds: ['job'], one: 'id' } })
  async get(@Param('id') id: string): Promise<JobView> {
    return jobView(await this.found(id));
  }

  @Get('jobs/:id/events')
  @Needs('jobs:read')
  @Describe({
    summary: 'What happens to a hardware job, from its beginning on, as server-sent events; `Last-Event-ID` or `after` says where to go on.',
    query: { after: z.string().regex(/^\d{1,15}(\.\d{1,6})?$/).describe('id of the last event that is known') },
    answers: { 200: { types: ['text/event-stream'], what: 'each `data` is one event', schema: schemas.LiveEvent } }, problems: ['unknown-job'],
  })
  async events(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const place = lastEvent(request);
    await this.found(id);
    const headers = { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' };
    await pour(reply, headers, (signal) => eventsOf(this.store, this.hub, 'job', id, place, signal), this.runtime.log);
  }

  /** Ends at the next point where the machine is not left half-done. */
  @Post('jobs/:id/cancel')
  @Needs(OF_TASK)
  @Describe({
    summary: 'Ends a hardware job at the next point where the machine is not left half-done.', body: command('host-agent-gateway', 'CancelJob', 'job'), answers: { 202: schemas.Accepted }, settles: settles.job,
    problems: ['unknown-job', 'job-ended'],
  })
  async cancel(@Param('id') job: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const { task } = await this.found(job);
    this.door.mustHave(request, permissionFor(task));
    await this.commands.send('host-agent-gateway', 'CancelJob', { ...objectBody(request), job }, commandId(request));
    return accepted(reply, 202, `jobs/${job}`, { id: job });
  }

  @Post('machines/:name/jobs')
  @Needs(OF_TASK)
  @Describe({
    summary: 'Asks for a hardware job on a machine.', body: command('host-agent-gateway', 'RequestJob', 'machine', 'worker'), answers: { 202: schemas.Accepted }, settles: settles.job,
    problems: ['unknown-hardware', 'unknown-machine', 'unpublished-task', 'unconfigured-task', 'job-live', 'loan-live', 'no-loan', 'not-allowed'],
  })
  async request(@Param('name') machine: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const body = objectBody(request);
    const task = taskOf(body['task']);
    this.door.mustHave(request, permissionFor(task));
    if (body['worker'] !== undefined || body['machine'] !== undefined) throw new HttpProblem('invalid-data', 'The request is refused: the path says which machine.', [{ field: body['worker'] === undefined ? 'machine' : 'worker', message: 'leave it out' }]);
    const { id } = await this.commands.send('host-agent-gateway', 'RequestJob', { ...body, machine: known(machine) }, commandId(request));
    return accepted(reply, 202, `jobs/${id}`, { id });
  }

  /** From the machine itself, or from whoever installed it. */
  @Post('machines/:name/installed')
  @Needs('jobs:installed')
  @Describe({
    summary: 'Reports that the installation of a machine that is being reimaged has finished.', body: command('host-agent-gateway', 'ReportInstalled', 'machine'), answers: { 202: schemas.Accepted },
    problems: ['unknown-hardware', 'unknown-job', 'job-ended', 'not-allowed'],
  })
  async installed(@Param('name') machine: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const { id } = await this.commands.send('host-agent-gateway', 'ReportInstalled', { ...objectBody(request), machine: known(machine) }, commandId(request));
    return accepted(reply, 202, `hardware/${machine}`, { id });
  }

  private async found(id: string): Promise<JobRow> {
    const row = await this.reads.job(id);
    if (!row) throw unknownJob(id);
    return row;
  }
}

function taskOf(given: unknown): JobTask {
  const parsed = jobTask.safeParse(given);
  if (parsed.success) return parsed.data;
  const message = given === undefined ? `is required: use one of ${jobTasks.join(', ')}` : `is no task: use one of ${jobTasks.join(', ')}`;
  throw new HttpProblem('invalid-data', `The request is refused: task ${message}.`, [{ field: 'task', message }]);
}

const known = (name: string): string => nameIn(name, (given) => notFound('unknown-hardware', `machine ${JSON.stringify(given)}`, '/api/v1/hardware'));
