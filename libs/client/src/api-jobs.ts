import { z } from 'zod';
import { attemptFault, escalationStep, instant, jobNeed, jobStatus, jobTask, machineOutcome, ticket, worker, type CommandInput, role } from '@berth/contracts';
import type { PageOptions } from './api-lists.js';

/** What the HTTP API says of hardware jobs. */

/** One try of one method. */
export const attemptView = z
  .object({
    attempt: z.int().describe('which, counted from 1'),
    method: z.string(),
    outcome: z.enum(['running', 'succeeded', 'failed', 'skipped']),
    steps: z.array(z.object({ step: z.string(), at: instant })).describe('how far it came, such as sent, off, on, down'),
    fault: attemptFault.nullable().describe('why it failed, for programs'),
    error: z.string().nullable().describe('why it failed or was skipped'),
    output: z.string().nullable().describe('the last of what the method said, without secrets'),
    startedAt: instant,
    endedAt: instant.nullable(),
    durationMs: z.number().nullable(),
  })
  .describe('One try of one method.');
export type AttemptView = z.infer<typeof attemptView>;

/** A hardware job: something done with a machine. */
export const jobView = z
  .object({
    id: z.string(),
    task: jobTask,
    machine: z.string(),
    worker: worker.nullable().describe('that it was asked for by'),
    status: jobStatus,
    activity: z.string().nullable().describe('what it is at'),
    error: z.object({ code: z.string(), message: z.string() }).nullable().describe('why it failed or was cancelled'),
    machineOutcome: machineOutcome.nullable().describe('what became of the machine, as far as it has seen: something else than what became of the job'),
    result: z.record(z.string(), z.unknown()).nullable().describe('what it found, when it is complete'),
    ticket: ticket.nullable().describe('that a person looks at'),
    requester: z.string().describe('who asked, as the history says it'),
    reason: z.string().nullable().describe('why it was asked for'),
    to: z.string().nullable().describe('of a loan: for whom'),
    force: z.boolean().describe('it ends the work on the machine instead of waiting for it'),
    cancelling: z.string().nullable().describe('why it is to end; null: it is not'),
    lease: z.string().nullable().describe('the exclusive lease that keeps others off the machine'),
    softLimit: z.number().describe('no further attempt begins after so many milliseconds'),
    hardLimit: z.number().describe('it has failed after so many milliseconds'),
    escalation: z.array(escalationStep).nullable().describe('how a reboot goes on when a method fails'),
    attempts: z.array(attemptView),
    created: instant,
    started: instant.nullable(),
    finished: instant.nullable(),
    modified: instant,
    position: z.int().describe('in BERTH_EVENTS, of its last change in this view'),
  })
  .describe('A hardware job: something done with a machine.');
export type JobView = z.infer<typeof jobView>;

/** A task, and who may ask for it. */
export const jobTaskView = z
  .object({
    task: jobTask,
    title: z.string(),
    description: z.string(),
    effect: z.enum(['looks', 'changes', 'power']).describe('looks: nothing is otherwise afterwards; power: what runs on the machine is cut off; changes: anything else'),
    published: z.boolean().describe('false: nobody is served it here'),
    permission: z.string(),
    least: role.describe('the least role that may ask for it; tokens may be given it besides'),
    may: z.boolean().describe('whether whoever asks may ask for it'),
    needs: z.array(z.array(jobNeed)).describe('what a machine has or is for it to be possible: of each of these one. A reboot on a ladder of its own needs what a method of that needs instead'),
  })
  .describe('A task, and who may ask for it.');
export type JobTaskView = z.infer<typeof jobTaskView>;

/** What a request in the form of other controllers is answered with. */
export const jobTicket = z.object({ task_name: jobTask, tc_worker_id: z.string(), task_id: z.string().describe('id of the job') }).describe('A job that was asked for by its worker.');
export type JobTicket = z.infer<typeof jobTicket>;
/** The same for a "no" that concerns fields. */
export const fieldMessages = z.record(z.string(), z.array(z.string())).describe('By the name of each parameter what is wrong with it.');
/** Any other "no" of that form. */
export const detail = z.object({ detail: z.string() }).describe('Why not, in one sentence.');
/** There is one already. */
export const liveJob = z.object({ detail: z.string(), task_id: z.string().describe('the job that is live') }).describe('The same task is under way on that machine.');
/** No machine runs that worker. */
export const workerMissing = z.object({ tc_worker_id: z.string() }).describe('Why no machine is found by that worker.');

/** What is asked for of a machine. */
export type JobInput = Omit<CommandInput<'host-agent-gateway', 'RequestJob'>, 'machine' | 'worker'>;

type Several = string | readonly string[] | undefined;
export interface JobQuery extends PageOptions {
  /** QUEUED, RUNNING, COMPLETE, FAILED, CANCELLED; with commas between several */
  status?: string | undefined;
  task?: string | undefined;
  machine?: Several;
  /** id of a worker */
  worker?: Several;
  requester?: Several;
}
/** What a worker is told apart by where its id is not enough. */
export interface WorkerParts {
  group?: string | undefined;
  type?: string | undefined;
  provisioner?: string | undefined;
}
