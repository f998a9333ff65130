import { randomUUID } from 'node:crypto';
import type { HostAccess } from '@berth/contracts';
import type { Runtime } from '@berth/runtime';
import type { Grants } from './domain/grants.js';
import type { HostError } from './transports/errors.js';
import { keyOf, type HostPool } from './transports/pool.js';
import type { HostSpec } from './transports/transport.js';

/** A host as the transports know it. */
export function specOf(host: { name: string; access: HostAccess }): HostSpec {
  const { transport, address, port, user, credential, hostKey, platform, folder } = host.access;
  return { id: host.name, transport, address, port, user, credential, platform, folder, ...(hostKey !== undefined && { hostKey }) };
}

interface Watched {
  host: HostSpec;
  end: () => void;
  state: 'unknown' | 'up' | 'down';
  error?: string;
  telling: boolean;
}

/** What a link is told to whom. */
export interface LinkListener {
  /** A host is (again) connected. */
  up(host: HostSpec): void;
  /** A host is no longer in service, because it failed or in good order; its connection is closed when this resolves. */
  over(host: HostSpec, failed: boolean): Promise<void> | void;
}

/**
 * Keeps a connection to every host in service and tells the allocator when one goes or comes back, so that a host that is
 * down is not granted and one that is up costs no connecting.
 */
export class Links {
  private readonly watched = new Map<string, Watched>();

  constructor(
    private readonly runtime: Runtime,
    private readonly grants: Grants,
    private readonly pool: HostPool,
    private readonly position: () => number,
    private readonly listener: LinkListener,
  ) {}

  /** Looks at one host again: it may have come, gone, or been recorded otherwise than it is. */
  mind(id: string): void {
    const host = this.grants.hosts.get(id);
    const watched = this.watched.get(id);
    if (!host) {
      if (watched) this.leave(id, watched);
      return;
    }
    if (!host.active) return;
    const spec = specOf(host);
    if (watched && keyOf(watched.host) === keyOf(spec)) {
      this.report(id);
      return;
    }
    if (watched) this.leave(id, watched);
    const entry: Watched = { host: spec, end: () => {}, state: 'unknown', telling: false };
    this.watched.set(id, entry);
    entry.end = this.pool.watch(spec, { up: () => this.changed(id, entry, undefined), down: (error) => this.changed(id, entry, error) });
  }

  /** The host in service that is got into in exactly this way. */
  serving(access: HostAccess): HostSpec | undefined {
    const key = (name: string, at: HostAccess) => keyOf(specOf({ name, access: at }));
    const wanted = key('', access);
    for (const [id, { host }] of this.watched) {
      const known = this.grants.hosts.get(id);
      if (known && key('', known.access) === wanted) return host;
    }
    return undefined;
  }

  stop(): void {
    for (const { end } of this.watched.values()) end();
    this.watched.clear();
  }

  private leave(id: string, { end, host, state }: Watched): void {
    end();
    this.watched.delete(id);
    const left = async (): Promise<void> => {
      await this.listener.over(host, state !== 'up');
      await this.pool.release(host);
    };
    left().catch((problem: unknown) => this.runtime.log.warn({ problem, host: host.id }, 'connection to a host that left not closed'));
  }

  private changed(id: string, watched: Watched, error: HostError | undefined): void {
    if (this.watched.get(id) !== watched) return;
    watched.state = error ? 'down' : 'up';
    if (error) watched.error = error.message;
    else delete watched.error;
    if (!error) this.listener.up(watched.host);
    this.report(id);
  }

  /** Says what is so, and why, until that is on record: one message at a time. */
  private report(id: string): void {
    const watched = this.watched.get(id);
    const host = this.grants.hosts.get(id);
    if (!watched || !host || watched.telling || watched.state === 'unknown' || host.problem === watched.error) return;
    watched.telling = true;
    const { error: told } = watched;
    const reachable = watched.state === 'up';
    this.runtime.bus
      .command('allocator', 'ReportHost', { resource: id, reachable, ...(told !== undefined && { error: told }) }, { id: randomUUID(), actor: 'host-agent-gateway', after: this.position() })
      .catch((problem: unknown) => this.runtime.log.warn({ problem, host: host.name }, 'state of a host not delivered'))
      .finally(() => {
        watched.telling = false;
        // It changed meanwhile, and what was told may be on record already: nothing else would ask again.
        if (watched.error !== told && this.watched.get(id) === watched) this.report(id);
      });
  }
}
