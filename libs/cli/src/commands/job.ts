import { InvalidArgumentError, Option, type Command } from 'commander';
import { randomUUID } from 'node:crypto';
import { ProblemError, type JobQuery, type JobTaskView, type JobView, type WorkerParts } from '@berth/client';
import { jobTask, jobTasks, type JobTask } from '@berth/contracts';
import { leaf, type Context } from '../context.js';
import { Exit, Failure, FAILED, INTERRUPTED } from '../failure.js';
import { isEnd, jobWatcher, machineWords, ticketWords } from '../job-watcher.js';
import { count, timeText } from '../options.js';
import { facts, printable, relative, span, table } from '../text.js';

interface RunOptions extends WorkerParts {
  worker?: true;
  force?: true;
  reason?: string;
  to?: string;
  softLimit?: string;
  hardLimit?: string;
  watch?: true;
}

const RUN_NOTES = `
Examples:
  berth job run ping mac-7 --watch
  berth job run reboot mac-7 --reason "hangs since noon" --watch
  berth job run reimage mac-7 --force
  berth job run loan mac-7 --to ada@example.com
  berth job run reboot mac-7-worker --worker --group releng

It waits for the work on the machine, as every lease does; --force ends that, and builds begin again elsewhere. Prints the id of the
job. With --watch it tells what happens until the job is over, and ends with 0 for COMPLETE, 1 for FAILED and CANCELLED, and 130
when it is interrupted: the job goes on then.`;

/** `berth job …` */
export function jobCommands(program: Command, context: Context): void {
  const job = program.command('job').description('hardware jobs: ping, reboot, power, reimage, lend a machine from outside of it');
  const workerOnly = (flags: string, description: string) => new Option(flags, description).implies({ worker: true });
  leaf(job, 'run', 'do something with a machine')
    .argument('<task>', 'what to do: `berth job tasks` lists it', taskOf)
    .argument('<machine>', 'name of the machine; with --worker the id of a worker that runs on it')
    .option('--worker', 'it is named by the id of a worker')
    .addOption(workerOnly('--group <name>', 'group of the worker, where its id is not enough'))
    .addOption(workerOnly('--type <name>', 'type of the worker, the same'))
    .addOption(workerOnly('--provisioner <name>', 'provisioner of the worker, the same'))
    .option('--force', 'end the work on the machine instead of waiting for it')
    .option('--reason <text>', 'why, for the history')
    .option('--to <name>', 'of a loan: for whom (default: you)')
    .option('--soft-limit <duration>', 'no further attempt begins after so long (default: 10m)', timeText)
    .option('--hard-limit <duration>', 'it has failed after so long (default: 20m)', timeText)
    .option('--watch', 'tell what happens until it is over')
    .addHelpText('after', RUN_NOTES)
    .action((task: JobTask, which: string, options: RunOptions) => start(context, task, which, options));
  leaf(job, 'list', 'hardware jobs, newest first')
    .option('--status <status>', 'only these: QUEUED, RUNNING, COMPLETE, FAILED, CANCELLED (with commas)')
    .option('--task <task>', 'only these tasks (with commas)')
    .option('--machine <name...>', 'only on these machines')
    .option('--worker <id...>', 'only asked for by these workers')
    .option('--requester <who...>', 'only asked for by these, such as token:ci')
    .option('--sort <order>', 'created or modified; with - before it the newest first')
    .option('--limit <count>', 'at most so many', count)
    .option('--cursor <cursor>', 'from this place of an earlier list on')
    .action(async ({ status, task, machine, worker, requester, sort, limit, cursor }: JobQuery) => {
      const page = await context.berth.jobs.list({ status, task, machine, worker, requester, sort, limit, cursor });
      context.result(page, () => (page.items.length === 0 ? 'No hardware jobs.' : listed(page.items, context.colour) + (page.cursor === null ? '' : `\nMore: --cursor ${page.cursor}`)));
    });
  leaf(job, 'show <id>', 'one job, with its attempts').action(async (id: string) => {
    const view = await context.berth.jobs.get(id);
    context.result(view, () => shown(view, context.colour));
  });
  leaf(job, 'watch <id>', 'tell what happens to a job until it is over: 0 only when it is COMPLETE').action((id: string) => watch(context, id));
  leaf(job, 'cancel <id>', 'end a job at the next point where the machine is not left half-done')
    .option('--reason <text>', 'why, for the history')
    .action(async (id: string, { reason }: { reason?: string }) => {
      const answer = await context.berth.jobs.cancel(id, reason);
      context.result(answer, () => `Job ${id} ends as soon as the machine is not left half-done: \`berth job watch ${id}\` tells when.`);
    });
  leaf(job, 'tasks', 'what can be asked for, and whether you may').action(async () => {
    const page = await context.berth.jobs.tasks();
    context.result(page, () => taskTable(page.items, context.colour));
  });
}

function taskOf(text: string): JobTask {
  const parsed = jobTask.safeParse(text);
  if (!parsed.success) throw new InvalidArgumentError(`There is no task ${JSON.stringify(text)}: use ${jobTasks.join(', ')}.`);
  return parsed.data;
}

async function start(context: Context, task: JobTask, which: string, { worker, group, type, provisioner, force, reason, to, softLimit, hardLimit, watch: watched }: RunOptions): Promise<void> {
  if (to !== undefined && task !== 'loan') throw new Failure('usage', `--to says for whom a loan is: it does not go with ${task}.`, [], 2);
  const more = { ...(force && { force }), ...(reason !== undefined && { reason }), ...(to !== undefined && { to }), ...(softLimit !== undefined && { softLimit }), ...(hardLimit !== undefined && { hardLimit }) };
  const id = randomUUID();
  const { jobs } = context.berth;
  try {
    await (worker ? jobs.requestOnOneOf(which, task, { group, type, provisioner, ...more }, { id }) : jobs.request(which, { task, ...more }, { id }));
  } catch (error) {
    throw toldWhere(error, task, which, worker === true);
  }
  if (watched) return watch(context, id);
  context.result({ id }, () => id);
}

