import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { JobTicket } from '@berth/client';
import { commands, fieldErrors, jobTask, jobTasks, worker, workerId } from '@berth/contracts';
import { Door } from '../access/door.js';
import { Needs } from '../access/needs.js';
import { OF_TASK, permissionFor } from '../access/permissions.js';
import { bareAnswers } from './bare.js';
import { accepted, commandId, Commands } from './commands.js';
import { Describe } from './describe.js';
import * as parameters from './parameters.js';
import { HttpProblem } from './problem.js';
import { queryFlag, queryText } from './server.js';

const { group, type, provisioner } = worker.shape;
/** What a request says, under the names that it says it by. */
const asked = z.object({ task_name: jobTask, tc_worker_id: workerId, worker_group: group, worker_type: type, provisioner_id: provisioner });
const { task_name, worker_group, worker_type, provisioner_id } = asked.shape;
const { reason, to, softLimit, hardLimit } = commands['host-agent-gateway'].RequestJob.shape;
/** What can be said besides, where a request says more than others do. */
const more = { force: parameters.flag.describe('ends the work on the machine instead of waiting for it'), reason, to, soft_limit: softLimit, hard_limit: hardLimit };
const summary = 'Asks for a hardware job on the machine that runs a worker. All of it stands in the address; a body is not looked at.';

/** Requests for hardware jobs in the form of other controllers, which dashboards of continuous integration send. */
@Controller('api/v1')
export class JobRequestsController {
  constructor(
    @Inject(Commands) private readonly commands: Commands,
    @Inject(Door) private readonly door: Door,
  ) {}

  @Post('jobs')
  @Needs(OF_TASK, 'bare')
  @Describe({ summary, query: { task_name, tc_worker_id: workerId }, answers: bareAnswers })
  request(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<JobTicket> {
    return this.ask(request, reply, { tc_worker_id: queryText(request, 'tc_worker_id') });
  }

  @Post('workers/:worker_id/jobs')
  @Needs(OF_TASK, 'bare')
  @Describe({ summary, params: { worker_id: workerId }, query: { task_name, worker_group, worker_type, provisioner_id, ...more }, answers: bareAnswers })
  ofWorker(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<JobTicket> {
    const { worker_id } = request.params as { worker_id: string };
    const parts = Object.fromEntries(['worker_group', 'worker_type', 'provisioner_id'].map((name) => [name, queryText(request, name)]));
    return this.ask(request, reply, { tc_worker_id: worker_id, ...parts }, {
      force: queryFlag(request, 'force') || undefined, reason: queryText(request, 'reason'), to: queryText(request, 'to'),
      softLimit: queryText(request, 'soft_limit'), hardLimit: queryText(request, 'hard_limit'),
    });
  }

  @Post('workers/:worker_id/group/:group/jobs')
  @Needs(OF_TASK, 'bare')
  @Describe({ summary, params: { worker_id: workerId, group: worker_group.unwrap() }, query: { task_name }, answers: bareAnswers })
  ofGroup(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<JobTicket> {
    const { worker_id, group: worker_group } = request.params as { worker_id: string; group: string };
    return this.ask(request, reply, { tc_worker_id: worker_id, worker_group });
  }

  private async ask(request: FastifyRequest, reply: FastifyReply, said: Record<string, string | undefined>, besides: Record<string, string | true | undefined> = {}): Promise<JobTicket> {
    const { task_name: task, tc_worker_id: id, worker_group: group, worker_type: type, provisioner_id: provisioner } = read({ ...said, task_name: queryText(request, 'task_name') });
    this.door.mustHave(request, permissionFor(task));
    const on = { id, ...(group !== undefined && { group }), ...(type !== undefined && { type }), ...(provisioner !== undefined && { provisioner }) };
    const given = Object.fromEntries(Object.entries(besides).filter(([, value]) => value !== undefined));
    const { id: job } = await this.commands.send('host-agent-gateway', 'RequestJob', { task, worker: on, ...given }, commandId(request));
    accepted(reply, 201, `jobs/${job}`, { id: job });
    return { task_name: task, tc_worker_id: id, task_id: job };
  }
}

/** @throws {HttpProblem} with all that is wrong: nothing is asked for then */
function read(said: Record<string, string | undefined>): z.output<typeof asked> {
  const parsed = asked.safeParse(said);
  if (parsed.success) return parsed.data;
  const errors = fieldErrors(parsed.error).map(({ field, message }) => ({ field, message: said[field] === undefined ? 'is required' : field === 'task_name' ? `there is no task ${JSON.stringify(said[field])}: use ${jobTasks.join(', ')}` : message }));
  throw new HttpProblem('invalid-data', 'The request is refused.', errors);
}
