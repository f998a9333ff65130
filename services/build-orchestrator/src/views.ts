import { unreachable, type ActionEvent, type AnyRecorded, type BuildEvent, type LeaseEvent, type Recorded, type ResourceEvent } from '@berth/contracts';
import type { ActionView, HoldView, HostView, LeaseEnd, LeaseView, Reply, View } from './domain/view.js';

/** What an action has shown before its end: when it was asked for, and when the host began. */
interface Clock {
  askedAt: number;
  startedAt?: number;
}

/** What is known of what stands on a host, by its resource: a working copy, or a service. */
interface Copy {
  path?: string;
  commit?: string;
  uri?: string;
  port?: number;
}

/**
 * What builds need to know of leases, hosts, working copies and actions, folded from the feed. A lease or an action is followed
 * from the event in which its build names it, which stands before everything of its own, until its build is cleaned up; a host
 * or a working copy as long as it lives, for it is made before anybody is told whose lease it is for.
 */
export class Views implements Pick<View, 'lease' | 'action' | 'host' | 'hold' | 'since' | 'reply'> {
  private readonly leases = new Map<string, LeaseView>();
  private readonly actions = new Map<string, ActionView>();
  private readonly clocks = new Map<string, Clock>();
  private readonly copies = new Map<string, Copy>();
  private readonly hosts = new Map<string, HostView>();
  private readonly holds = new Map<string, HoldView>();
  private readonly replies = new Map<string, Reply>();
  private readonly began = new Map<string, number>();
  /** the build of each lease, action and hold, and the other way round */
  private readonly builds = new Map<string, string>();
  private readonly owned = new Map<string, string[]>();

  lease(id: string): LeaseView | undefined {
    const lease = this.leases.get(id);
    return lease?.status === 'active' ? { ...lease, ...this.copies.get(lease.resource) } : lease;
  }

  action(id: string): ActionView | undefined {
    return this.actions.get(id);
  }

  host(resource: string): HostView | undefined {
    return this.hosts.get(resource);
  }

  hold(id: string): HoldView | undefined {
    return this.holds.get(id);
  }

  /** The allocator answered the hold that a build asked for. */
  held(build: string, id: string, answer: HoldView): void {
    if (!this.owned.has(build)) return; // it was cleaned up meanwhile
    this.own(build, id);
    this.holds.set(id, answer);
  }

  since(id: string): number | undefined {
    return this.began.get(id);
  }

  reply(id: string): Reply | undefined {
    return this.replies.get(id);
  }

  /** What the orchestrator did itself for a build has come to this. */
  replied(build: string, id: string, reply: Reply): void {
    if (!this.owned.has(build)) return; // it was cleaned up meanwhile
    this.own(build, id);
    this.replies.set(id, reply);
  }

  /** A lease or an action that never came to be: only its refusal tells so. What the feed has shown is not touched. */
  refused(what: 'lease' | 'action', id: string, { code, message }: { code: string; message: string }, at: number): void {
    const known = (what === 'lease' ? this.leases : this.actions).get(id);
    if (!this.builds.has(id) || (known && known.status !== 'refused')) return;
    if (what === 'lease') this.leases.set(id, { status: 'refused', code, message });
    else this.actions.set(id, { status: 'refused', code, message, at });
  }

  /** Follows one commit. @returns the builds that it concerns */
  apply(recorded: AnyRecorded): readonly string[] {
    switch (recorded.kind) {
      case 'build':
        for (const event of recorded.commit.events) this.noteBuild(recorded.id, event, Date.parse(recorded.commit.at));
        return [recorded.id];
      case 'lease': {
        const build = this.builds.get(recorded.id);
        if (build !== undefined) for (const event of recorded.commit.events) this.noteLease(recorded, event);
        return build === undefined ? [] : [build];
      }
      case 'action': {
        const build = this.builds.get(recorded.id);
        if (build !== undefined) for (const event of recorded.commit.events) this.noteAction(recorded, event);
        return build === undefined ? [] : [build];
      }
      case 'resource':
        for (const event of recorded.commit.events) this.noteResource(recorded, event);
        // Its lease says when it can be used; what becomes of a host is heard here first.
        return recorded.commit.events.some(({ type }) => type === 'ResourceBroken' || type === 'ResourceReachable') ? this.buildsOn(recorded.id) : [];
      case 'machine':
      case 'blueprint':
      case 'fleet':
      case 'plan':
      case 'token':
      case 'access':
      case 'webhook':
      case 'secret':
      case 'hardware':
      case 'hardware-group':
      case 'job':
      case 'catalog':
      case 'image':
      case 'replication':
        return [];
      default:
        return unreachable(recorded);
    }
  }

