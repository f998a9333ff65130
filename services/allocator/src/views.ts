import type { ActionResult, ActionSpec, AnyRecorded, LeaseRequest } from '@berth/contracts';

/** A lease as the allocator sees it. */
export interface LeaseView {
  request: LeaseRequest;
  /** position of the request */
  order: number;
  /** when it was asked for, ms since the epoch */
  askedAt: number;
  status: 'pending' | 'acquired' | 'active' | 'ended';
  /** resource of its grant, once it has one */
  granted?: string;
  /** what was last written down of why it waits */
  explained?: string;
  /** when that was, ms since the epoch */
  explainedAt?: number;
  /** why it ended, when it did not end well */
  failure?: string;
}

/** A live claim of a lease. */
export interface ClaimView {
  resource: string;
  token: number;
  owner: string;
  affinity?: string;
}

/** How the last action of one kind on a resource went. */
export interface MadeAction {
  id: string;
  end?: { ok: true; result: ActionResult } | { ok: false; code: string; error: string };
}

/** When what happened to a resource, ms since the epoch. */
export interface Clock {
  created: number;
  activated?: number;
  /** since when nobody has a slot */
  idleSince: number;
  /** when its status changed last */
  since: number;
}

/** What the allocator knows of what others write, and of times. Only what is alive is kept. */
export class Views {
  readonly leases = new Map<string, LeaseView>();
  /** live claims by lease, in the order they were committed: of two allocators' claims for one lease the first counts */
  readonly claims = new Map<string, ClaimView[]>();
  readonly clocks = new Map<string, Clock>();
  /** actions that have not ended, by lease */
  readonly running = new Map<string, Set<string>>();
  /** host leases under which something was done: they have a folder on the host */
  readonly used = new Set<string>();
  /** by what stands on a host (or a used host lease): the action that makes it, and the tries to remove it */
  readonly made = new Map<string, { make?: MadeAction; removals: MadeAction[] }>();
  /** of the actions above: where they belong */
  private readonly actions = new Map<string, { lease: string; about?: string }>();

  apply(recorded: AnyRecorded): void {
    if (recorded.kind === 'lease') this.applyLease(recorded);
    else if (recorded.kind === 'action') this.applyAction(recorded);
    else if (recorded.kind === 'resource') this.applyResource(recorded);
  }

  /** The claim that counts: that of the grant, else the first. */
  claimOf(lease: string): ClaimView | undefined {
    const claims = this.claims.get(lease);
    const granted = this.leases.get(lease)?.granted;
    return claims?.find((claim) => claim.resource === granted) ?? claims?.[0];
  }

  private applyLease({ id, sequence, commit }: Extract<AnyRecorded, { kind: 'lease' }>): void {
    for (const event of commit.events) {
      const lease = this.leases.get(id);
      if (event.type === 'LeaseRequested') {
        // Requests of older versions say neither what they prefer nor how long they wait.
        this.leases.set(id, { request: { ...event.data, prefer: event.data.prefer ?? [], wait: event.data.wait ?? 'always' }, order: sequence, askedAt: Date.parse(commit.at), status: 'pending' });
        continue;
      }
      if (!lease) continue;
      switch (event.type) {
        case 'LeaseAcquired':
          lease.status = 'acquired';
          lease.granted = event.data.resource;
          break;
        case 'LeaseActivated':
          lease.status = 'active';
          break;
        case 'LeaseReleased':
          lease.status = 'ended';
          lease.failure ??= event.data.reason;
          break;
        case 'LeaseRefused':
          lease.status = 'ended';
          lease.failure = event.data.reason;
          break;
        case 'LeaseBroken':
          lease.status = 'ended';
          lease.failure = event.data.error;
          break;
        case 'LeaseWaiting':
          lease.explained = event.data.reason;
          lease.explainedAt = Date.parse(commit.at);
          break;
        case 'PriorityChanged':
          lease.request = { ...lease.request, priority: event.data.priority };
          break;
        case 'LeaseRenewed':
          lease.request = { ...lease.request, until: event.data.until };
          break;
        case 'LeaseBeat':
          break;
        case 'LeaseDestroyed':
          this.leases.delete(id);
          break;
      }
    }
  }

