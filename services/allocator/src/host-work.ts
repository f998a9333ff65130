import { derivedId, type ActionSpec } from '@berth/contracts';
import type { Follower, Runtime } from '@berth/runtime';
import type { Views } from './views.js';

/** How long to wait before a failed removal is tried again: doubles from the first to the last. */
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 60_000;

/** What the allocator has done on hosts, by the gateway, under the leases of what it makes there. */
export class HostWork {
  private readonly sent = new Set<string>();
  private readonly retries = new Map<string, NodeJS.Timeout>();

  constructor(
    private readonly runtime: Runtime,
    private readonly follower: () => Follower,
    private readonly views: Views,
  ) {}

  stop(): void {
    for (const timer of this.retries.values()) clearTimeout(timer);
  }

  /** Sees that something is removed under the claim of an ended lease, however often it takes; then `gone`. */
  remove(about: string, spec: ActionSpec, lease: string, token: number, gone: () => void): void {
    const removals = this.views.made.get(about)?.removals ?? [];
    const last = removals.at(-1)?.end;
    if (last?.ok) {
      gone();
      return;
    }
    // The gateway ends what runs under an ended lease; nothing is removed under the feet of a live process.
    if (this.views.running.has(lease)) return;
    const attempt = () => {
      this.retries.delete(about);
      this.run(derivedId(about, `remove ${removals.length}`), lease, token, spec, (refusal) => this.runtime.log.error({ lease, about, refusal }, 'removal refused'));
    };
    if (!last) attempt();
    else if (!this.retries.has(about)) {
      this.runtime.log.warn({ about, error: last.error }, 'removal failed, will be tried again');
      const timer = setTimeout(attempt, Math.min(FIRST_RETRY_MS * 2 ** (removals.length - 1), LAST_RETRY_MS));
      timer.unref();
      this.retries.set(about, timer);
    }
  }

  run(id: string, lease: string, token: number, spec: ActionSpec, refused: (why: string) => void): void {
    if (this.sent.has(id)) return;
    this.sent.add(id);
    this.runtime.bus
      .command('host-agent-gateway', 'RunAction', { lease, token, spec }, { id, actor: 'allocator', after: this.follower().position })
      .then(async (answer) => {
        if (!answer.accepted) refused(answer.message);
        else if (answer.position) await this.follower().reached(answer.position);
      })
      .catch((error: unknown) => this.runtime.log.warn({ error, action: id }, 'action not delivered'))
      .finally(() => this.sent.delete(id));
  }
}
