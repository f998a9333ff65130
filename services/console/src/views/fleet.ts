import { builtInBlueprints, type AnyRecorded, type MachineEvent, type PlanEvent, type ResourceEvent } from '@berth/contracts';
import type { BlueprintView, MachineView, PlanView, ResourceView } from '@berth/client';

type Enrolled = Extract<MachineEvent, { type: 'MachineAdded' }>['data'] & { added: string };
type Of<K extends AnyRecorded['kind']> = Extract<AnyRecorded, { kind: K }>;

/** What is small enough to be kept in memory: machines, plans, living resources, and which actions a lease had. */
export class Fleet {
  private readonly machines = new Map<string, Enrolled>();
  private readonly plans = new Map<string, PlanView>();
  private readonly resources = new Map<string, Omit<ResourceView, 'free' | 'busy'>>();
  /** host resources, by the machine they stand for */
  private readonly hosts = new Map<string, string>();
  /** ids only (about 100 bytes each), so that the history of a lease needs no search through all events */
  private readonly actions = new Map<string, string[]>();

  apply(recorded: AnyRecorded): void {
    if (recorded.kind === 'machine') this.applyMachine(recorded);
    else if (recorded.kind === 'plan') this.applyPlan(recorded);
    else if (recorded.kind === 'resource') for (const event of recorded.commit.events) this.applyResource(recorded.id, recorded.commit.at, event);
    else if (recorded.kind === 'action') this.applyAction(recorded);
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

  private applyResource(id: string, at: string, event: ResourceEvent): void {
    if (event.type === 'ResourceCreated') {
      const { type, blueprint, name, attributes, slots, machine } = event.data;
      this.resources.set(id, {
        id, name, type, blueprint, status: 'pending', attributes, machine: machine ?? null, reachable: true, error: null, slots, leases: [], path: null, commit: null,
      });
      if (machine !== undefined && type === 'host') this.hosts.set(machine, id);
      return;
    }
    const resource = this.resources.get(id);
    if (!resource) return;
    switch (event.type) {
      case 'ResourceActivated':
        resource.status = 'active';
        resource.attributes = { ...resource.attributes, ...event.data.attributes };
        resource.path = event.data.path ?? resource.path;
        resource.commit = event.data.commit ?? resource.commit;
        break;
      case 'ResourceBroken':
        resource.status = 'broken';
        resource.error = event.data.error;
        break;
      case 'ResourceUnreachable':
        resource.reachable = false;
        resource.error = event.data.error;
        break;
      case 'ResourceReachable':
        resource.reachable = true;
        resource.error = null;
        break;
      case 'SlotClaimed':
        resource.leases.push({ slot: event.data.slot, lease: event.data.lease, owner: event.data.owner, since: at });
        break;
      case 'SlotFreed':
        resource.leases = resource.leases.filter((held) => held.lease !== event.data.lease);
        break;
      case 'ResourceReleased':
        resource.status = 'released';
        break;
      case 'ResourceDestroyed':
        this.resources.delete(id);
        if (resource.machine !== null && this.hosts.get(resource.machine) === id) this.hosts.delete(resource.machine);
        break;
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
    const resource = this.resources.get(this.hosts.get(machine.name) ?? '');
    const { name, address, port, user, credential, platform, attributes, slots, hostKey, folder, facts, added } = machine;
    return {
      name, address, port, user, credential, platform, attributes, slots, hostKey, folder, facts, added,
      resource: resource?.id ?? null, reachable: resource?.reachable ?? true, error: resource?.error ?? null, busy: resource?.leases.length ?? 0,
    };
  }

  planList(): PlanView[] {
    return [...this.plans.values()].sort(byName);
  }

  plan(name: string): PlanView | undefined {
    return this.plans.get(name);
  }

  blueprintList(): BlueprintView[] {
    return Object.entries(builtInBlueprints).map(([name, described]): BlueprintView => {
      const blueprint = { name, ...described };
      const resources = [...this.resources.values()].filter((r) => r.blueprint === blueprint.name).map(withSlots).sort(byName);
      const sum = (of: (r: ResourceView) => number) => resources.reduce((total, r) => total + of(r), 0);
      return { ...blueprint, free: sum((r) => r.free), busy: sum((r) => r.busy), resources };
    });
  }

  resource(id: string): ResourceView | undefined {
    const resource = this.resources.get(id);
    return resource && withSlots(resource);
  }

  actionsOf(lease: string): readonly string[] {
    return this.actions.get(lease) ?? [];
  }
}

/** A slot is free when it could be had now: not on a resource that is gone, broken or out of reach. */
function withSlots(resource: Omit<ResourceView, 'free' | 'busy'>): ResourceView {
  const busy = resource.leases.length;
  return { ...resource, busy, free: resource.status === 'active' && resource.reachable ? resource.slots - busy : 0 };
}

const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
