import { derivedId, type AnyRecorded } from '@berth/contracts';
import { tellUntilStored, type Follower, type Runtime } from '@berth/runtime';
import { blueprints } from './blueprints/index.js';
import type { ResourceCommand } from './domain/resource.js';
import type { Claims, Resources } from './claims.js';
import type { Views } from './views.js';

/** How long to wait before a failed removal is tried again: doubles from the first to the last. */
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 60_000;

/**
 * What stands on a leased host: made when its lease is asked for, removed when that lease ends, and only then are slots
 * given back, leaf first. Works from the present alone, so a restart goes on where the last process stopped.
 */
export class Copies {
  private readonly sent = new Set<string>();
  private readonly retries = new Map<string, NodeJS.Timeout>();
  /** working copies that are not destroyed, by the host lease that they stand on */
  private readonly standing = new Map<string, Set<string>>();

  constructor(
    private readonly runtime: Runtime,
    private readonly follower: () => Follower,
    private readonly views: Views,
    private readonly resources: Resources,
    private readonly claims: Claims,
    private readonly claimOf: (lease: string) => { resource: string; token: number } | undefined,
  ) {}

  stop(): void {
    for (const timer of this.retries.values()) clearTimeout(timer);
  }

  /** The copy that belongs to a lease. */
  static idOf(lease: string): string {
    return derivedId(lease, 'working copy');
  }

  apply(recorded: AnyRecorded): void {
    if (recorded.kind !== 'resource') return;
    const state = this.resources.get(recorded.id)?.state;
    if (!state || state.status === 'none' || !state.info.parent) return;
    const host = state.info.parent.lease;
    const others = this.standing.get(host) ?? new Set<string>();
    if (state.status === 'destroyed') {
      others.delete(recorded.id);
      this.views.copies.delete(recorded.id);
    } else others.add(recorded.id);
    if (others.size > 0) this.standing.set(host, others);
    else this.standing.delete(host);
  }

  /** What is due for a lease of either type. */
  lease(id: string): void {
    const lease = this.views.leases.get(id);
    if (lease?.status === 'pending' && lease.request.type === 'working-copy') this.create(id);
    const claim = this.claimOf(id);
    if (!claim || (lease && lease.status !== 'ended')) return;
    const resource = this.resources.get(claim.resource)?.state;
    if (!resource || !('claims' in resource)) return;
    if (resource.info.type === 'working-copy') {
      this.remove(claim.resource, id, claim.token, () => this.tell(claim.resource, { type: 'Destroy' }, 'destroy'));
      return;
    }
    if (this.standing.has(id)) return;
    const free = () => {
      this.views.used.delete(id);
      this.views.copies.delete(id);
      this.claims.free(claim.resource, id);
    };
    // What ran under a host lease itself did so in a folder named after the lease.
    if (this.views.used.has(id)) this.remove(id, id, claim.token, free);
    else if (!this.views.running.has(id)) free();
  }

  /** What is due for a working copy that is being made. */
  resource(id: string): void {
    const resource = this.resources.get(id)?.state;
    if (!resource || resource.status === 'none') return;
    if (resource.status === 'destroyed') {
      if (resource.info.parent) this.lease(resource.info.parent.lease);
      return;
    }
    if (resource.info.type !== 'working-copy') return;
    const lease = resource.claims.get(0);
    if (lease === undefined) return;
    const claim = this.claimOf(lease);
    const over = (this.views.leases.get(lease)?.status ?? 'ended') === 'ended';
    if (over) {
      this.lease(lease);
      return;
    }
    if (resource.status !== 'pending' || !claim) return;
    const prepare = this.views.copies.get(id)?.prepare;
    if (!prepare) {
      this.run(derivedId(id, 'prepare'), lease, claim.token, blueprints['working-copy'].create(id, resource.info), (refusal) =>
        this.tell(id, { type: 'Break', error: refusal }, 'refused'),
      );
    } else if (prepare.end?.ok) this.tell(id, { type: 'Activate', ...blueprints['working-copy'].facts(prepare.end.result) }, 'activate');
    else if (prepare.end) this.tell(id, { type: 'Break', error: prepare.end.code === 'unreachable' || prepare.end.code === 'lost' ? `host unreachable: ${prepare.end.error}` : prepare.end.error }, 'break');
  }

  private create(lease: string): void {
    const { request } = this.views.leases.get(lease)!;
    const host = request.host && this.claimOf(request.host.lease);
    if (!request.host || !host) return; // the lease service releases it when its host lease ends
    const id = Copies.idOf(lease);
    if (this.resources.get(id)) return;
    this.tell(
      id,
      {
        type: 'Create',
        activate: false,
        claim: { lease, owner: request.owner },
        info: {
          type: 'working-copy',
          blueprint: 'working-copy',
          name: `working copy ${id.slice(0, 8)}`,
          attributes: {},
          slots: 1,
          parent: { lease: request.host.lease, resource: host.resource },
          workingCopy: request.workingCopy ?? {},
        },
      },
      'create',
    );
  }

  /** Sees that a folder is removed under the claim of an ended lease, however often it takes; then `gone`. */
  private remove(copy: string, lease: string, token: number, gone: () => void): void {
    const removals = this.views.copies.get(copy)?.removals ?? [];
    const last = removals.at(-1)?.end;
    if (last?.ok) {
      gone();
      return;
    }
    // The gateway ends what runs under an ended lease; nothing is removed under the feet of a live process.
    if (this.views.running.has(lease)) return;
    const attempt = () => {
      this.retries.delete(copy);
      this.run(derivedId(copy, `remove ${removals.length}`), lease, token, blueprints['working-copy'].destroy(copy), (refusal) => this.runtime.log.error({ lease, copy, refusal }, 'removal refused'));
    };
    if (!last) attempt();
    else if (!this.retries.has(copy)) {
      this.runtime.log.warn({ copy, error: last.error }, 'removal failed, will be tried again');
      const timer = setTimeout(attempt, Math.min(FIRST_RETRY_MS * 2 ** (removals.length - 1), LAST_RETRY_MS));
      timer.unref();
      this.retries.set(copy, timer);
    }
  }

  private run(id: string, lease: string, token: number, spec: ReturnType<(typeof blueprints)['working-copy']['create']>, refused: (why: string) => void): void {
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

  private tell(id: string, command: ResourceCommand, role: string): void {
    const cause = derivedId(id, role);
    tellUntilStored(this.runtime, this.resources, id, command, { id: cause, actor: 'allocator', cause, at: new Date().toISOString() });
  }
}
