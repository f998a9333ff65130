import { rejected, type Answer, type CommandData } from '@berth/contracts';
import type { Cause, Command } from '@berth/runtime';
import type { Resources } from './claims.js';
import type { Hosts } from './hosts.js';
import type { ResourceCommand } from './domain/resource.js';
import type { Derived } from './derived.js';
import type { Views } from './views.js';

type Target = { resource?: string | undefined; machine?: string | undefined; lease?: string | undefined };
type Data<T extends 'QuarantineResource' | 'EndQuarantine' | 'HoldResource' | 'EndHold' | 'DrainResource' | 'EndDrain' | 'ReleaseResource'> = Command<CommandData<'allocator', T>>;

/** What people do to resources by hand. */
export class Operations {
  constructor(
    private readonly views: Views,
    private readonly resources: Resources,
    private readonly hosts: Hosts,
    private readonly derived: Derived,
  ) {}

  quarantine = (command: Data<'QuarantineResource'>): Promise<Answer> => {
    const now = Date.now();
    const until = command.data.for === undefined ? undefined : new Date(now + command.data.for).toISOString();
    return this.onHost(command, { type: 'Quarantine', now: new Date(now).toISOString(), reason: command.data.reason, ...(until !== undefined && { until }) });
  };

  endQuarantine = (command: Data<'EndQuarantine'>): Promise<Answer> => this.onHost(command, { type: 'EndQuarantine', reason: command.data.reason, forgive: true });

  hold = (command: Data<'HoldResource'>): Promise<Answer> => this.onHost(command, { type: 'Hold', until: new Date(Date.now() + command.data.for).toISOString(), reason: command.data.reason });

  endHold = (command: Data<'EndHold'>): Promise<Answer> => this.onHost(command, { type: 'EndHold' });

  drain = (command: Data<'DrainResource'>): Promise<Answer> => this.on(command, { type: 'Drain', reason: command.data.reason });

  endDrain = (command: Data<'EndDrain'>): Promise<Answer> => this.on(command, { type: 'EndDrain' });

  release = (command: Data<'ReleaseResource'>): Promise<Answer> => {
    const id = this.find(command.data);
    const state = this.resources.get(id ?? '')?.state;
    if (state && state.status !== 'none' && state.info.type !== 'host') {
      return Promise.resolve(rejected('invalid-data', `A ${state.info.type} ends with its lease: release that.`, [{ field: 'data.resource', message: `is a ${state.info.type}: release its lease instead (berth lease release ${state.status === 'destroyed' ? '<lease>' : [...state.claims.values()].join(' ')})` }]));
    }
    // It is made when Berth is set up, and there is nothing that would make it anew.
    if (this.hosts.isLocal(id)) return Promise.resolve(rejected('invalid-data', 'The host that Berth itself runs on is not released.', [{ field: 'data.resource', message: `is the host that Berth runs on: drain it (berth resource drain ${id}), or disable its blueprint (berth blueprint disable local)` }]));
    return this.on(command, { type: 'Release', reason: command.data.reason });
  };

  private find({ resource, machine, lease }: Target): string | undefined {
    if (machine !== undefined) return this.hosts.hostOf(machine);
    if (lease === undefined) return resource;
    const claim = this.views.claimOf(lease);
    return claim && this.derived.rootOf(claim.resource);
  }

  private onHost(command: Command<Target>, change: ResourceCommand): Promise<Answer> {
    const id = this.find(command.data);
    const state = this.resources.get(id ?? '')?.state;
    if (state && state.status !== 'none' && state.info.type !== 'host') {
      return Promise.resolve(rejected('invalid-data', `Only hosts can be quarantined or held; this is a ${state.info.type}.`, [{ field: 'data.resource', message: `is a ${state.info.type}: give the id of a host (berth resource list --type host)` }]));
    }
    return this.on(command, change);
  }

  private async on(command: Command<Target>, change: ResourceCommand): Promise<Answer> {
    const { resource, machine, lease } = command.data;
    const id = this.find(command.data);
    const state = this.resources.get(id ?? '')?.state;
    if (id === undefined || !state || state.status === 'none' || state.status === 'destroyed') {
      if (machine !== undefined) return rejected('unknown-machine', `There is no machine ${machine} in service.`, [{ field: 'data.machine', message: 'is not the name of a machine with a host: see `berth machine list`' }]);
      if (lease !== undefined) return rejected('unknown-lease', 'That lease has no host.', [{ field: 'data.lease', message: 'is not the id of a lease that is on a host: see `berth lease list`' }]);
      return rejected('unknown-resource', `There is no resource ${resource}.`, [{ field: 'data.resource', message: 'is not the id of a resource: see `berth resource list`' }]);
    }
    const cause: Cause = { id: command.id, actor: command.actor, cause: command.id, at: new Date().toISOString() };
    const answer = await this.resources.handle(id, change, cause);
    return answer.accepted ? { ...answer, id } : answer;
  }
}
