import type { LeaseExplanation } from '@berth/client';
import { instant, leaseRequest, explanation as explanationSchema, type AnyRecorded, type Explanation } from '@berth/contracts';
import { randomUUID } from 'node:crypto';
import type { EventStore } from '@berth/event-store';
import type { Runtime } from '@berth/runtime';
import { foldBuild, type BuildRow } from '../views/build.js';
import type { Fleet } from '../views/fleet.js';
import { leaseView } from '../views/lease.js';
import { ownedLeases } from '../views/owned.js';
import { asking } from '../access/principal.js';
import type { Reads } from '../views/reads.js';
import { keptExplanation, writtenBy, type AsOf } from '../views/waiting.js';
import type { Commands } from './commands.js';
import { HttpProblem, notFound } from './problem.js';

/** The allocator answers within milliseconds. A request is not held up for longer by one that is away: it judges the request once it is back. */
const CONSIDER_MS = 2000;

/** What would become of requests, and why those that were made wait. */
export class Explanations {
  constructor(
    private readonly store: EventStore,
    private readonly fleet: Fleet,
    private readonly reads: Reads,
    private readonly commands: Commands,
    private readonly log: Runtime['log'],
  ) {}

  /** What would become of a request; makes nothing. */
  async dryRun(request: Record<string, unknown>): Promise<Explanation> {
    return this.ask({ request }, { prefix: 'data.request.' });
  }

  /**
   * Refuses a request that is not to wait and can't be served, so that nothing is made of it.
   * @throws {HttpProblem} unservable
   */
  async mustBeServable(request: Record<string, unknown>, id: string): Promise<void> {
    const parsed = leaseRequest.safeParse(request);
    // What is wrong with it is told by whoever would carry it out.
    if (!parsed.success) return;
    const { wait, type, host } = parsed.data;
    if (wait === 'always' || (type !== 'host' && host !== undefined)) return;
    // Sent again: it was judged the first time, and may itself hold what it asks for.
    if (await this.reads.currentLease(id)) return;
    let explanation: Explanation;
    try {
      explanation = await this.ask({ request }, { prefix: 'data.request.', patienceMs: CONSIDER_MS });
    } catch (error) {
      if (!(error instanceof HttpProblem) || error.code !== 'unavailable') throw error;
      this.log.warn({ error, lease: id }, 'nobody considered a request: the allocator will when it is back');
      return;
    }
    const { verdict, reason } = explanation;
    if (verdict === 'never' || (wait === 'no' && verdict !== 'now')) throw new HttpProblem('unservable', sentence(reason), [], undefined, { explanation });
  }

  /** Why a lease waits; as of a time, or once it no longer waits, what was kept of that. */
  async ofLease(id: string, asOf: AsOf | undefined): Promise<LeaseExplanation> {
    const row = await this.reads.currentLease(id);
    if (!row) throw notFound('unknown-lease', `lease ${JSON.stringify(id)}`, '/api/v1/leases');
    const lease = leaseView(row, row.resource === null ? undefined : this.fleet.resource(row.resource));
    if (row.status === 'pending' && asOf === undefined) {
      try {
        const explanation = await this.ask({ lease: id }, { after: row.position });
        return { lease, live: true, at: new Date().toISOString(), position: null, reason: explanation.reason, explanation };
      } catch (error) {
        // It was served or given back at this very moment.
        const over = error instanceof HttpProblem && (error.code === 'lease-ended' || error.code === 'unknown-lease');
        if (!over) throw error;
        const now = await this.reads.currentLease(id);
        if (now && now.status !== 'pending') return this.ofLease(id, asOf);
      }
    }
    const below = row.resource === null ? undefined : await this.ofGround(row.resource, row.status === 'acquired', asOf);
    if (below?.live) return { ...below, lease };
    if (row.status === 'acquired' && row.type !== 'host' && asOf === undefined) return { lease, live: true, at: new Date().toISOString(), position: null, reason: `${row.blueprint ?? 'its blueprint'} is making it`, explanation: null };
    const kept = keptExplanation((await this.store.load('lease', id)) as AnyRecorded[], asOf);
    // What it waited for itself came before.
    if (below?.explanation && (below.position ?? 0) > (kept?.position ?? 0)) return { ...below, lease };
    return { lease, live: false, at: kept?.at ?? null, position: kept?.position ?? null, reason: kept?.reason ?? null, explanation: kept?.explanation ?? null };
  }

  /** Why a lease waits, or waited last, that a resource asked for itself; `making`: it is not ready yet. */
  private async ofGround(resource: string, making: boolean, asOf: AsOf | undefined): Promise<LeaseExplanation | undefined> {
    const events = ((await this.store.load('resource', resource)) as AnyRecorded[]).filter((recorded) => writtenBy(recorded, asOf));
    let last: LeaseExplanation | undefined;
    for (const { lease, member } of ownedLeases(events)) {
      const row = await this.reads.currentLease(lease);
      // One that is named and not asked for yet says nothing.
      if (!row) continue;
      const told = await this.ofLease(lease, asOf);
      const said: LeaseExplanation = { ...told, waitsFor: { ...(told.waitsFor ?? { lease, type: row.type }), member } };
      if (told.live && making) return said;
      if ((said.position ?? 0) > (last?.position ?? 0)) last = said;
    }
    return last;
  }

  /** The same of the lease that a build asked for last. */
  async ofBuild(id: string, asOf: AsOf | undefined): Promise<LeaseExplanation> {
    let build: BuildRow | undefined;
    if (await this.reads.build(id)) for (const recorded of (await this.store.load('build', id)) as AnyRecorded[]) if (writtenBy(recorded, asOf)) build = foldBuild(build, recorded);
    if (!build) throw notFound('unknown-build', `build ${JSON.stringify(id)}${asOf ? ' at that time' : ''}`, '/api/v1/builds');
    const lease = build.workingCopyLease ?? build.hostLease;
    if (lease === null) throw new HttpProblem('not-found', `The build is ${build.status} and has asked for no lease${asOf ? ' by then' : ' yet'}.`);
    return this.ofLease(lease, asOf);
  }

  /** As whoever asks may see it. */
  private async ask(of: { request: unknown } | { lease: string }, how: Parameters<Commands['send']>[4]): Promise<Explanation> {
    const projects = asking.getStore()?.projects;
    const { data } = await this.commands.send('allocator', 'ConsiderLease', { ...of, ...(projects && { projects: [...projects] }) }, randomUUID(), how);
    return explanationSchema.parse(data);
  }
}

/** Reads `?at=`: an RFC 3339 time or a position. */
export function asOf(text: string | undefined): AsOf | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return { position: Number(text) };
  // A plus sign in a query means a space unless it is encoded; nobody means a space here.
  const time = instant.safeParse(text.replace(' ', '+'));
  if (time.success) return { time: Date.parse(time.data) };
  throw new HttpProblem('invalid-data', 'The query is refused: at is neither a time nor a position.', [{ field: 'at', message: 'use an RFC 3339 time such as 2030-01-31T12:00:00Z, or a position' }]);
}

const sentence = (text: string): string => `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}${/[.?!]$/.test(text) ? '' : '.'}`;
