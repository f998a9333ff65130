import { z } from 'zod';
import { instant } from '@berth/contracts';
import { buildView, leaseView, machineView, type Page } from './api.js';
import { resourceView, slotCounts } from './api-fleet.js';

/** How lists are asked for. A filter that is given several values takes any of them. */

type Several = string | readonly string[] | undefined;

/** Of every list. */
export interface PageOptions {
  /** 1 to 1000 */
  limit?: number | undefined;
  /** of the page before, in the same order */
  cursor?: string | undefined;
  /** such as `name`, or `-created`: the greatest first */
  sort?: string | undefined;
  /** count what is on all pages too */
  total?: boolean | undefined;
  /** begins with this: names and ids */
  q?: string | undefined;
  /** from this time on, RFC 3339 */
  since?: string | undefined;
  /** before this time */
  until?: string | undefined;
  /** a position, such as that of a write's answer: answered once it is shown */
  after?: number | undefined;
}

/** Words, with commas between several. */
interface WithStatus extends PageOptions {
  status?: string | undefined;
}
export interface MachineQuery extends WithStatus {
  blueprint?: Several;
  platform?: string | undefined;
  /** NAME:VALUE */
  attr?: Several;
}
export interface BlueprintQuery extends WithStatus {
  kind?: string | undefined;
  type?: string | undefined;
  attr?: Several;
  /** false: without what they have made, which may be thousands */
  resources?: boolean | undefined;
}
export interface ResourceQuery extends WithStatus {
  blueprint?: Several;
  type?: string | undefined;
  machine?: Several;
  owner?: Several;
  attr?: Several;
}
export interface LeaseQuery extends WithStatus {
  owner?: Several;
  project?: Several;
  type?: string | undefined;
  blueprint?: Several;
  resource?: Several;
  machine?: Several;
  build?: Several;
  plan?: Several;
  attr?: Several;
}
export type PlanQuery = PageOptions;
export interface BuildQuery extends WithStatus {
  plan?: Several;
  initiator?: Several;
  project?: Several;
  ref?: Several;
  machine?: Several;
}
export interface ArtifactQuery extends Omit<PageOptions, 'since' | 'until'> {
  type?: string | undefined;
  generation?: number | undefined;
}
export interface HistoryQuery extends PageOptions {
  kind?: string | undefined;
  type?: Several;
  actor?: Several;
}

/** All pages of a list, as one. */
export async function wholeList<T, Q extends PageOptions>(list: (query: Q) => Promise<Page<T>>, query: Q): Promise<Page<T>> {
  const items: T[] = [];
  let cursor: string | null | undefined;
  do {
    const page: Page<T> = await list({ ...query, limit: 1000, ...(cursor && { cursor }) });
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== null);
  return { items, cursor: null };
}

/** A table that lists are read from, and how far it is behind the events. */
export const projectionView = z.object({
  name: z.string(),
  position: z.int().describe('in BERTH_EVENTS, up to which its rows show what happened'),
  last: z.int().describe('the last position that there is'),
  rows: z.int(),
  lag: z.object({ commits: z.int(), ms: z.number() }).describe('commits that it does not show yet, and how old the oldest of them is'),
}).describe('A table that lists are read from, and how far it is behind the events.');
export type ProjectionView = z.infer<typeof projectionView>;

export const usageBy = z.enum(['owner', 'plan', 'blueprint', 'project']);
export type UsageBy = z.infer<typeof usageBy>;

const cost = z.record(z.string(), z.number());

/** What somebody, or something, has used within a span of time. */
export const usageRow = z.object({
  from: instant,
  to: instant,
  key: z.string().nullable().describe('the owner, plan, blueprint or project; null: leases and builds without one'),
  hostHours: z.number().describe('hours of hosts: a lease of one of four slots for an hour is a quarter'),
  share: z.number().nullable().describe('of the hours that hosts were there: those of the blueprint when usage is by blueprint, else all; null when there were none'),
  leases: z.int().describe('that got a slot'),
  queueMs: z.object({ p50: z.number(), p90: z.number(), p99: z.number() }).nullable().describe('how long those had waited, milliseconds; null when there were none'),
  builds: z.object({ ended: z.int(), passed: z.int(), failed: z.int(), aborted: z.int(), errors: z.int() }).describe('that ended'),
  cost: cost.describe('by currency, at the present prices of blueprints; only of blueprints that have one'),
}).describe('What somebody, or something, has used within a span of time.');
export type UsageRow = z.infer<typeof usageRow>;

/** What there was in a span of time, over all. */
export const usageTotal = z.object({
  from: instant,
  to: instant,
  hostHours: z.number(),
  capacityHours: z.number().describe('that hosts were there, leased or not'),
  utilisation: z.number().nullable().describe('null when no host was there'),
  idle: z.number().nullable(),
  cost: cost.describe('of all hours that hosts were there'),
}).describe('What there was in a span of time, over all.');
export type UsageTotal = z.infer<typeof usageTotal>;

/** Who has used what. */
export const usageView = z.object({
  from: instant,
  to: instant,
  by: usageBy,
  bucketMs: z.number().nullable().describe('how long each stretch of time is, in milliseconds; null: the whole is one'),
  items: z.array(usageRow).describe('in order of time, the most hours first'),
  totals: z.array(usageTotal),
}).describe('Who has used what.');
export type UsageView = z.infer<typeof usageView>;

export interface UsageQuery {
  /** RFC 3339; a week before `to` when absent */
  from?: string | undefined;
  /** now when absent */
  to?: string | undefined;
  by?: UsageBy | undefined;
  /** such as 1h or 1d */
  bucket?: string | undefined;
}

/** One stretch of a timeline. */
export const timelineBucket = z.object({
  from: instant,
  to: instant,
  hosts: z.int().describe('at its end'),
  busy: z.int().describe('at its end: slots of hosts that are leased'),
  waiting: z.int().describe('at its end: leases that wait for a slot'),
  building: z.int().describe('at its end: builds under way'),
  failures: z.int().describe('builds that failed in it, or could not be carried out'),
}).describe('One stretch of a timeline.');
export type TimelineBucket = z.infer<typeof timelineBucket>;

/** How busy it was. */
export const timelineView = z.object({ from: instant, to: instant, items: z.array(timelineBucket) }).describe('How busy it was.');
export type TimelineView = z.infer<typeof timelineView>;

/** A build that was under way. */
export const buildMoment = buildView
  .pick({
    id: true, plan: true, planVersion: true, status: true, percent: true, activity: true, initiator: true, project: true, priority: true, ref: true, commit: true, generation: true, attempt: true, hosts: true, started: true,
    position: true,
  })
  .describe('A build that was under way.');
export type BuildMoment = z.infer<typeof buildMoment>;

/** The whole fleet as it was at some moment. */
export const momentView = z.object({
  position: z.int().describe('of the last commit in it'),
  at: instant.describe('the instant that was asked for, or that of its last commit'),
  totals: z.object({ machines: z.int(), hosts: z.int(), resources: z.int(), leases: z.int(), waiting: z.int(), builds: z.int() }).describe('how many there were; the lists may have fewer, see `limit`'),
  slots: slotCounts.describe('of hosts'),
  machines: z.array(machineView),
  resources: z.array(resourceView).describe('with those who held them'),
  leases: z.array(leaseView).describe('that waited, had a slot or were being cleaned up; newest first'),
  builds: z.array(buildMoment).describe('under way, newest first'),
}).describe('The whole fleet as it was at some moment.');
export type MomentView = z.infer<typeof momentView>;
