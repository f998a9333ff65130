import { derivedId, rejected, type AnyRecorded, type Answer, type CommandData, type HardwareEvent, type HardwareGroupEvent, type HardwareGroupSpec, type JobEvent, type JobTask, type Refusal } from '@berth/contracts';
import { aggregates, tellUntilStored, type Aggregates, type Command, type Follower, type Runtime } from '@berth/runtime';
import { causeOf, own } from '../cause.js';
import type { Grants } from '../domain/grants.js';
import { groupDecider, hardwareDecider, type Group, type GroupCommand, type Hardware, type HardwareCommand } from '../domain/hardware.js';
import { isLiveJob, jobDecider, type Job, type JobCommand, type JobInfo, type LiveJob } from '../domain/job.js';
import { escalationOf, type ManagedMachine } from './machine.js';
import { tasks } from './tasks/index.js';
import type { TaskKind } from './tasks/task.js';

export type JobAggregates = Aggregates<Job, JobCommand, JobEvent>;
type Data<T extends 'RequestJob' | 'CancelJob' | 'ReportInstalled' | 'SetHardware' | 'RemoveHardware' | 'SetHardwareGroup' | 'RemoveHardwareGroup' | 'CompleteLoanStep'> = Command<CommandData<'host-agent-gateway', T>>;

/** Machines as hardware, their groups, and jobs: what there is, and what people ask for. Who carries jobs out is `carrying.ts`. */
export class Jobs {
  readonly jobs: JobAggregates;
  readonly hardware: Aggregates<Hardware, HardwareCommand, HardwareEvent>;
  readonly groups: Aggregates<Group, GroupCommand, HardwareGroupEvent>;
  /** live jobs by machine */
  private readonly live = new Map<string, Set<string>>();
  /** by machine and task: jobs that were let in, and that the feed has not shown yet */
  private readonly admitted = new Map<string, string>();
  /** machines by the workers that run on them */
  private readonly workers = new Map<string, Set<string>>();
  /** leases that machines are on loan under */
  private readonly lent = new Set<string>();

  constructor(
    private readonly runtime: Runtime,
    private readonly grants: Pick<Grants, 'hostOf'>,
    private readonly reached: (position: number | undefined) => Promise<void>,
    feed: () => Follower['feed'],
    /** tasks that may be asked for */
    private readonly published: ReadonlySet<JobTask>,
  ) {
    this.jobs = aggregates('job', jobDecider, runtime.store, feed);
    this.hardware = aggregates('hardware', hardwareDecider, runtime.store, feed);
    this.groups = aggregates('hardware-group', groupDecider, runtime.store, feed);
  }

  // --- what there is ---

  /** A machine that is managed. */
  machine(name: string): ManagedMachine | undefined {
    const state = this.hardware.get(name)?.state;
    if (state?.status !== 'managed') return undefined;
    const groups = state.spec.groups.flatMap((group): HardwareGroupSpec[] => {
      const known = this.groups.get(group)?.state;
      return known?.status === 'set' ? [known.spec] : [];
    });
    const host = this.grants.hostOf(name);
    return { name, spec: state.spec, groups, ...(host && { access: host.access }), ...(state.loan && { loan: state.loan }) };
  }

  liveOn(machine: string): { id: string; job: LiveJob }[] {
    return [...(this.live.get(machine) ?? [])].flatMap((id) => {
      const job = this.jobs.get(id)?.state;
      return job && isLiveJob(job) ? [{ id, job }] : [];
    });
  }

  allLive(): string[] {
    return [...this.live.values()].flatMap((ids) => [...ids]);
  }

  tell(id: string, command: JobCommand, role: string): void {
    tellUntilStored(this.runtime, this.jobs, id, command, own(derivedId(id, role)));
  }

  // --- feed ---

