import type { Runtime } from '@berth/runtime';
import type { Runner } from './runner/run.js';
import { messageOf } from './transports/errors.js';
import { keyOf } from './transports/pool.js';
import type { HostSpec } from './transports/transport.js';

/** How long folders of ended actions may stay: removing many at once costs the host one process. */
const FLUSH_MS = 250;

/** Removes what hosts keep of actions whose outcome is stored. What a silent host keeps is swept when it is back. */
export class Forgetting {
  private readonly waiting = new Map<string, { host: HostSpec; ids: Set<string>; timer: NodeJS.Timeout }>();
  private readonly flushing = new Set<Promise<void>>();

  constructor(
    private readonly runner: Runner,
    private readonly log: Runtime['log'],
  ) {}

  add(host: HostSpec, ids: readonly string[]): void {
    const known = this.waiting.get(keyOf(host));
    if (known) {
      for (const id of ids) known.ids.add(id);
      return;
    }
    const timer = setTimeout(() => void this.flush(host), FLUSH_MS);
    this.waiting.set(keyOf(host), { host, ids: new Set(ids), timer });
  }

  /** Resolves when all that was to be forgotten on this host is gone, or could not be reached. */
  async flush(host: HostSpec): Promise<void> {
    const batch = this.waiting.get(keyOf(host));
    if (batch) {
      this.waiting.delete(keyOf(host));
      clearTimeout(batch.timer);
      const work: Promise<void> = this.runner
        .forget(host, [...batch.ids])
        .catch((error: unknown) => this.log.info({ host: host.id, problem: messageOf(error) }, 'folders of ended actions stay until the host is back'))
        .finally(() => this.flushing.delete(work));
      this.flushing.add(work);
    }
    await Promise.all(this.flushing);
  }

  /** Its host is gone, and these folders with it. */
  drop(host: HostSpec): void {
    clearTimeout(this.waiting.get(keyOf(host))?.timer);
    this.waiting.delete(keyOf(host));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.waiting.values()].map(({ host }) => this.flush(host)));
  }
}
