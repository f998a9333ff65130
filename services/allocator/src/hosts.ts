import { resolve } from 'node:path';
import { derivedId, type Answer, type CommandData, type HostAccess } from '@berth/contracts';
import { tellUntilStored, type Aggregates, type Command, type Runtime } from '@berth/runtime';
import type { MachineEvent } from '@berth/contracts';
import { blueprints } from './blueprints/index.js';
import type { HostSource } from './blueprints/blueprint.js';
import { nameTaken, sameMachine, type Enrolled, type Machine, type MachineCommand } from './domain/machine.js';
import type { ResourceCommand } from './domain/resource.js';
import type { Resources } from './claims.js';

export type Machines = Aggregates<Machine, MachineCommand, MachineEvent>;

/** The one host resource that stands for the gateway's own machine. */
const LOCAL_HOST = derivedId('local', 'host');
const PROBE_PATIENCE_MS = 20_000;
const LOCAL_RETRY_MS = 2000;

/** Keeps one host resource for each enrolled machine, and one for the gateway's own. */
export class Hosts {
  private readonly byMachine = new Map<string, string>();
  private stopped = false;

  constructor(
    private readonly runtime: Runtime,
    private readonly machines: Machines,
    private readonly resources: Resources,
  ) {}

  /** Looks at a machine before it is enrolled: its host key, and what it says of itself. */
  async enrol(command: Command<CommandData<'allocator', 'AddMachine'>>): Promise<Answer> {
    const spec = command.data;
    const known = this.machines.get(spec.name)?.state;
    if (known?.status === 'added') {
      if (sameMachine(known.machine, spec)) return { accepted: true, id: spec.name };
      return nameTaken(spec.name);
    }
    const access: HostAccess = { transport: 'ssh', address: spec.address, port: spec.port, user: spec.user, credential: spec.credential, platform: spec.platform, folder: spec.folder, ...(spec.hostKey !== undefined && { hostKey: spec.hostKey }) };
    const probe = await this.runtime.bus.command('host-agent-gateway', 'ProbeHost', { host: access }, { id: derivedId(command.id, 'probe'), actor: command.actor, patienceMs: PROBE_PATIENCE_MS });
    if (!probe.accepted) return { ...probe, message: `Machine ${spec.name} is not added: ${probe.message}` };
    const { hostKey, facts } = probe.data as { hostKey: string; facts: Record<string, string> };
    const machine: Enrolled = { ...spec, hostKey: spec.hostKey ?? hostKey, facts };
    const stored = await this.machines.handle(spec.name, { type: 'Add', machine }, { id: command.id, actor: command.actor, cause: command.id, at: new Date().toISOString() });
    return stored.accepted ? { ...stored, data: { hostKey: machine.hostKey, facts } } : stored;
  }

  /** What is due for a machine. */
  machine(name: string): void {
    const entry = this.machines.get(name);
    if (!entry || entry.state.status === 'none') return;
    const { state } = entry;
    const resource = this.byMachine.get(name);
    if (state.status === 'added' && !resource) {
      const id = derivedId(`machine ${name}`, `host ${entry.revision}`);
      this.tell(id, { type: 'Create', activate: true, info: blueprints.preallocated.host({ machine: state.machine }) }, 'create');
    } else if (state.status === 'removed' && resource) this.tell(resource, { type: 'Release', reason: 'its machine was removed' }, 'release');
  }

  /** A host resource changed. */
  resource(id: string): void {
    const state = this.resources.get(id)?.state;
    if (!state || state.status === 'none' || state.info.type !== 'host') return;
    const { machine } = state.info;
    if (machine !== undefined) {
      if (state.status === 'destroyed') {
        if (this.byMachine.get(machine) === id) this.byMachine.delete(machine);
        this.machine(machine);
      } else this.byMachine.set(machine, id);
    }
    if (state.status === 'released' && state.claims.size === 0) this.tell(id, { type: 'Destroy' }, 'destroy');
  }

  /** Sees to it that the gateway's own machine can be leased; goes on until the gateway has answered. */
  async ensureLocal(): Promise<void> {
    if (this.resources.get(LOCAL_HOST)) return;
    const folder = resolve(this.runtime.config.home, 'local');
    const access = { transport: 'local', address: 'localhost', port: 0, user: 'berth', credential: 'agent', platform: 'linux', folder } as const;
    for (let tries = 0; !this.stopped; tries++) {
      try {
        const probe = await this.runtime.bus.command('host-agent-gateway', 'ProbeHost', { host: access }, { id: derivedId(`local ${Date.now()}`, `probe ${tries}`), actor: 'allocator', patienceMs: PROBE_PATIENCE_MS });
        if (probe.accepted) {
          const facts = (probe.data as { facts: Record<string, string> }).facts;
          const platform = facts['os'] === 'mac' ? 'mac' : 'linux';
          const source: HostSource = { local: { access: { ...access, platform }, facts, slots: Number(facts['cpus']) || 1 } };
          this.tell(LOCAL_HOST, { type: 'Create', activate: true, info: blueprints.local.host(source) }, 'create');
          return;
        }
        this.runtime.log.warn({ problem: probe.message }, 'the local host does not answer');
      } catch (error) {
        if (this.stopped) return;
        this.runtime.log.info({ error }, 'waiting for the gateway');
      }
      await new Promise((resolve) => setTimeout(resolve, LOCAL_RETRY_MS));
    }
  }

  stop(): void {
    this.stopped = true;
  }

  private tell(id: string, command: ResourceCommand, role: string): void {
    const cause = derivedId(id, role);
    tellUntilStored(this.runtime, this.resources, id, command, { id: cause, actor: 'allocator', cause, at: new Date().toISOString() });
  }
}
