import type { ActionResult, ActionSpec, AnyRecorded, LeaseRequest } from '@berth/contracts';

/** A lease as the allocator sees it. */
export interface LeaseView {
  request: LeaseRequest;
  /** position of the request: the order of the queue */
  order: number;
  status: 'pending' | 'held' | 'ended';
  explained?: string;
}

/** How the last action of one kind on a copy went. */
export interface CopyAction {
  id: string;
  end?: { ok: true; result: ActionResult } | { ok: false; code: string; error: string };
}

/** What the allocator knows of what others write. Only what is alive is kept. */
export class Views {
  readonly leases = new Map<string, LeaseView>();
  /** actions that have not ended, by lease */
  readonly running = new Map<string, Set<string>>();
  /** host leases under which something was done: they have a folder on the host */
  readonly used = new Set<string>();
  /** by copy (or used host lease): the action that makes it, and the tries to remove it */
  readonly copies = new Map<string, { prepare?: CopyAction; removals: CopyAction[] }>();
  /** of the actions above: where they belong */
  private readonly actions = new Map<string, { lease: string; copy?: string }>();

  apply(recorded: AnyRecorded): void {
    if (recorded.kind === 'lease') this.applyLease(recorded);
    else if (recorded.kind === 'action') this.applyAction(recorded);
  }

  private applyLease({ id, sequence, commit }: Extract<AnyRecorded, { kind: 'lease' }>): void {
    for (const event of commit.events) {
      const lease = this.leases.get(id);
      if (event.type === 'LeaseRequested') this.leases.set(id, { request: event.data, order: sequence, status: 'pending' });
      else if (!lease) continue;
      else if (event.type === 'LeaseAcquired') lease.status = 'held';
      else if (event.type === 'LeaseReleased' || event.type === 'LeaseBroken') lease.status = 'ended';
      else if (event.type === 'LeaseWaiting') lease.explained = event.data.reason;
      else if (event.type === 'LeaseDestroyed') this.leases.delete(id);
    }
  }

  private applyAction({ id, commit }: Extract<AnyRecorded, { kind: 'action' }>): void {
    for (const event of commit.events) {
      switch (event.type) {
        case 'ActionRequested': {
          const { lease, spec } = event.data;
          const copy = copyOf(spec);
          this.actions.set(id, { lease, ...(copy !== undefined && { copy }) });
          const running = this.running.get(lease);
          if (running) running.add(id);
          else this.running.set(lease, new Set([id]));
          if (copy !== undefined) this.noteCopy(copy, spec.kind, id);
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

  private noteCopy(copy: string, kind: ActionSpec['kind'], id: string): void {
    const known = this.copies.get(copy) ?? { removals: [] };
    if (kind === 'prepare-working-copy') known.prepare = { id };
    else known.removals.push({ id });
    this.copies.set(copy, known);
  }

  private end(id: string, end: NonNullable<CopyAction['end']>): void {
    const action = this.actions.get(id);
    if (!action) return;
    this.actions.delete(id);
    const running = this.running.get(action.lease);
    running?.delete(id);
    if (running?.size === 0) this.running.delete(action.lease);
    const copy = action.copy === undefined ? undefined : this.copies.get(action.copy);
    if (!copy) return;
    for (const one of [copy.prepare, ...copy.removals]) if (one?.id === id) one.end = end;
  }

  /** Lease and copy that an action of a commit belongs to, before `apply` forgets an ended one. */
  actionOf(id: string): { lease: string; copy?: string } | undefined {
    return this.actions.get(id);
  }
}

const copyOf = (spec: ActionSpec): string | undefined => (spec.kind === 'prepare-working-copy' || spec.kind === 'remove-working-copy' ? spec.copy : undefined);
