import type { AnyRecorded, PlanEvent } from '@berth/contracts';
import type { BlueprintView, CapacityView, MachineView, OrphanView, PlanView, QuotaView, ResourceView, SecretView } from '@berth/client';
import { Blueprints, type PricePeriod } from './blueprints.js';
import { capacity } from './capacity.js';
import { Limits } from './limits.js';
import { Hardware } from './hardware.js';
import { foldMachine, machineView, type MachineRow } from './machine.js';
import { Secrets } from './secrets.js';
import { byName, resourceView, Resources, type ResourceRow } from './resources.js';

type Of<K extends AnyRecorded['kind']> = Extract<AnyRecorded, { kind: K }>;

/** What is small enough to be kept in memory: machines, blueprints, plans, living resources, and which actions a lease had. */
export class Fleet {
  private readonly machines = new Map<string, MachineRow>();
  private readonly plans = new Map<string, PlanView>();
  private readonly resources = new Resources();
  private readonly blueprints = new Blueprints();
  private readonly limits = new Limits();
  private readonly secrets = new Secrets();
  readonly hardware = new Hardware((name) => this.machines.has(name));
  /** ids only (about 100 bytes each), so that the history of a lease needs no search through all events */
  private readonly actions = new Map<string, string[]>();

  constructor(private readonly now: () => number = Date.now) {}

  apply(recorded: AnyRecorded): void {
    switch (recorded.kind) {
      case 'machine':
        return this.applyMachine(recorded);
      case 'plan':
        return this.applyPlan(recorded);
      case 'resource':
        return this.resources.apply(recorded);
      case 'blueprint':
        return this.blueprints.apply(recorded);
      case 'fleet':
        return this.limits.apply(recorded);
      case 'action':
        return this.applyAction(recorded);
      case 'secret':
        return this.secrets.apply(recorded);
      case 'hardware':
      case 'hardware-group':
        return this.hardware.apply(recorded);
      case 'job':
        return this.hardware.applyJob(recorded);
      case 'lease':
      case 'build':
      case 'catalog':
      case 'image':
      case 'replication':
        return; // kept as rows of the database: there is no end to them
      case 'token':
      case 'access':
      case 'webhook':
        return; // no part of the fleet: the console's own
    }
  }

  private applyMachine(recorded: Of<'machine'>): void {
    const row = foldMachine(this.machines.get(recorded.id), recorded);
    if (row?.status === 'enrolled') this.machines.set(recorded.id, row);
    else this.machines.delete(recorded.id);
  }

  private applyPlan({ id, commit }: Of<'plan'>): void {
    for (const { data } of commit.events as PlanEvent[]) {
      this.plans.set(id, { name: id, version: data.version, source: data.source, saved: commit.at, steps: data.plan.steps.map((step) => step.name) });
    }
  }

  private applyAction({ id, commit }: Of<'action'>): void {
    for (const event of commit.events) {
      if (event.type !== 'ActionRequested') continue;
      const known = this.actions.get(event.data.lease);
      if (known) known.push(id);
      else this.actions.set(event.data.lease, [id]);
    }
  }

  machineList(): MachineView[] {
    return [...this.machines.values()].map((machine) => this.machineView(machine)).sort(byName);
  }

  machine(name: string): MachineView | undefined {
    const machine = this.machines.get(name);
    return machine && this.machineView(machine);
  }

  /** A machine with the host that stands for it now. */
  machineView(machine: MachineRow): MachineView {
    const host = machine.status === 'enrolled' ? this.resources.hostOf(machine.name) : undefined;
    return machineView(machine, host && resourceView(host, this.now()));
  }

  planList(): PlanView[] {
    return [...this.plans.values()].sort(byName);
  }

  plan(name: string): PlanView | undefined {
    return this.plans.get(name);
  }

  blueprintList(): BlueprintView[] {
    const made = new Map<string, ResourceRow[]>();
    for (const row of this.resources.all()) {
      const known = made.get(row.blueprint);
      if (known) known.push(row);
      else made.set(row.blueprint, [row]);
    }
    return this.blueprints.names().map((name) => this.blueprints.get(name, made.get(name) ?? [], this.now())!);
  }

  blueprint(name: string): BlueprintView | undefined {
    return this.blueprints.get(name, [...this.resources.all()].filter((row) => row.blueprint === name), this.now());
  }

  prices(): PricePeriod[] {
    return this.blueprints.prices();
  }

  resourceList(wanted: (row: ResourceRow) => boolean = () => true): ResourceView[] {
    return this.resources.list(wanted, this.now());
  }

  resource(id: string): ResourceView | undefined {
    return this.resources.get(id, this.now());
  }

  capacity(by: string | null): CapacityView {
    return capacity(this.resources.all(), this.blueprints, by, this.now());
  }

  quota(): QuotaView {
    return this.limits.view(this.resources.all(), this.blueprints);
  }

  orphans(): OrphanView[] {
    return this.limits.orphanList();
  }

  secretList(): SecretView[] {
    return this.secrets.list();
  }

  actionsOf(lease: string): readonly string[] {
    return this.actions.get(lease) ?? [];
  }
}