/** What is refused because of another job, or a name that is not known, with the way on. */
function toldWhere(error: unknown, task: JobTask, which: string, isWorker: boolean): unknown {
  if (!(error instanceof ProblemError)) return error;
  const live = error.errors.find(({ field }) => field === 'task_id')?.message;
  if (error.code === 'job-live' && live !== undefined) return new Failure(error.code, `A job ${task} is live on ${isWorker ? `the machine of ${which}` : which} already: follow it with \`berth job watch ${live}\`, or end it with \`berth job cancel ${live}\`.`, error.errors, FAILED);
  if (error.code === 'unknown-hardware') return new Failure(error.code, `Nobody has said how machine ${which} is managed: \`berth hardware list\` shows the machines that are, \`berth hardware set\` adds one.`, [], FAILED);
  if (error.code === 'unknown-worker') return new Failure(error.code, `Worker ${which}: ${error.message} \`berth hardware list\` shows the workers.`, [], FAILED);
  return error;
}

/** Tells what happens to a job until it is over; ends as it does. Whoever stops watching does not end it. */
async function watch(context: Context, id: string): Promise<void> {
  const { io, json, berth } = context;
  const given = new AbortController();
  const interrupt = () => given.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
  // With --json the one value on stdout is the result; what is watched goes beside it.
  const watcher = jobWatcher(json ? io.stderr : io.stdout);
  let last: string | undefined;
  try {
    for await (const event of berth.jobs.events(id, { signal: given.signal })) {
      watcher.event(event);
      if (!isEnd(event)) continue;
      last = event.position;
      break;
    }
  } finally {
    watcher.end();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupt);
  }
  if (last === undefined) {
    context.note(`Job ${id} goes on: follow it with \`berth job watch ${id}\`, end it with \`berth job cancel ${id}\`.`);
    throw new Exit(INTERRUPTED);
  }
  const view = await berth.jobs.get(id, { after: Number.parseInt(last, 10) });
  context.result(view, () => `\n${shown(view, context.colour)}`);
  if (view.status !== 'COMPLETE') throw new Exit(FAILED);
}

const listed = (jobs: JobView[], colour: boolean): string =>
  table(
    jobs,
    [
      ['JOB', (j) => j.id],
      ['TASK', (j) => j.task],
      ['MACHINE', (j) => j.machine],
      ['STATUS', (j) => j.status],
      ['MACHINE IS', (j) => j.machineOutcome],
      ['BY', (j) => j.requester],
      ['CREATED', (j) => relative(j.created)],
      ['ACTIVITY', (j) => j.error?.message ?? j.activity],
    ],
    { colour },
  );

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function shown(job: JobView, colour: boolean): string {
  const { worker, ticket, result } = job;
  const head = facts([
    ['job', job.id],
    ['task', job.task],
    ['machine', job.machine],
    ['worker', worker && [worker.id, worker.group, worker.type, worker.provisioner].filter((part) => part !== undefined).join(', ')],
    ['status', job.status],
    ['activity', job.activity],
    ['error', job.error && `${job.error.message} (${job.error.code})`],
    ['outcome', job.machineOutcome && machineWords[job.machineOutcome]],
    ['ticket', ticket && `${ticket.id} (${ticket.tracker}) is ${ticketWords[ticket.how]}${ticket.url === undefined ? '' : `: ${ticket.url}`}`],
    ['asked for by', job.requester],
    ['reason', job.reason],
    ['for', job.to],
    ['force', job.force ? 'yes' : null],
    ['is to end', job.error === null ? job.cancelling : null],
    ['lease', job.lease],
    ['limits', `${span(job.softLimit)}, ${span(job.hardLimit)}`],
    ['created', relative(job.created)],
    ['started', job.started && relative(job.started)],
    ['finished', job.finished && relative(job.finished)],
    ...Object.entries(result ?? {}).map(([key, value]) => [key, text(value)] as const),
  ]);
  const attempts = table(
    job.attempts,
    [
      ['ATTEMPT', (a) => a.attempt],
      ['METHOD', (a) => a.method],
      ['OUTCOME', (a) => a.outcome],
      ['STEPS', (a) => a.steps.map(({ step }) => step).join(', ')],
      ['TIME', (a) => (a.durationMs === null ? null : span(a.durationMs))],
      ['FAULT', (a) => a.fault],
      ['ERROR', (a) => a.error],
    ],
    { colour },
  );
  const outputs = job.attempts.flatMap((a) => (a.output ? [`attempt ${a.attempt}, ${a.method}:\n${a.output.trimEnd().split('\n').map((line) => `  ${printable(line)}`).join('\n')}`] : []));
  return [head, job.attempts.length > 0 ? attempts : '', ...outputs].filter(Boolean).join('\n\n');
}

const taskTable = (tasks: readonly JobTaskView[], colour: boolean): string =>
  table(
    tasks,
    [
      ['TASK', (t) => t.task],
      ['PUBLISHED', (t) => (t.published ? 'yes' : 'no')],
      ['YOU MAY', (t) => (t.may && t.published ? 'yes' : 'no')],
      ['LEAST ROLE', (t) => t.least],
      ['WHAT IT DOES', (t) => t.description],
    ],
    { colour },
  );
