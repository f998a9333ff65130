import { rejected, type ActionSpec, type Answer, type CommandData } from '@berth/contracts';
import type { Command, Follower, Runtime } from '@berth/runtime';
import { service } from './blueprints/service.js';
import type { Catalogue } from './catalogue.js';
import type { Resources } from './claims.js';
import type { Views } from './views.js';

/** How long the gateway has to take an action. */
const PATIENCE_MS = 10_000;

/** What whoever leases a service may have done with it. The commands are those of its blueprint, which only we know. */
export class Services {
  constructor(
    private readonly runtime: Runtime,
    private readonly follower: () => Follower,
    private readonly views: Views,
    private readonly resources: Resources,
    private readonly catalogue: Catalogue,
  ) {}

  /** Has the gateway do it, under the lease's own token; the resource stays as it is on record. */
  async restart({ id, actor, data: { lease, token, start } }: Command<CommandData<'allocator', 'RestartService'>>): Promise<Answer> {
    const claim = this.views.claimOf(lease);
    const resource = claim && this.resources.get(claim.resource)?.state;
    if (!claim || !resource || resource.status === 'none') return rejected('unknown-lease', 'There is no such lease, or it has nothing yet.', [{ field: 'data.lease', message: 'is not the id of a lease of a service' }]);
    const { info } = resource;
    if (info.type !== 'service') return rejected('invalid-data', `The lease is of a ${info.type}: only a service can be restarted.`, [{ field: 'data.lease', message: `is of a ${info.type}` }]);
    if (resource.status !== 'active') return rejected('lease-not-active', `The service is ${resource.status}: it can be restarted while it is active.`, [{ field: 'data.lease', message: `has a service that is ${resource.status}` }]);
    const blueprint = this.catalogue.get(info.blueprint)?.spec;
    if (blueprint?.kind !== 'service') return rejected('unknown-blueprint', `The blueprint ${info.blueprint} was removed, and with it the commands of the service: release the lease.`, [{ field: 'data.lease', message: 'has a service whose blueprint was removed' }]);
    const spec = restarting(service.create(blueprint, claim.resource, info, resource.facts), service.destroy(blueprint, claim.resource, info, resource.facts, false), start);
    return this.runtime.bus.command('host-agent-gateway', 'RunAction', { lease, token, spec }, { id, actor, after: this.follower().position, patienceMs: PATIENCE_MS });
  }
}

function restarting(starting: ActionSpec, stopping: ActionSpec, start: boolean): ActionSpec {
  if (starting.kind !== 'start-service' || stopping.kind !== 'stop-service') throw new Error(`a service is made by ${starting.kind} and ended by ${stopping.kind}`);
  const { service: id, env, command, timeoutMs, ready } = starting;
  return {
    kind: 'restart-service',
    service: id,
    env,
    ...(stopping.command !== undefined && { stop: { command: stopping.command, timeoutMs: stopping.timeoutMs } }),
    ...(start && { start: { command, timeoutMs, ...(ready && { ready }) } }),
  };
}
