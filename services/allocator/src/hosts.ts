import { resolve } from 'node:path';
import { derivedId, type Answer, type BlueprintOf, type CommandData, type HostAccess } from '@berth/contracts';
import { tellUntilStored, type Aggregates, type Command, type Runtime } from '@berth/runtime';
import type { MachineEvent } from '@berth/contracts';
import { found } from './blueprints/index.js';
import { wantsMachine } from './blueprints/preallocated.js';
import type { Catalogue } from './catalogue.js';
import type { Peers } from './peers.js';
import { accessOf, nameTaken, sameMachine, toLookAt, unknownMachine, type Enrolled, type Machine, type MachineCommand } from './domain/machine.js';
import type { LiveResource, ResourceCommand, ResourceInfo } from './domain/resource.js';
import type { Resources } from './claims.js';
import type { Room } from './room.js';

export type Machines = Aggregates<Machine, MachineCommand, MachineEvent>;

/** The name of the one blueprint, and of the one host at a time, of the gateway's own machine. */
const LOCAL = 'local';
const PROBE_PATIENCE_MS = 20_000;
const LOCAL_RETRY_MS = 2000;
/** Between two tries to have room set aside while the bus is away. */
const ROOM_RETRY_MS = 1000;

/** Keeps one host resource for each enrolled machine, and one for the gateway's own. */
export class Hosts {
  private readonly byMachine = new Map<string, string>();
  /** hosts that a machine had before, so that the next one has a name of its own */
  private readonly destroyed = new Map<string, number>();
  /** machines whose host follows its blueprint once it is back in service */
  private readonly postponed = new Set<string>();
  /** the host of the gateway's own machine; those that it had before */
  private readonly local = { host: undefined as string | undefined, before: 0, live: false, postponed: false };
  /** machines that get a host once there is room for it under the limit of their blueprint */
  private readonly waiting = new Set<string>();
  /** machines for whose host room is being asked */
  private readonly asking = new Set<string>();
  private stopped = false;

  constructor(
    private readonly runtime: Runtime,
    private readonly machines: Machines,
    private readonly resources: Resources,
    private readonly catalogue: Catalogue,
    private readonly room: Room,
    private readonly peers: Peers,
  ) {}

  hostOf(machine: string): string | undefined {
    return this.byMachine.get(machine);
  }

  isEnrolled(machine: string): boolean {
    return this.machines.get(machine)?.state.status === 'added';
  }

  isLocal(resource: string | undefined): boolean {
    return resource !== undefined && resource === this.local.host;
  }

  /** Looks at a machine before it is enrolled: its host key, and what it says of itself. */
  async enrol(command: Command<CommandData<'allocator', 'AddMachine'>>): Promise<Answer> {
    const spec = command.data;
    const known = this.machines.get(spec.name)?.state;
    if (known?.status === 'added') {
      if (sameMachine(known.machine, spec)) return { accepted: true, id: spec.name };
      return nameTaken(spec.name);
    }
    const looked = await this.look(command, accessOf(spec));
    if ('accepted' in looked) return { ...looked, message: `Machine ${spec.name} is not added: ${looked.message}` };
    const { hostKey, facts } = looked;
    const stored = await this.machines.handle(spec.name, { type: 'Add', machine: { ...spec, hostKey, facts } }, { id: command.id, actor: command.actor, cause: command.id, at: new Date().toISOString() });
    return stored.accepted ? { ...stored, data: { hostKey, facts } } : stored;
  }

  /** Changes a machine. One that would be got into otherwise is looked at first, in that way; its host is not disturbed by that. */
  async change(command: Command<CommandData<'allocator', 'ChangeMachine'>>): Promise<Answer> {
    const { name, ...changes } = command.data;
    const known = this.machines.get(name)?.state;
    if (known?.status !== 'added') return unknownMachine(name);
    const access = toLookAt(known.machine, changes);
    const looked = access && (await this.look(command, access));
    if (looked && 'accepted' in looked) return { ...looked, message: `Machine ${name} is not changed: ${looked.message}` };
    return this.machines.handle(name, { type: 'Change', name, changes, ...(looked && { looked: { access, ...looked } }) }, { id: command.id, actor: command.actor, cause: command.id, at: new Date().toISOString(), base: command.base });
  }

