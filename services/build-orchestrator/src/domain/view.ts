import type { ActionResult, RefusalCode } from '@berth/contracts';
import type { Artifact, Build } from './build/build.js';

/** How a lease came to its end. */
export interface LeaseEnd {
  how: 'released' | 'expired' | 'broken';
  detail: string;
  /** milliseconds since 1970 */
  at: number;
  /** its machine was taken by force: what runs under it is being ended */
  evicted?: boolean;
}

/** What a build knows of a lease of its own, tagged by status. `position`: the event that told it. */
export type LeaseView =
  | { status: 'pending'; position: number; reason?: string }
  | { status: 'acquired'; position: number; token: number; resource: string }
  /** `path` and `commit` are those of a working copy; `uri` and `port` of a service */
  | { status: 'active'; position: number; token: number; resource: string; path?: string; commit?: string; uri?: string; port?: number }
  /** over, and being cleaned up */
  | { status: 'ending'; position: number; end: LeaseEnd }
  | { status: 'destroyed'; position: number; end: LeaseEnd }
  /** never came to be. `unservable`: its own events say so; otherwise known by the answer alone, so after a restart it is asked for once more */
  | { status: 'refused'; code: string; message: string };

/** What a build knows of the action of a step. `started`: the host has begun with it; `at` and `position`: when and where it was told. */
export type ActionView =
  /** `cancelling`: it is to be ended, and the gateway knows */
  | { status: 'requested'; startedAt?: number; cancelling?: boolean }
  | { status: 'succeeded'; result: ActionResult; durationMs: number }
  | { status: 'failed'; result: ActionResult; code: string; error: string; started: boolean; durationMs: number; at: number; position: number }
  | { status: 'lost'; error: string; durationMs: number }
  | { status: 'cancelled'; reason: string; durationMs: number }
  /** never came to be; known by the answer alone */
  | { status: 'refused'; code: string; message: string; at: number };

/** What a build knows of a host. */
export interface HostView {
  /** it was launched by its blueprint, so it can be gone for good; what was there already can only be away */
  launched: boolean;
  /** the machine it stands for, of those that are enrolled */
  machine?: string;
  /** why it is gone, and since when: nothing on it runs any more */
  broken?: { error: string; at: number };
  /** the position at which it was last told to answer again */
  answered?: number;
  /** it is kept as it is, until then at most */
  heldUntil?: string;
}

/** What the allocator said to a hold; known by the answer alone until the build has stored it. */
export type HoldView = { accepted: true } | { accepted: false; message: string };

/** What became of something that the orchestrator does itself; known to this process alone until the build has stored it. */
export type Reply =
  | { kind: 'http'; status: number; body: string; ms: number }
  | { kind: 'failed'; error: string; ms: number }
  /** what another build has kept; undefined: there is no such build */
  | { kind: 'artifacts'; artifacts: readonly Artifact[] | undefined };

/** Refusals which say that the lease is over: why, its own events tell. */
export const leaseOver: ReadonlySet<string> = new Set<RefusalCode>(['lease-not-active', 'lease-ended', 'stale-token', 'unknown-lease']);

/** A build that comes before another. */
export interface Before {
  id: string;
  status: Build['status'];
}

/** The other services' things, and other builds, as far as the feed has shown them. */
export interface View {
  lease(id: string): LeaseView | undefined;
  action(id: string): ActionView | undefined;
  /** a host by its resource */
  host(resource: string): HostView | undefined;
  hold(id: string): HoldView | undefined;
  /** when something was told to begin: a build (its generation) or the action of a step; milliseconds since 1970 */
  since(id: string): number | undefined;
  reply(id: string): Reply | undefined;
  /** another build, when it is known */
  build(id: string): Build | undefined;
  /** an older build that is under way, of the same group */
  beforeInGroup(id: string, group: string): Before | undefined;
  /** an older build that is under way, of a plan and a ref (any when undefined) */
  beforeOfPlan(id: string, plan: string, ref: string | undefined): Before | undefined;
  /** an older build that waits for a further host while it holds one: two such could wait for each other for ever */
  olderGathering(id: string): Before | undefined;
  /** bytes that one artifact may have */
  readonly artifactLimit: number;
}
