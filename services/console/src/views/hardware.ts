import { unreachable, type AnyRecorded, type HardwareEvent, type HardwareGroupEvent, type HardwareGroupSpec, type HardwareSpec, type JobEvent, type JobStatus } from '@berth/contracts';
import type { HardwareDocument, HardwareGroupView, HardwareView, LoanView } from '@berth/client';
import { byName } from './resources.js';
import { instantOf } from './row.js';

type Of<K extends AnyRecorded['kind']> = Extract<AnyRecorded, { kind: K }>;

interface Said<S> {
  spec: S;
  set: string;
  by: string;
}

/** Machines as hardware, their loans and their groups, folded from their events: some hundreds, and kept in memory. */
export class Hardware {
  private readonly machines = new Map<string, Said<HardwareSpec>>();
  private readonly groups = new Map<string, Said<HardwareGroupSpec>>();
  private readonly loans = new Map<string, LoanView>();
  /** of each machine the newest; all others are rows of the database */
  private readonly jobs = new Map<string, NonNullable<HardwareView['job']>>();
  /** machines of jobs that have not ended, by the id of the job */
  private readonly live = new Map<string, string>();

  constructor(private readonly isEnrolled: (name: string) => boolean) {}

  apply(recorded: Of<'hardware'> | Of<'hardware-group'>): void {
    const at = instantOf(recorded.commit.at);
    const by = recorded.commit.actor;
    if (recorded.kind === 'hardware') for (const event of recorded.commit.events) this.applyMachine(recorded.id, event, at, by);
    else for (const event of recorded.commit.events) this.applyGroup(recorded.id, event, at, by);
  }

  applyJob({ id, commit }: Of<'job'>): void {
    const at = instantOf(commit.at);
    for (const event of commit.events) {
      if (event.type === 'JobRequested') {
        this.live.set(id, event.data.machine);
        this.jobs.set(event.data.machine, { id, task: event.data.task, status: 'QUEUED', modified: at });
        continue;
      }
      const status = statusAfter(event);
      if (status === undefined) continue;
      const machine = this.live.get(id);
      const newest = machine === undefined ? undefined : this.jobs.get(machine);
      if (newest?.id === id) this.jobs.set(machine!, { ...newest, status, modified: at });
      if (status !== 'RUNNING') this.live.delete(id);
    }
  }

  private applyGroup(name: string, event: HardwareGroupEvent, at: string, by: string): void {
    switch (event.type) {
      case 'HardwareGroupSet':
        this.groups.set(name, { spec: event.data, set: at, by });
        return;
      case 'HardwareGroupRemoved':
        this.groups.delete(name);
        return;
      default:
        unreachable(event);
    }
  }

  private applyMachine(name: string, event: HardwareEvent, at: string, by: string): void {
    switch (event.type) {
      case 'HardwareSet':
        this.machines.set(name, { spec: event.data, set: at, by });
        return;
      case 'HardwareRemoved':
        this.machines.delete(name);
        return;
      case 'LoanRequested': {
        const { job, to, steps, lease } = event.data;
        this.loans.set(name, { job, to, status: 'PENDING', steps: steps.map((text) => ({ text, done: null, by: null })), lease: lease ?? null, requested: at, activated: null });
        return;
      }
      case 'LoanStepDone': {
        const { step } = event.data;
        return this.changeLoan(name, (loan) => ({ ...loan, steps: loan.steps.map((one, index) => (index === step ? { ...one, done: at, by } : one)) }));
      }
      case 'LoanActivated':
        return this.changeLoan(name, (loan) => ({ ...loan, status: 'ACTIVE', activated: at }));
      case 'LoanReturned':
        this.loans.delete(name);
        return;
      default:
        unreachable(event);
    }
  }

  private changeLoan(name: string, change: (loan: LoanView) => LoanView): void {
    const loan = this.loans.get(name);
    if (loan) this.loans.set(name, change(loan));
  }

  list(): HardwareView[] {
    return [...this.machines.keys()].map((name) => this.get(name)!).sort(byName);
  }

  get(name: string): HardwareView | undefined {
    const said = this.machines.get(name);
    return said && { ...said.spec, enrolled: this.isEnrolled(name), loan: this.loans.get(name) ?? null, job: this.jobs.get(name) ?? null, set: said.set, by: said.by };
  }

  groupList(): HardwareGroupView[] {
    return [...this.groups.keys()].map((name) => this.group(name)!).sort(byName);
  }

  group(name: string): HardwareGroupView | undefined {
    const said = this.groups.get(name);
    if (!said) return undefined;
    const machines = [...this.machines.values()].flatMap(({ spec }) => (spec.groups.includes(name) ? [spec.name] : []));
    return { ...said.spec, machines: machines.sort(), set: said.set, by: said.by };
  }

  /** All that is said of hardware, as it can be imported again. */
  document(): HardwareDocument {
    const specs = <S extends { name: string }>(of: Map<string, Said<S>>): S[] => [...of.values()].map(({ spec }) => spec).sort(byName);
    return { hardware: specs(this.machines), groups: specs(this.groups) };
  }
}

/** What becomes of the status of a job; undefined: it stays as it is. */
function statusAfter(event: Exclude<JobEvent, { type: 'JobRequested' }>): JobStatus | undefined {
  switch (event.type) {
    case 'JobStarted':
      return 'RUNNING';
    case 'JobCompleted':
      return 'COMPLETE';
    case 'JobFailed':
      return 'FAILED';
    case 'JobCancelled':
      return 'CANCELLED';
    case 'JobNoted':
    case 'AttemptStarted':
    case 'AttemptStep':
    case 'AttemptSkipped':
    case 'AttemptEnded':
    case 'TicketTold':
    case 'CancelRequested':
    case 'InstallationReported':
      return undefined;
    default:
      return unreachable(event);
  }
}