  private async look(command: Command, access: HostAccess): Promise<{ hostKey: string; facts: Enrolled['facts'] } | Extract<Answer, { accepted: false }>> {
    const probe = await this.runtime.bus.command('host-agent-gateway', 'ProbeHost', { host: access }, { id: derivedId(command.id, 'probe'), actor: command.actor, patienceMs: PROBE_PATIENCE_MS });
    if (!probe.accepted) return probe;
    const { hostKey, facts } = probe.data as { hostKey: string; facts: Record<string, string> };
    return { hostKey: access.hostKey ?? hostKey, facts };
  }

  /** What is due for a machine. */
  machine(name: string): void {
    const entry = this.machines.get(name);
    if (!entry || entry.state.status === 'none' || !this.peers.mine(name)) return;
    const { state, revision } = entry;
    const id = this.byMachine.get(name);
    this.waiting.delete(name);
    const resource = id === undefined ? undefined : this.resources.get(id)?.state;
    if (state.status === 'removed') {
      if (id !== undefined) this.tell(id, { type: 'Release', reason: 'its machine was removed' }, 'release');
      return;
    }
    const spec = this.blueprintFor(state.machine);
    const info = spec && { ...found.preallocated.host(spec.spec, state.machine), version: spec.version };
    if (!resource || resource.status === 'none') {
      const again = this.destroyed.get(name) ?? 0;
      const host = derivedId(`machine ${name}`, `host ${revision}${again > 0 ? ` ${again}` : ''}`);
      if (info) this.make(name, host, info, spec.spec.limits.resources);
    } else if (resource.status === 'destroyed' || (info && same(resource.info, info))) this.postponed.delete(name);
    // Made anew it would be back in service at once, whoever took it out.
    else if (info && resource.status === 'active' && outOfService(resource)) this.postponed.add(name);
    else {
      this.postponed.delete(name);
      // Not changed under the feet of who leases it: it ends with its last lease, and is made anew by what is so then.
      this.tell(id!, { type: 'Release', reason: info ? `its machine changed, or blueprint ${info.blueprint} did` : 'no blueprint wants its machine any more' }, 'changed');
    }
  }

  private make(name: string, host: string, info: ResourceInfo, limit: number | undefined): void {
    const create = () => this.tell(host, { type: 'Create', activate: true, info }, 'create');
    if (limit === undefined) return create();
    if (this.asking.has(name)) return;
    const others = [...this.room.fleet.launches].filter(([id, { blueprint }]) => blueprint === info.blueprint && id !== host);
    if (others.length >= limit) {
      this.waiting.add(name);
      return;
    }
    this.asking.add(name);
    this.room
      .take([], [{ resource: host, blueprint: info.blueprint, launched: false }])
      .then(({ launches }) => (launches.has(host) ? create() : void this.waiting.add(name)))
      .catch((error: unknown) => {
        if (this.stopped) return;
        this.runtime.log.warn({ error, machine: name }, 'room not known to be set aside, tried again');
        setTimeout(() => this.machine(name), ROOM_RETRY_MS).unref();
      })
      .finally(() => this.asking.delete(name));
  }

  /** Room came free: machines without a host ask again. */
  noteRoom(): void {
    for (const name of [...this.waiting]) this.machine(name);
  }

  /**
   * What hosts of a blueprint will be like that are not there yet: there is no room for them, or the host that their machine had
   * before is ending. O(machines); the same in every process.
   */
  toCome(blueprint: BlueprintOf<'preallocated'>): ResourceInfo['attributes'][] {
    return [...this.machines.entries()].flatMap(([name, { state }]) =>
      state.status === 'added' && !this.hasHost(name) && this.blueprintFor(state.machine)?.spec.name === blueprint.name ? [found.preallocated.host(blueprint, state.machine).attributes] : [],
    );
  }

  private hasHost(machine: string): boolean {
    const status = this.resources.get(this.byMachine.get(machine) ?? '')?.state.status;
    return status === 'active' || status === 'pending';
  }

  /** Of the blueprints that want a machine, the one that is used first. */
  private blueprintFor(machine: Enrolled) {
    for (const { spec, version } of this.catalogue.ofType('host')) if (spec.kind === 'preallocated' && wantsMachine(spec, machine)) return { spec, version };
    return undefined;
  }

  /** A blueprint changed: the hosts of machines follow it. */
  noteBlueprints(): void {
    for (const [name] of this.machines.entries()) this.machine(name);
    this.followLocal();
  }