  apply(recorded: AnyRecorded): void {
    if (recorded.kind === 'hardware') {
      const before = this.hardware.get(recorded.id)?.state;
      this.hardware.apply(recorded);
      this.index(recorded.id, before, this.hardware.get(recorded.id)?.state);
    } else if (recorded.kind === 'hardware-group') this.groups.apply(recorded);
    else if (recorded.kind === 'job') {
      this.jobs.apply(recorded);
      const job = this.jobs.get(recorded.id)?.state;
      if (!job || job.status === 'none') return;
      const { machine, task } = job.info;
      this.admitted.delete(keyOf(machine, task));
      const ids = this.live.get(machine) ?? new Set();
      if (isLiveJob(job)) this.live.set(machine, ids.add(recorded.id));
      else {
        ids.delete(recorded.id);
        if (ids.size === 0) this.live.delete(machine);
      }
    }
  }

  /** Is a machine on loan under it? */
  isLent(lease: string): boolean {
    return this.lent.has(lease);
  }

  private index(machine: string, before: Hardware | undefined, now: Hardware | undefined): void {
    const lease = (hardware: Hardware | undefined) => (hardware?.status === 'managed' ? hardware.loan?.lease : undefined);
    const [was, is] = [lease(before), lease(now)];
    if (was !== undefined) this.lent.delete(was);
    if (is !== undefined) this.lent.add(is);
    if (before?.status === 'managed') for (const { id } of before.spec.workers) this.workers.get(id)?.delete(machine);
    if (now?.status === 'managed') for (const { id } of now.spec.workers) this.workers.set(id, (this.workers.get(id) ?? new Set()).add(machine));
  }

  // --- commands ---

  async request(command: Data<'RequestJob'>): Promise<Answer> {
    await this.reached(command.after);
    if (this.jobs.get(command.id) || (await this.runtime.store.load('job', command.id)).length > 0) return { accepted: true, id: command.id };
    const { task, force, reason, to, softLimit, hardLimit, worker } = command.data;
    const found = this.find(command.data);
    if ('accepted' in found) return found;
    const refusal = this.check(task, found) ?? this.duplicate(command.id, task, found.name);
    if (refusal) return refusal;
    const kind: TaskKind = tasks[task];
    const info: JobInfo = {
      task, machine: found.name, force, softLimit, hardLimit,
      ...(worker && { worker }), ...(reason !== undefined && { reason }), ...(to !== undefined && { to }),
      // On loan it is nobody else's anyway: whoever asks works under the loan.
      ...(kind.takesMachine && found.access && !found.loan && { lease: derivedId(command.id, 'lease') }),
      ...(kind.reboots && { escalation: [...escalationOf(found)] }),
    };
    const key = keyOf(found.name, task);
    this.admitted.set(key, command.id);
    try {
      const answer = await this.jobs.handle(command.id, { type: 'Request', info }, causeOf(command));
      if (!answer.accepted) this.admitted.delete(key);
      return answer;
    } catch (error) {
      // Whether it was stored is not known: the same command will be sent again, and others may come.
      if (this.admitted.get(key) === command.id) this.admitted.delete(key);
      throw error;
    }
  }

  private find({ machine, worker }: CommandData<'host-agent-gateway', 'RequestJob'>): ManagedMachine | Refusal {
    if (machine !== undefined) {
      return this.machine(machine) ?? rejected('unknown-hardware', `Machine ${machine} is not managed.`, [{ field: 'data.machine', message: 'is not the name of a machine that is managed: see `berth hardware list`' }]);
    }
    const { id, group, type, provisioner } = worker!;
    const names = [...(this.workers.get(id) ?? [])];
    if (names.length === 0) return rejected('unknown-worker', `There is no worker ${id}.`, [{ field: 'data.worker', message: 'is not the id of a worker: see `berth hardware list`' }]);
    const fits = names.flatMap((name) => {
      const known = this.machine(name);
      return known?.spec.workers.some((one) => one.id === id && (group ?? one.group) === one.group && (type ?? one.type) === one.type && (provisioner ?? one.provisioner) === one.provisioner) ? [known] : [];
    });
    if (fits.length === 1) return fits[0]!;
    if (fits.length === 0) return rejected('unmanaged-worker', `Worker ${id} runs on no machine of that group, type and provisioner.`, [{ field: 'data.worker', message: 'has other parts: see `berth hardware list`' }]);
    return rejected('invalid-data', `Worker ${id} runs on ${fits.length} machines.`, [{ field: 'data.worker', message: `is one of ${fits.map(({ name }) => name).join(', ')}: give its group, type or provisioner too, or the machine` }]);
  }

