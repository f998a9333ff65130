import { randomUUID } from 'node:crypto';
import type { Runtime } from '@berth/runtime';
import type { Grants, HostView } from './domain/grants.js';
import type { HostError } from './transports/errors.js';
import type { HostPool } from './transports/pool.js';
import type { HostSpec } from './transports/transport.js';

/** A host as the transports know it. */
export function specOf(host: Pick<HostView, 'name' | 'access'>): HostSpec {
  const { transport, address, port, user, credential, hostKey, folder } = host.access;
  return { id: host.name, transport, address, port, user, credential, folder, ...(hostKey !== undefined && { hostKey }) };
}

/**
 * Keeps a connection to every host in service and tells the allocator when one goes or comes back, so that a host that is
 * down is not granted and one that is up costs no connecting.
 */
export class Links {
  private readonly watched = new Map<string, { end: () => void; state: 'unknown' | 'up' | 'down'; error?: string; telling: boolean }>();

  constructor(
    private readonly runtime: Runtime,
    private readonly grants: Grants,
    private readonly pool: HostPool,
    private readonly position: () => number,
    private readonly onUp: (host: HostView) => void,
  ) {}

  /** Looks at one host again: it may have come, gone, or been recorded otherwise than it is. */
  mind(id: string): void {
    const host = this.grants.hosts.get(id);
    const watched = this.watched.get(id);
    if (!host) {
      watched?.end();
      this.watched.delete(id);
      return;
    }
    if (!host.active) return;
    if (!watched) {
      const entry = { end: () => {}, state: 'unknown' as const, telling: false };
      this.watched.set(id, entry);
      entry.end = this.pool.watch(specOf(host), { up: () => this.changed(id, undefined), down: (error) => this.changed(id, error) });
    } else this.report(id);
  }

  stop(): void {
    for (const { end } of this.watched.values()) end();
    this.watched.clear();
  }

  private changed(id: string, error: HostError | undefined): void {
    const watched = this.watched.get(id);
    if (!watched) return;
    watched.state = error ? 'down' : 'up';
    if (error) watched.error = error.message;
    else delete watched.error;
    const host = this.grants.hosts.get(id);
    if (!error && host) this.onUp(host);
    this.report(id);
  }

  /** Says what is so, and why, until that is on record: one message at a time. */
  private report(id: string): void {
    const watched = this.watched.get(id);
    const host = this.grants.hosts.get(id);
    if (!watched || !host || watched.telling || watched.state === 'unknown' || host.problem === watched.error) return;
    watched.telling = true;
    const reachable = watched.state === 'up';
    this.runtime.bus
      .command('allocator', 'ReportHost', { resource: id, reachable, ...(watched.error !== undefined && { error: watched.error }) }, { id: randomUUID(), actor: 'host-agent-gateway', after: this.position() })
      .catch((problem: unknown) => this.runtime.log.warn({ problem, host: host.name }, 'state of a host not delivered'))
      .finally(() => {
        watched.telling = false;
      });
  }
}
