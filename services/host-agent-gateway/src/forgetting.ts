import type { Runtime } from '@berth/runtime';
import type { Runner } from './runner/run.js';
import { messageOf } from './transports/errors.js';
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

  add(host: HostSpec, id: string): void {
    const known = this.waiting.get(host.id);
    if (known) {
      known.ids.add(id);
      return;
    }
    const timer = setTimeout(() => void this.flush(host), FLUSH_MS);
    this.waiting.set(host.id, { host, ids: new Set([id]), timer });
  }

  /** Resolves when all that was to be forgotten on this host is gone, or could not be reached. */
  async flush(host: HostSpec): Promise<void> {
    const batch = this.waiting.get(host.id);
    if (batch) {
      this.waiting.delete(host.id);
      clearTimeout(batch.timer);
      const work: Promise<void> = this.runner
        .forget(host, [...batch.ids])
        .catch((error: unknown) => this.log.info({ host: host.id, problem: messageOf(error) }, 'folders of ended actions stay until the host is back'))
        .finally(() => this.flushing.delete(work));
      this.flushing.add(work);
    }
    await Promise.all(this.flushing);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.waiting.values()].map(({ host }) => this.flush(host)));
  }
}