  /** A host resource changed. */
  resource(id: string): void {
    const state = this.resources.get(id)?.state;
    if (!state || state.status === 'none' || state.info.type !== 'host') return;
    const { machine } = state.info;
    if (machine !== undefined) {
      if (state.status === 'destroyed') {
        if (this.byMachine.get(machine) === id) {
          this.byMachine.delete(machine);
          this.destroyed.set(machine, (this.destroyed.get(machine) ?? 0) + 1);
        }
        this.machine(machine);
      } else {
        this.byMachine.set(machine, id);
        if (this.postponed.has(machine)) this.machine(machine);
      }
    }
    const isLocal = machine === undefined && state.info.blueprint === LOCAL;
    if (isLocal && state.status !== 'destroyed') {
      this.local.host = id;
      if (this.local.postponed) this.followLocal();
    } else if (isLocal && this.local.host === id) {
      this.local.host = undefined;
      this.local.before++;
      if (this.local.live) void this.ensureLocal();
    }
    // What was launched is ended at its provider first.
    if ((machine !== undefined || isLocal) && (state.status === 'released' || state.status === 'broken') && state.claims.size === 0 && !state.flags.held && this.peers.mine(id)) this.tell(id, { type: 'Destroy' }, 'destroy');
  }

  /** Sees to it that the gateway's own machine can be leased; goes on until the gateway has answered. */
  async ensureLocal(): Promise<void> {
    this.local.live = true;
    if (this.local.host !== undefined) return this.followLocal();
    const id = derivedId(LOCAL, this.local.before === 0 ? 'host' : `host ${this.local.before}`);
    const access = { transport: 'local', address: 'localhost', port: 0, user: 'berth', credential: 'agent', platform: 'linux', folder: this.localFolder } as const;
    for (let tries = 0; !this.stopped && this.local.host === undefined; tries++) {
      try {
        const probe = await this.runtime.bus.command('host-agent-gateway', 'ProbeHost', { host: access }, { id: derivedId(`local ${Date.now()}`, `probe ${tries}`), actor: 'allocator', patienceMs: PROBE_PATIENCE_MS });
        if (probe.accepted) {
          const facts = (probe.data as { facts: Record<string, string> }).facts;
          const platform = facts['os'] === 'mac' ? 'mac' : 'linux';
          const { spec, version } = this.localBlueprint;
          this.tell(id, { type: 'Create', activate: true, info: { ...found.local.host(spec, { access: { ...access, platform }, facts, cpus: Number(facts['cpus']) || 1 }), version } }, 'create');
          this.tell(id, { type: 'Keep', facts: { probed: facts } }, 'probed');
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

  /** Ends the host of the gateway's own machine when its blueprint says something else by now: it is made anew then. */
  private followLocal(): void {
    const id = this.local.host;
    const state = this.resources.get(id ?? '')?.state;
    if (id === undefined || state?.status !== 'active' || !state.info.host || !this.peers.mine(id)) return;
    const facts = (state.facts['probed'] ?? state.info.attributes) as Record<string, string>;
    const info = found.local.host(this.localBlueprint.spec, { access: { ...state.info.host, folder: this.localFolder }, facts, cpus: Number(facts['cpus']) || 1 });
    const changed = !same(state.info, info);
    this.local.postponed = changed && outOfService(state);
    if (changed && !this.local.postponed) this.tell(id, { type: 'Release', reason: `blueprint ${LOCAL} changed` }, 'changed');
  }

  private get localFolder(): string {
    return resolve(this.runtime.config.home, 'local');
  }

  private get localBlueprint() {
    const { spec, version } = this.catalogue.get(LOCAL)!; // built in, and never removed
    return { spec: spec as BlueprintOf<'local'>, version };
  }

  stop(): void {
    this.stopped = true;
  }

  private tell(id: string, command: ResourceCommand, role: string): void {
    const cause = derivedId(id, role);
    tellUntilStored(this.runtime, this.resources, id, command, { id: cause, actor: 'allocator', cause, at: new Date().toISOString() });
  }
}

const outOfService = ({ flags }: LiveResource): boolean => flags.draining !== undefined || flags.quarantined !== undefined;

/** Would the host be made like this now? Its version says only when it was made. */
function same(was: ResourceInfo, is: ResourceInfo): boolean {
  const essence = ({ version: _, attributes, ...info }: ResourceInfo) => JSON.stringify([Object.entries(attributes).sort(), info.blueprint, info.name, info.slots, info.host]);
  return essence(was) === essence(is);
}
