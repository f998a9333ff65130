import { unreachable, type ActionEvent, type AnyRecorded, type BuildEvent, type LeaseEvent, type Recorded, type ResourceEvent } from '@berth/contracts';
import type { ActionView, LeaseEnd, LeaseView, View } from './domain/view.js';

/** What an action has shown before its end: when it was asked for, and when the host began. */
interface Clock {
  askedAt: number;
  startedAt?: number;
}

/** What a live working copy is, by its resource. */
interface Copy {
  path?: string;
  commit?: string;
}

/**
 * What builds need to know of leases, working copies and actions, folded from the feed. A lease or an action is followed from
 * the event in which its build names it, which stands before everything of its own, until its build is cleaned up; a working
 * copy as long as it lives, for it is made before anybody is told whose lease it is for.
 */
export class Views implements View {
  private readonly leases = new Map<string, LeaseView>();
  private readonly actions = new Map<string, ActionView>();
  private readonly clocks = new Map<string, Clock>();
  private readonly copies = new Map<string, Copy>();
  /** the build of each lease and action, and the other way round */
  private readonly builds = new Map<string, string>();
  private readonly owned = new Map<string, string[]>();

  lease(id: string): LeaseView | undefined {
    const lease = this.leases.get(id);
    return lease?.status === 'active' ? { ...lease, ...this.copies.get(lease.resource) } : lease;
  }

  action(id: string): ActionView | undefined {
    return this.actions.get(id);
  }

  /** How long ago the action of a step was asked for; 0 when it was not. */
  runningFor(action: string, now: number): number {
    const askedAt = this.clocks.get(action)?.askedAt;
    return askedAt === undefined ? 0 : Math.max(0, now - askedAt);
  }

  /** A lease or an action that never came to be: only its refusal tells so. What the feed has shown is not touched. */
  refused(what: 'lease' | 'action', id: string, { code, message }: { code: string; message: string }): void {
    const view: Map<string, LeaseView | ActionView> = what === 'lease' ? this.leases : this.actions;
    if (this.builds.has(id) && (view.get(id)?.status ?? 'refused') === 'refused') view.set(id, { status: 'refused', code, message });
  }

  /** Follows one commit. @returns the build that it concerns */
  apply(recorded: AnyRecorded): string | undefined {
    switch (recorded.kind) {
      case 'build':
        for (const event of recorded.commit.events) this.noteBuild(recorded.id, event);
        return recorded.id;
      case 'lease': {
        const build = this.builds.get(recorded.id);
        if (build !== undefined) for (const event of recorded.commit.events) this.noteLease(recorded, event);
        return build;
      }
      case 'action': {
        const build = this.builds.get(recorded.id);
        if (build !== undefined) for (const event of recorded.commit.events) this.noteAction(recorded, event);
        return build;
      }
      case 'resource':
        for (const event of recorded.commit.events) this.noteResource(recorded.id, event);
        return undefined; // its lease says when it can be used
      case 'machine':
      case 'plan':
        return undefined;
      default:
        return unreachable(recorded);
    }
  }

  private noteBuild(build: string, event: BuildEvent): void {
    if (event.type === 'BuildPreparing') this.own(build, event.data.hostLease);
    else if (event.type === 'BuildWorkingCopyRequested') this.own(build, event.data.workingCopyLease);
    else if (event.type === 'StepStarted') this.own(build, event.data.action);
    else if (event.type === 'BuildCleanedUp') this.forget(build);
  }

  private own(build: string, id: string): void {
    this.builds.set(id, build);
    const owned = this.owned.get(build);
    if (owned) owned.push(id);
    else this.owned.set(build, [id]);
  }

  private forget(build: string): void {
    for (const id of this.owned.get(build) ?? []) for (const map of [this.builds, this.leases, this.actions, this.clocks]) map.delete(id);
    this.owned.delete(build);
  }

  private noteLease({ id, sequence: position, commit }: Recorded, event: LeaseEvent): void {
    const lease = this.leases.get(id);
    const at = Date.parse(commit.at);
    switch (event.type) {
      case 'LeaseRequested':
        this.leases.set(id, { status: 'pending', position });
        return;
      case 'LeaseWaiting':
        this.leases.set(id, { status: 'pending', position, reason: event.data.reason });
        return;
      case 'LeaseAcquired':
        this.leases.set(id, { status: 'acquired', position, token: event.data.token, resource: event.data.resource });
        return;
      case 'LeaseActivated':
        if (lease?.status === 'acquired') this.leases.set(id, { ...lease, status: 'active', position });
        return;
      case 'LeaseRenewed':
        return;
      case 'LeaseReleased':
        this.leases.set(id, { status: 'ending', position, end: { how: event.data.expired ? 'expired' : 'released', detail: event.data.reason, at } });
        return;
      case 'LeaseBroken':
        this.leases.set(id, { status: 'ending', position, end: { how: 'broken', detail: event.data.error, at } });
        return;
      case 'LeaseDestroyed': {
        // A lease never ends without saying why before; the words are for the case that a future version does.
        const end: LeaseEnd = lease?.status === 'ending' ? lease.end : { how: 'released', detail: 'no reason given', at };
        this.leases.set(id, { status: 'destroyed', position, end });
        return;
      }
      default:
        unreachable(event);
    }
  }

  private noteAction({ id, commit }: Recorded, event: ActionEvent): void {
    const at = Date.parse(commit.at);
    const clock = this.clocks.get(id) ?? { askedAt: at };
    this.clocks.set(id, clock);
    // From when it was asked for: the host's own start is part of what a step takes.
    const durationMs = Math.max(0, at - clock.askedAt);
    switch (event.type) {
      case 'ActionRequested':
        this.actions.set(id, { status: 'requested' });
        return;
      case 'ActionStarted':
        clock.startedAt = at;
        this.actions.set(id, { status: 'requested', startedAt: at });
        return;
      case 'CancelRequested':
        return;
      case 'ActionSucceeded':
        this.actions.set(id, { status: 'succeeded', result: event.data, durationMs });
        return;
      case 'ActionFailed':
        this.actions.set(id, { status: 'failed', result: event.data, code: event.data.code, error: event.data.error, started: clock.startedAt !== undefined, durationMs });
        return;
      case 'ActionLost':
        this.actions.set(id, { status: 'lost', error: event.data.error, durationMs });
        return;
      case 'ActionCancelled':
        this.actions.set(id, { status: 'cancelled', reason: event.data.reason, durationMs });
        return;
      default:
        unreachable(event);
    }
  }

  private noteResource(id: string, event: ResourceEvent): void {
    if (event.type === 'ResourceCreated' && event.data.type === 'working-copy') this.copies.set(id, {});
    else if (event.type === 'ResourceActivated' && this.copies.has(id)) {
      const { path, commit } = event.data;
      this.copies.set(id, { ...(path !== undefined && { path }), ...(commit !== undefined && { commit }) });
    } else if (event.type === 'ResourceDestroyed') this.copies.delete(id);
  }
}