  private check(task: JobTask, machine: ManagedMachine): Refusal | undefined {
    if (!this.published.has(task)) return rejected('unpublished-task', `Task ${task} is not published here.`, [{ field: 'data.task', message: `must be one of ${[...this.published].join(', ')}; BERTH_JOB_TASKS says so` }]);
    const missing = tasks[task].lacks(machine);
    return missing === undefined ? undefined : rejected('unconfigured-task', `Task ${task} can't be done: ${missing}.`, [{ field: 'data.machine', message: missing }]);
  }

  /** The id of the live one is for whoever asks to look at. */
  private duplicate(id: string, task: JobTask, machine: string): Refusal | undefined {
    const live = this.liveOn(machine).find(({ job }) => job.info.task === task)?.id ?? this.admitted.get(keyOf(machine, task));
    if (live === undefined || live === id) return undefined;
    return rejected('job-live', `A job ${task} is live on machine ${machine} already: ${live}.`, [{ field: 'task_id', message: live }]);
  }

  async cancel(command: Data<'CancelJob'>): Promise<Answer> {
    await this.reached(command.after);
    return this.jobs.handle(command.data.job, { type: 'Cancel', reason: command.data.reason }, causeOf(command));
  }

  async reportInstalled(command: Data<'ReportInstalled'>): Promise<Answer> {
    await this.reached(command.after);
    const { machine, hostKey } = command.data;
    const live = this.liveOn(machine).find(({ job }) => job.info.task === 'reimage' && job.status === 'RUNNING');
    if (!live) return rejected('unknown-job', `No job reimages machine ${machine}.`, [{ field: 'data.machine', message: 'is not being reimaged: see `berth job list --task reimage`' }]);
    return this.jobs.handle(live.id, { type: 'Installed', ...(hostKey !== undefined && { hostKey }) }, causeOf(command));
  }

  async setHardware(command: Data<'SetHardware'>): Promise<Answer> {
    await this.reached(command.after);
    const unknown = command.data.groups.filter((group) => this.groups.get(group)?.state.status !== 'set');
    if (unknown.length > 0) return rejected('unknown-hardware-group', `There is no group ${unknown.join(', ')}.`, unknown.map((group) => ({ field: 'data.groups', message: `has ${group}, which is not a group: make it first (berth hardware group set)` })));
    return this.hardware.handle(command.data.name, { type: 'Set', spec: command.data }, causeOf(command));
  }

  async removeHardware(command: Data<'RemoveHardware'>): Promise<Answer> {
    await this.reached(command.after);
    const { name } = command.data;
    const live = this.liveOn(name)[0]?.id ?? [...this.admitted].find(([key]) => key.startsWith(`${name} `))?.[1];
    return this.hardware.handle(name, { type: 'Remove', name, ...(live !== undefined && { live }) }, causeOf(command));
  }

  async setGroup(command: Data<'SetHardwareGroup'>): Promise<Answer> {
    await this.reached(command.after);
    return this.groups.handle(command.data.name, { type: 'Set', spec: command.data }, causeOf(command));
  }

  async removeGroup(command: Data<'RemoveHardwareGroup'>): Promise<Answer> {
    await this.reached(command.after);
    const { name } = command.data;
    const members = [...this.hardware.entries()].flatMap(([machine, { state }]) => (state.status === 'managed' && state.spec.groups.includes(name) ? [machine] : []));
    return this.groups.handle(name, { type: 'Remove', name, members }, causeOf(command));
  }

  async completeLoanStep(command: Data<'CompleteLoanStep'>): Promise<Answer> {
    await this.reached(command.after);
    const { machine, step, done } = command.data;
    return this.hardware.handle(machine, { type: 'CompleteStep', machine, step, done }, causeOf(command));
  }
}

const keyOf = (machine: string, task: string): string => `${machine} ${task}`;