  private noteBuild(build: string, event: BuildEvent, at: number): void {
    if (event.type === 'BuildPreparing') this.own(build, event.data.hostLease);
    else if (event.type === 'BuildWorkingCopyRequested') this.own(build, event.data.workingCopyLease);
    else if (event.type === 'StepStarted') this.begin(build, event.data.action, at);
    else if (event.type === 'BuildRequested' || event.type === 'BuildRestarted') this.begin(build, build, at);
    else if (event.type === 'BuildCleanedUp') this.forget(build);
  }

  private begin(build: string, id: string, at: number): void {
    this.own(build, id);
    this.began.set(id, at);
  }

  /** Ids of all that a build has asked for and is not cleaned up of: leases, actions, builds. */
  askedFor(build: string): readonly string[] {
    return this.owned.get(build) ?? [];
  }

  private own(build: string, id: string): void {
    // A build that a step of another has asked for stays known as that step's.
    if (id !== build || !this.builds.has(id)) this.builds.set(id, build);
    const owned = this.owned.get(build);
    if (owned) owned.push(id);
    else this.owned.set(build, [id]);
  }

  private forget(build: string): void {
    for (const id of this.owned.get(build) ?? []) for (const map of [this.builds, this.leases, this.actions, this.clocks, this.holds, this.replies, this.began]) map.delete(id);
    this.owned.delete(build);
  }

  /** Looked for when a host breaks or comes back only, which is rare. */
  private buildsOn(resource: string): string[] {
    const builds = new Set<string>();
    for (const [id, lease] of this.leases) if ((lease.status === 'acquired' || lease.status === 'active') && lease.resource === resource) builds.add(this.builds.get(id)!);
    return [...builds];
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
      case 'LeaseBeat':
      case 'PriorityChanged':
        return;
      case 'LeaseRefused':
        this.leases.set(id, { status: 'refused', code: 'unservable', message: event.data.reason });
        return;
      case 'LeaseReleased':
        this.leases.set(id, { status: 'ending', position, end: { how: event.data.expired ? 'expired' : 'released', detail: event.data.reason, at } });
        return;
      case 'LeaseBroken':
        this.leases.set(id, { status: 'ending', position, end: { how: 'broken', detail: event.data.error, at, ...(event.data.evicted && { evicted: true }) } });
        return;
      case 'LeaseDestroyed': {
        if (lease?.status === 'refused') return; // nothing ever was; both stand in one commit
        // A lease never ends without saying why before; the words are for the case that a future version does.
        const end: LeaseEnd = lease?.status === 'ending' ? lease.end : { how: 'released', detail: 'no reason given', at };
        this.leases.set(id, { status: 'destroyed', position, end });
        return;
      }
      default:
        unreachable(event);
    }
  }

  private noteAction({ id, sequence: position, commit }: Recorded, event: ActionEvent): void {
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
        this.actions.set(id, { ...this.actions.get(id), status: 'requested', startedAt: at });
        return;
      case 'CancelRequested': {
        const action = this.actions.get(id);
        if (action?.status === 'requested') this.actions.set(id, { ...action, cancelling: true });
        return;
      }
      case 'ActionSucceeded':
        this.actions.set(id, { status: 'succeeded', result: event.data, durationMs });
        return;
      case 'ActionFailed':
        this.actions.set(id, { status: 'failed', result: event.data, code: event.data.code, error: event.data.error, started: clock.startedAt !== undefined, durationMs, at, position });
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

  private noteResource({ id, sequence: position, commit }: Recorded, event: ResourceEvent): void {
    if (event.type === 'ResourceCreated') {
      const { type, host, machine } = event.data;
      if (type === 'working-copy' || type === 'service') this.copies.set(id, {});
      // How to get into a host is known from the beginning only if it was there before.
      else if (type === 'host') this.hosts.set(id, { launched: host === undefined, ...(machine !== undefined && { machine }) });
    } else if (event.type === 'ResourceDestroyed') {
      this.copies.delete(id);
      this.hosts.delete(id);
    } else if (event.type === 'ResourceActivated' && this.copies.has(id)) {
      const { path, commit, uri, port } = event.data;
      this.copies.set(id, { ...(path !== undefined && { path }), ...(commit !== undefined && { commit }), ...(uri !== undefined && { uri }), ...(port !== undefined && { port }) });
    } else {
      const host = this.hosts.get(id);
      if (!host) return;
      if (event.type === 'ResourceBroken') host.broken = { error: event.data.error, at: Date.parse(commit.at) };
      else if (event.type === 'ResourceReachable') host.answered = position;
      else if (event.type === 'ResourceHeld') host.heldUntil = event.data.until;
      else if (event.type === 'HoldEnded') delete host.heldUntil;
    }
  }
}
