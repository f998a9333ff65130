import { derivedId, type BlueprintOf, type HostAccess } from '@berth/contracts';
import type { Runtime } from '@berth/runtime';
import { launchers } from './blueprints/index.js';
import type { Launcher } from './blueprints/blueprint.js';
import type { Catalogue } from './catalogue.js';
import type { Resources } from './claims.js';
import type { Peers } from './peers.js';
import type { Room } from './room.js';
import type { Views } from './views.js';

const PATIENCE_MS = 30_000;

/**
 * Sweeps for what nobody owns: instances that carry our mark, and working folders with our names on the hosts in service.
 * What no live resource or lease owns is reported, and destroyed after a grace period. Nothing should ever be found; it is
 * there for what no careful order of steps can rule out, such as a provider that answers late or an event log that was
 * restored from an older copy.
 */
export class Reaper {
  private timer: NodeJS.Timeout | undefined;
  private busy = false;
  private stopped = false;
  /** found without an owner, and when it is destroyed, ms since the epoch */
  private readonly found = new Map<string, number>();

  constructor(
    private readonly runtime: Runtime,
    private readonly views: Views,
    private readonly resources: Resources,
    private readonly catalogue: Catalogue,
    private readonly room: Room,
    private readonly peers: Peers,
  ) {}

  start(): void {
    this.timer = setInterval(() => void this.sweep(), this.runtime.config.sweepMs);
    this.timer.unref();
  }

  stop(): void {
    this.stopped = true;
    clearInterval(this.timer);
  }

  private async sweep(): Promise<void> {
    if (this.busy || this.stopped) return;
    this.busy = true;
    try {
      const seen = new Set<string>();
      await Promise.all([...this.providers(), ...this.hosts()].map((one) => one(seen).catch((error: unknown) => this.failed(error))));
      for (const id of this.found.keys()) if (!seen.has(id)) this.found.delete(id);
    } finally {
      this.busy = false;
    }
  }

  private failed(error: unknown): void {
    if (!this.stopped && !this.runtime.connection.isClosed()) this.runtime.log.warn({ error }, 'not swept, tried again');
  }

  private alive(resource: string): boolean {
    const state = this.resources.get(resource)?.state;
    return state !== undefined && state.status !== 'none' && state.status !== 'destroyed';
  }

  /** True when its time has come. */
  private due(id: string, what: 'instance' | 'folder', where: string, seen: Set<string>): boolean {
    seen.add(id);
    const known = this.found.get(id);
    if (known !== undefined) return Date.now() >= known;
    const at = Date.now() + this.runtime.config.sweepGraceMs;
    this.found.set(id, at);
    this.room.note({ type: 'OrphanFound', data: { what, id, where, grace: new Date(at).toISOString() } });
    this.runtime.log.warn({ what, id, where }, 'nobody owns it');
    return false;
  }

  private destroyed(id: string, what: 'instance' | 'folder', where: string): void {
    this.found.delete(id);
    this.room.note({ type: 'OrphanDestroyed', data: { what, id, where } });
  }

  private *providers(): IterableIterator<(seen: Set<string>) => Promise<void>> {
    const accounts = new Map<string, BlueprintOf<'ec2'>>();
    for (const { spec } of this.catalogue.all()) if (spec.kind === 'ec2') accounts.set(JSON.stringify([spec.region, spec.endpoint, spec.credentials]), spec);
    for (const [key, spec] of accounts) {
      if (!this.peers.mine(`sweep ${key}`)) continue;
      const launcher = launchers[spec.kind] as Launcher;
      yield async (seen) => {
        const there = await launcher.sweep(spec, this.room.installation);
        for (const one of there) {
          if (this.alive(one.resource) || !this.due(one.id, 'instance', spec.region, seen)) continue;
          await launcher.reap(spec, one);
          this.destroyed(one.id, 'instance', spec.region);
        }
      };
    }
  }

  private *hosts(): IterableIterator<(seen: Set<string>) => Promise<void>> {
    for (const [id, { state }] of this.resources.entries()) {
      if (state.status !== 'active' || !state.info.host || state.unreachable !== undefined || state.flags.held || !this.peers.mine(id)) continue;
      const { host, name } = state.info;
      yield (seen) => this.folders(host, name, seen);
    }
  }

  private async folders(host: HostAccess, name: string, seen: Set<string>): Promise<void> {
    const ask = (what: string) => ({ id: derivedId(name, `${what} ${Date.now()} ${Math.random()}`), actor: 'allocator', patienceMs: PATIENCE_MS });
    const listed = await this.runtime.bus.command('host-agent-gateway', 'ListFolders', { host }, ask('list folders'));
    if (!listed.accepted) return; // its reachability is on record already
    const { copies } = listed.data as { copies: { id: string; ageMs: number }[] };
    const due = copies.filter(({ id }) => !this.alive(id) && !this.views.leases.has(id) && !this.views.claims.has(id) && this.due(id, 'folder', name, seen)).map(({ id }) => id);
    if (due.length === 0) return;
    const answer = await this.runtime.bus.command('host-agent-gateway', 'RemoveFolders', { host, copies: due.slice(0, 1000) }, ask('remove folders'));
    if (!answer.accepted) return;
    const { removed, failed } = answer.data as { removed: string[]; failed: { id: string; error: string }[] };
    for (const id of removed) this.destroyed(id, 'folder', name);
    for (const { id, error } of failed) this.runtime.log.warn({ folder: id, host: name, error }, 'could not be removed, tried again');
  }
}
