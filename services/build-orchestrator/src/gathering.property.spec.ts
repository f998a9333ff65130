import { derivedId, type SavedPlan, type SavedStep } from '@berth/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildDecider, type Build, type BuildCommand } from './domain/build/build.js';
import type { Due } from './domain/due.js';
import { react } from './domain/react.js';
import type { ActionView, LeaseView, View } from './domain/view.js';
import { LiveBuilds } from './live-builds.js';
import { BUILD, request, seeing } from './spec/examples.js';

/** Builds that want several hosts of pools that are too small for all of them; leases are served in any order. */
class World {
  readonly builds = new Map<string, Build>();
  private readonly leases = new Map<string, { view: LeaseView; pool?: string }>();
  private readonly actions = new Map<string, ActionView>();
  private readonly began = new Map<string, number>();
  private readonly live = new LiveBuilds((id) => this.builds.get(id), { lease: (id) => this.leases.get(id)?.view });
  private now = 1000;
  private position = 10;
  yields = 0;

  constructor(private readonly free: Record<string, number>) {}

  private readonly view: View = {
    ...seeing({}),
    lease: (id) => this.leases.get(id)?.view,
    action: (id) => this.actions.get(id),
    since: (id) => this.began.get(id),
    olderGathering: (id) => this.live.olderGathering(id),
  };

  tell(id: string, command: BuildCommand): void {
    const decision = buildDecider.decide(command, this.builds.get(id) ?? buildDecider.initial);
    if ('accepted' in decision) throw new Error(decision.message);
    for (const event of decision) {
      if (event.type === 'StepStarted') this.began.set(event.data.action, this.now);
      if (event.type === 'BuildRetried') this.yields++;
      this.builds.set(id, buildDecider.evolve(this.builds.get(id) ?? buildDecider.initial, event));
    }
    this.live.note(id, false);
  }

  /** All that could happen next: something that is due is done, or a lease is served, or told why it waits. */
  moves(): (() => void)[] {
    const moves: (() => void)[] = [];
    for (const [id, build] of this.builds) for (const due of react(id, build, this.view, this.now)) if (due.to !== 'clock' && !this.isDone(due)) moves.push(() => this.do(id, due));
    for (const lease of this.leases.values()) {
      const { view, pool } = lease;
      if (view.status !== 'pending' || pool === undefined) continue;
      if (this.free[pool]! > 0) moves.push(() => this.serve(lease));
      else if (view.reason === undefined) moves.push(() => void (lease.view = { ...view, reason: `all of ${pool} are taken` }));
    }
    return moves;
  }

  timePasses(): void {
    this.now += 60_000;
  }

  get allOver(): boolean {
    return [...this.builds.values()].every((build) => 'cleaned' in build && build.cleaned);
  }

  private serve(lease: { view: LeaseView; pool?: string }): void {
    this.free[lease.pool!]!--;
    lease.view = { status: 'active', position: this.position++, token: 1, resource: 'r' };
  }

  private isDone(due: Exclude<Due, { to: 'clock' }>): boolean {
    if (due.to === 'lease') return due.type === 'RequestLease' && this.leases.has(due.id);
    return due.to === 'host-agent-gateway' && this.actions.has(due.id);
  }

  private do(id: string, due: Due): void {
    if (due.to === 'build') this.tell(id, due.command);
    else if (due.to === 'host-agent-gateway') this.actions.set(due.id, { status: 'succeeded', result: { exitCode: 0 }, durationMs: 1 });
    else if (due.to === 'lease' && due.type === 'RequestLease') {
      const pool = (due.data.attributes as Record<string, string> | undefined)?.['pool'];
      this.leases.set(due.id, pool === undefined ? { view: { status: 'active', position: this.position++, token: 1, resource: 'c', path: '/w' } } : { view: { status: 'pending', position: this.position++ }, pool });
    } else if (due.to === 'lease' && due.type === 'ReleaseLease') {
      const lease = this.leases.get(due.data.lease)!;
      if (lease.pool !== undefined && lease.view.status === 'active') this.free[lease.pool]!++;
      lease.view = { status: 'destroyed', position: this.position++, end: { how: 'released', detail: 'x', at: 0 } };
    } else throw new Error(`nobody does ${JSON.stringify(due)}`);
  }
}

const sleep = (needs: number[], ms: number): SavedStep => ({ name: 'Sleep', needs, uses: 'sleep', with: { for: ms } });
const run = (host: string, needs: number[]): SavedStep => ({ name: host, needs, run: 'x', host });
/** Steps in every order that matters: at once, one after the other, behind or beside steps that need no host. */
const shapes: ((a: string, b: string) => SavedStep[])[] = [
  (a, b) => [run(a, []), run(b, [])],
  (a, b) => [run(a, []), run(b, [0]), run(a, [1])],
  (a, b) => [sleep([], 1), run(a, [0]), run(b, [0])],
  (a, b) => [sleep([], 30_000), run(a, []), run(b, []), run(a, [0])],
  (a) => [run(a, [])],
];
const planOf = (shape: number, turned: boolean): SavedPlan => {
  const hosts = { one: { pool: 'one' }, two: { pool: 'two' } };
  return { ...request.plan, steps: turned ? shapes[shape]!('two', 'one') : shapes[shape]!('one', 'two'), host: { pool: turned ? 'two' : 'one' }, hosts: turned ? { two: hosts.two, one: hosts.one } : hosts };
};

/** @returns how often one made way */
function play(plans: SavedPlan[], free: Record<string, number>, choices: readonly number[]): number {
  const world = new World(free);
  for (const [i, plan] of plans.entries()) {
    const id = derivedId(BUILD, `gathering ${i}`);
    world.tell(id, { ...request, build: id, plan });
  }
  for (let i = 0, idle = 0; !world.allOver; i++) {
    if (i > 5000) throw new Error('it goes on for ever');
    const moves = world.moves();
    if (moves.length > 0) {
      moves[(choices[i] ?? i) % moves.length]!();
      idle = 0;
    } else if (idle++ > 2) throw new Error(`all wait: ${[...world.builds.values()].map(({ status }) => status).join(', ')}`);
    else world.timePasses();
  }
  expect([...world.builds.values()].map(({ status }) => status)).toEqual(plans.map(() => 'passed'));
  return world.yields;
}

test('builds that need several hosts each never wait for each other for ever', () => {
  const plan = fc.record({ shape: fc.nat(shapes.length - 1), turned: fc.boolean() });
  fc.assert(
    fc.property(fc.array(plan, { minLength: 2, maxLength: 4 }), fc.record({ one: fc.integer({ min: 1, max: 2 }), two: fc.integer({ min: 1, max: 2 }) }), fc.array(fc.nat(20), { maxLength: 150 }), (plans, free, choices) => {
      play(plans.map(({ shape, turned }) => planOf(shape, turned)), { ...free }, choices);
    }),
    { numRuns: 200 },
  );
});

test.each(shapes.slice(0, 4).map((_, shape) => shape))('the younger of two that hold what the other wants makes way: shape %d', (shape) => {
  let yields = 0;
  for (let seed = 0; seed < 40; seed++) yields += play([planOf(shape, false), planOf(shape, true)], { one: 1, two: 1 }, Array.from({ length: 200 }, (_, i) => (i * 7 + seed * 13) % 20));
  expect(yields).toBeGreaterThan(0);
});

test('two hosts that are waited for because of different things are told of once', () => {
  // Each reason used to take the place of the other, for ever.
  play([planOf(3, false), planOf(0, false), planOf(0, false)], { one: 1, two: 1 }, []);
});
