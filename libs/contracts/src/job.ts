import { z } from 'zod';
import { escalationStep, worker, workerId } from './hardware.js';
import { hostKey } from './machine.js';
import { name, span, uuid } from './scalars.js';

/** What can be done with a machine. */
export const jobTasks = [
  'ping', 'status', 'reboot', 'ssh_reboot', 'ipmi_off', 'ipmi_on', 'ipmi_cycle', 'ipmi_reset', 'ipmi_list', 'redfish_off', 'redfish_on', 'redfish_cycle', 'redfish_reset', 'redfish_list',
  'snmp_reboot', 'xenapi_reboot', 'ilo_reboot', 'wake', 'reimage', 'disable', 'enable', 'loan', 'return_loan', 'file_ticket',
] as const;
export const jobTask = z.enum(jobTasks);
export type JobTask = z.infer<typeof jobTask>;

/** What a token may be given besides what its role may do: to ask for a task, or to report that an installation has finished. */
export const jobRight = z.enum([...jobTasks, 'installed']);
export type JobRight = z.infer<typeof jobRight>;

/** How far a job is, in the words that the field uses. */
export const jobStatus = z.enum(['QUEUED', 'RUNNING', 'COMPLETE', 'FAILED', 'CANCELLED']);
export type JobStatus = z.infer<typeof jobStatus>;

/** What became of a machine, as far as the job has seen: something else than what became of the job. */
export const machineOutcome = z.enum(['up', 'down', 'unknown']);
export type MachineOutcome = z.infer<typeof machineOutcome>;

/** Why an attempt came to nothing, for programs. */
export const attemptFault = z.enum([
  'unreachable', 'timeout', 'not-authorised', 'refused', 'unknown-answer', 'no-program', 'no-secret', 'key-changed', 'stayed-up', 'stayed-down', 'interrupted', 'cancelled', 'tracker',
]);
export type AttemptFault = z.infer<typeof attemptFault>;

/** What was done with which tracker. */
export const ticket = z.object({
  tracker: z.string().describe('bugzilla, webhook'),
  id: z.string(),
  url: z.string().optional(),
  how: z.enum(['filed', 'commented', 'reopened']),
});
export type Ticket = z.infer<typeof ticket>;

const reason = z.string().min(1).max(1024);
const attempt = z.number().int().positive().describe('which, counted from 1');
const output = z.string().max(16_384).describe('the last of what the method said, without secrets');

export const jobCommands = {
  RequestJob: z
    .object({
      task: jobTask,
      machine: name.optional().describe('the machine'),
      worker: worker.partial({ id: true }).extend({ id: workerId }).optional().describe('or the worker that runs on it'),
      force: z.boolean().default(false).describe('ends the work on the machine instead of waiting for it: builds begin again on another'),
      reason: reason.optional().describe('why, for the history'),
      to: z.string().min(1).max(128).optional().describe('of a loan: for whom; who asks when absent'),
      softLimit: span.default(600_000).describe('no further attempt begins after so long'),
      hardLimit: span.default(1_200_000).describe('it has failed after so long; a loan has no limits'),
    })
    .refine(({ machine, worker: on }) => (machine === undefined) !== (on === undefined), { path: ['machine'], message: 'give either machine or worker' })
    .describe('Asks for a hardware job. The id of the command is the id of the job. A second live job of the same task on the same machine is refused with the id of the first.'),
  CancelJob: z.object({ job: uuid, reason: reason.default('cancelled') }).describe('Ends a job at the next point where the machine is not left half-done.'),
  ReportInstalled: z
    .object({ machine: name, hostKey: hostKey.optional().describe('the key that it shows from now on') })
    .describe('From an installation that has finished: the machine that is being reimaged is ready.'),
} as const;

export const jobEvents = {
  JobRequested: z
    .object({
      task: jobTask, machine: name, worker: worker.optional(), force: z.boolean(), reason: z.string().optional(), to: z.string().optional(),
      lease: uuid.optional().describe('the exclusive lease that it waits for, where the machine is enrolled and the task touches it'),
      softLimit: z.number(), hardLimit: z.number(),
      escalation: z.array(escalationStep).optional().describe('how a reboot goes on when a method fails, as it was said at that time'),
    })
    .describe('QUEUED: asked for.'),
  JobStarted: z.object({}).describe('RUNNING: it has the machine.'),
  JobNoted: z.object({ activity: z.string() }).describe('What it is at.'),
  AttemptStarted: z.object({ attempt, method: z.string(), timeout: z.number().optional() }).describe('A method is tried. Stored before anything is sent to the machine.'),
  AttemptStep: z.object({ attempt, step: z.string().describe('such as sent, off, on, down') }).describe('How far an attempt is: after a restart it goes on from here.'),
  AttemptSkipped: z.object({ attempt, method: z.string(), reason: z.string() }).describe('A method was not tried: the machine has not what it needs.'),
  AttemptEnded: z
    .object({ attempt, outcome: z.enum(['succeeded', 'failed']), fault: attemptFault.optional(), error: z.string().optional(), output: output.optional(), durationMs: z.number().nonnegative() })
    .describe('How an attempt ended.'),
  TicketTold: ticket.describe('A person is to look at it.'),
  CancelRequested: z.object({ reason: z.string() }).describe('It is to end.'),
  InstallationReported: z.object({ hostKey: hostKey.optional() }).describe('The installation that it waits for has finished.'),
  JobCompleted: z.object({ machine: machineOutcome, result: z.record(z.string(), z.unknown()).default({}) }).describe('COMPLETE.'),
  JobFailed: z.object({ machine: machineOutcome, code: z.string(), error: z.string() }).describe('FAILED.'),
  JobCancelled: z.object({ reason: z.string() }).describe('CANCELLED: nothing more is done.'),
} as const;