  private applyResource({ id, sequence, commit }: Extract<AnyRecorded, { kind: 'resource' }>): void {
    const at = Date.parse(commit.at);
    for (const event of commit.events) {
      const clock = this.clocks.get(id);
      switch (event.type) {
        case 'ResourceCreated':
          this.clocks.set(id, { created: at, idleSince: at, since: at });
          break;
        case 'ResourceActivated':
          Object.assign(clock!, { activated: at, idleSince: at, since: at });
          break;
        case 'ResourceBroken':
        case 'ResourceReleased':
          clock!.since = at;
          break;
        case 'SlotClaimed': {
          const { lease, owner, affinity } = event.data;
          const claim: ClaimView = { resource: id, token: sequence, owner, ...(affinity !== undefined && { affinity }) };
          const others = this.claims.get(lease);
          if (others) others.push(claim);
          else this.claims.set(lease, [claim]);
          break;
        }
        case 'SlotFreed': {
          const left = (this.claims.get(event.data.lease) ?? []).filter((claim) => claim.resource !== id);
          if (left.length > 0) this.claims.set(event.data.lease, left);
          else this.claims.delete(event.data.lease);
          clock!.idleSince = at;
          break;
        }
        case 'ResourceDestroyed':
          this.clocks.delete(id);
          this.made.delete(id);
          break;
        default:
          break; // says nothing of times or claims
      }
    }
  }

  private applyAction({ id, commit }: Extract<AnyRecorded, { kind: 'action' }>): void {
    for (const event of commit.events) {
      switch (event.type) {
        case 'ActionRequested': {
          const { lease, spec } = event.data;
          const about = aboutOf(spec);
          this.actions.set(id, { lease, ...(about !== undefined && { about }) });
          const running = this.running.get(lease);
          if (running) running.add(id);
          else this.running.set(lease, new Set([id]));
          if (about !== undefined) this.noteMade(about, spec.kind, id);
          else if (this.leases.get(lease)?.request.type === 'host') this.used.add(lease);
          break;
        }
        case 'ActionStarted':
        case 'CancelRequested':
          break;
        case 'ActionSucceeded':
          this.end(id, { ok: true, result: event.data });
          break;
        case 'ActionFailed':
          this.end(id, { ok: false, code: event.data.code, error: event.data.error });
          break;
        case 'ActionLost':
          this.end(id, { ok: false, code: 'lost', error: event.data.error });
          break;
        case 'ActionCancelled':
          this.end(id, { ok: false, code: 'cancelled', error: event.data.reason });
          break;
      }
    }
  }

  private noteMade(about: string, kind: ActionSpec['kind'], id: string): void {
    const known = this.made.get(about) ?? { removals: [] };
    if (kind === 'prepare-working-copy' || kind === 'start-service') known.make = { id };
    else known.removals.push({ id });
    this.made.set(about, known);
  }

  private end(id: string, end: NonNullable<MadeAction['end']>): void {
    const action = this.actions.get(id);
    if (!action) return;
    this.actions.delete(id);
    const running = this.running.get(action.lease);
    running?.delete(id);
    if (running?.size === 0) this.running.delete(action.lease);
    const made = action.about === undefined ? undefined : this.made.get(action.about);
    if (!made) return;
    for (const one of [made.make, ...made.removals]) if (one?.id === id) one.end = end;
  }

  /** Lease, and what it makes or removes, of an action, before `apply` forgets an ended one. */
  actionOf(id: string): { lease: string; about?: string } | undefined {
    return this.actions.get(id);
  }
}

function aboutOf(spec: ActionSpec): string | undefined {
  switch (spec.kind) {
    case 'prepare-working-copy':
    case 'remove-working-copy':
      return spec.copy;
    case 'start-service':
    case 'stop-service':
      return spec.service;
    default:
      return undefined;
  }
}
