import type { AnyRecorded, MachineEvent, PlanEvent } from '@berth/contracts';
import type { BlueprintView, CapacityView, MachineView, OrphanView, PlanView, QuotaView, ResourceView, SecretView } from '@berth/client';
import { Blueprints } from './blueprints.js';
import { capacity } from './capacity.js';
import { Limits } from './limits.js';
import { Secrets } from './secrets.js';
import { byName, resourceView, Resources, type ResourceRow } from './resources.js';

type Enrolled = Extract<MachineEvent, { type: 'MachineAdded' }>['data'] & { added: string };
type Of<K extends AnyRecorded['kind']> = Extract<AnyRecorded, { kind: K }>;

/** What is small enough to be kept in memory: machines, blueprints, plans, living resources, and which actions a lease had. */
export class Fleet {
  private readonly machines = new Map<string, Enrolled>();
  private readonly plans = new Map<string, PlanView>();
  private readonly resources = new Resources();
  private readonly blueprints = new Blueprints();
  private readonly limits = new Limits();
  private readonly secrets = new Secrets();
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
      case 'lease':
      case 'build':
        return; // kept as rows of the database: there is no end to them
      case 'token':
      case 'access':
      case 'webhook':
        return; // no part of the fleet: the console's own
    }
  }

  private applyMachine({ id, commit }: Of<'machine'>): void {
    for (const event of commit.events) {
      if (event.type === 'MachineAdded') this.machines.set(id, { ...event.data, added: commit.at });
      else this.machines.delete(id);
    }
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

  private machineView(machine: Enrolled): MachineView {
    const row = this.resources.hostOf(machine.name);
    const host = row && resourceView(row, this.now());
    const { name, address, port, user, credential, platform, attributes, slots, hostKey, folder, facts, added } = machine;
    return {
      name, address, port, user, credential, platform, attributes, slots, hostKey, folder: folder ?? null, facts, added,
      resource: host?.id ?? null, reachable: host?.reachable ?? true, error: host?.error ?? null, state: host?.state ?? null,
      quarantined: host?.quarantined ?? null, held: host?.held ?? null, draining: host?.draining ?? null, busy: host?.busy ?? 0,
    };
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
