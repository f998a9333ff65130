import type { BuildEvent } from '@berth/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildDecider, type Build, type BuildCommand } from './build.js';
import { BUILD, plan, request } from '../spec/examples.js';
import type { Due } from './due.js';
import { ids } from './ids.js';
import { react } from './react.js';
import type { ActionView, HoldView, HostView, LeaseEnd, LeaseView, View } from './view.js';

const ends = ['passed', 'failed', 'aborted', 'error'];
const leaseMoves = ['wait', 'acquire', 'activate', 'break', 'break host', 'expire', 'release', 'destroy', 'serve never', 'resource breaks', 'answers again'] as const;
const actionMoves = ['begin', 'succeed', 'exit', 'unreachable', 'lost', 'cancel'] as const;
type Move =
  | { do: 'due'; n: number }
  | { do: 'refuse'; n: number; code: string }
  | { do: 'lease'; n: number; move: (typeof leaseMoves)[number] }
  | { do: 'action'; n: number; move: (typeof actionMoves)[number] }
  | { do: 'abort' }
  | { do: 'time passes' }
  | { do: 'restart' };

/** The other services, in small: a lease and an action keep the rules of theirs, and otherwise do what the moves say. */
class World implements View {
  readonly events: BuildEvent[] = [];
  build: Build = buildDecider.initial;
  private position = 100;
  readonly leases = new Map<string, { view: LeaseView; standsOn: string | undefined }>();
  readonly actions = new Map<string, { view: ActionView; lease: string }>();
  private readonly refusals = new Map<string, { code: string; message: string; at: number }>();
  readonly hosts = new Map<string, HostView>();
  private answered: HoldView | undefined;
  /** how often the allocator was asked to hold a host */
  holds = 0;
  now = 0;
  private percent = 0;
  private verdict: string | undefined;

  lease(id: string): LeaseView | undefined {
    const refusal = this.refusals.get(id);
    return this.leases.get(id)?.view ?? (refusal && { status: 'refused', code: refusal.code, message: refusal.message });
  }

  host(resource: string): HostView | undefined {
    return this.hosts.get(resource);
  }

  hold(id: string): HoldView | undefined {
    return id === ids.hold(BUILD) ? this.answered : undefined;
  }

  action(id: string): ActionView | undefined {
    const refusal = this.refusals.get(id);
    return this.actions.get(id)?.view ?? (refusal && { status: 'refused', ...refusal });
  }

  tell(command: BuildCommand): void {
    const decision = buildDecider.decide(command, this.build);
    if ('accepted' in decision) return;
    if (decision.some((event) => event.type === 'BuildRetried')) this.checkRetry();
    for (const event of decision) {
      this.events.push(event);
      this.build = buildDecider.evolve(this.build, event);
    }
    this.check();
  }

  /** What must hold whenever something is stored. */
  private check(): void {
    const { build } = this;
    if (build.status === 'none') return;
    expect(build.percent).toBeGreaterThanOrEqual(this.percent);
    expect(build.percent).toBeLessThanOrEqual(100);
    this.percent = build.percent;
    if (this.verdict !== undefined) expect(build.status).toBe(this.verdict);
    if (ends.includes(build.status)) this.verdict = build.status;
  }

  /** Safety: what has run, or may have, is never run again while its host may be alive. */
  private checkRetry(): void {
    const { build } = this;
    if (build.status !== 'building' || !build.step) return;
    const action = this.actions.get(build.step.action)?.view;
    const begun = build.step.index > 0 || (action !== undefined && !(action.status === 'failed' && !action.started));
    const { hostLease } = build.current;
    const lease = this.leases.get(hostLease)?.view;
    const gone = this.hosts.get(hostLease)?.broken !== undefined || ((lease?.status === 'ending' || lease?.status === 'destroyed') && lease.end.how === 'broken');
    if (begun) expect(gone).toBe(true);
  }

  /** Safety: a host that is to be held is not given back before it is known what became of the hold. */
  private checkRelease(): void {
    const { build } = this;
    if (build.status !== 'failed' || build.about.holdOnFailure === undefined || build.held !== undefined) return;
    const { hostLease } = build.attempts.at(-1)!;
    if (this.hosts.get(hostLease)?.broken === undefined) expect(this.leases.get(hostLease)?.view.status).not.toBe('active');
  }

  due(): Due[] {
    return react(BUILD, this.build, this, this.now);
  }

  carryOut(due: Due): void {
    if (due.to === 'build') return this.tell(due.command);
    if (due.to === 'clock') {
      expect(due.at).toBeGreaterThan(this.now);
      this.now = due.at;
      return;
    }
    if (due.to === 'allocator') {
      expect(this.leases.get(due.data.lease!)?.view.status).toBe('active');
      this.holds++;
      this.answered = { accepted: true };
      return;
    }
    if (due.type === 'RequestLease') {
      const standsOn = due.data.host?.lease;
      if (this.leases.has(due.id)) return;
      if (standsOn !== undefined && this.leases.get(standsOn)?.view.status !== 'active') this.refusals.set(due.id, { code: 'lease-not-active', message: 'no.', at: this.now });
      else this.leases.set(due.id, { view: { status: 'pending', position: this.position++ }, standsOn });
    } else if (due.type === 'ReleaseLease') {
      this.checkRelease();
      this.endLease(due.data.lease, 'released', 'by the build');
    }
    else if (!this.actions.has(due.id)) {
      const lease = this.leases.get(due.data.lease)?.view;
      if (lease?.status !== 'active' || lease.token !== due.data.token) this.refusals.set(due.id, { code: 'stale-token', message: 'no.', at: this.now });
      else this.actions.set(due.id, { view: { status: 'requested' }, lease: due.data.lease });
    }
  }

  refuse(due: Due, code: string): void {
    if (due.to === 'allocator' && code !== 'unavailable') this.answered = { accepted: false, message: 'no.' };
    else if ((due.to === 'lease' || due.to === 'host-agent-gateway') && due.type !== 'ReleaseLease' && !this.leases.has(due.id) && !this.actions.has(due.id)) this.refusals.set(due.id, { code, message: 'no.', at: this.now });
  }

  private endLease(id: string, how: LeaseEnd['how'], detail: string): void {
    const lease = this.leases.get(id)!;
    const end = { how, detail, at: 1 };
    if (lease.view.status === 'pending') lease.view = { status: 'destroyed', position: this.position++, end };
    else if (lease.view.status === 'acquired' || lease.view.status === 'active') lease.view = { status: 'ending', position: this.position++, end };
    else return;
    for (const [other, { standsOn }] of this.leases) if (standsOn === id) this.endLease(other, 'released', 'its host lease ended');
    for (const [other, { lease: of, view }] of this.actions) if (of === id && view.status === 'requested') this.moveAction(other, 'cancel');
  }

  moveLease(id: string, move: (typeof leaseMoves)[number]): void {
    const lease = this.leases.get(id)!;
    const { status } = lease.view;
    const position = this.position++;
    if (move === 'wait' && status === 'pending') lease.view = { status, position, reason: 'no slot is free' };
    else if (move === 'acquire' && status === 'pending') lease.view = { status: 'acquired', position, token: position, resource: id };
    else if (move === 'serve never' && status === 'pending') lease.view = { status: 'refused', code: 'unservable', message: 'never' };
    else if (move === 'resource breaks' && (status === 'acquired' || status === 'active') && lease.standsOn === undefined) this.hosts.set(id, { ...this.hosts.get(id), launched: true, broken: { error: 'gone', at: 1 } });
    else if (move === 'answers again' && lease.standsOn === undefined) this.hosts.set(id, { launched: true, ...this.hosts.get(id), answered: position });
    else if (move === 'activate' && lease.view.status === 'acquired') lease.view = { ...lease.view, status: 'active', position, ...(lease.standsOn !== undefined && { path: '/w' }) };
    else if (move === 'break' && status !== 'pending') this.endLease(id, 'broken', this.hosts.get(id)?.broken?.error ?? 'no such ref');
    else if (move === 'break host' && status !== 'pending') this.endLease(id, 'broken', 'host unreachable: x');
    else if (move === 'expire') this.endLease(id, 'expired', 'its time was up');
    else if (move === 'release') this.endLease(id, 'released', 'by somebody');
    else if (move === 'destroy' && lease.view.status === 'ending') lease.view = { status: 'destroyed', position, end: lease.view.end };
  }

  moveAction(id: string, move: (typeof actionMoves)[number]): void {
    const action = this.actions.get(id)!;
    if (action.view.status !== 'requested') return;
    const started = action.view.startedAt !== undefined;
    const [at, position] = [this.now, this.position++];
    const views: Record<typeof move, ActionView> = {
      begin: { status: 'requested', startedAt: 1 },
      succeed: { status: 'succeeded', result: { bytes: 1, sha256: 'a' }, durationMs: 1 },
      exit: { status: 'failed', code: 'exit', error: 'x', result: { exitCode: 1 }, started, durationMs: 1, at, position },
      unreachable: { status: 'failed', code: 'unreachable', error: 'x', result: {}, started, durationMs: 1, at, position },
      lost: { status: 'lost', error: 'x', durationMs: 1 },
      cancel: { status: 'cancelled', reason: 'x', durationMs: 1 },
    };
    action.view = views[move];
  }

  /** A new process: what it knows is in the events, and a refusal is not. */
  restart(): void {
    this.refusals.clear();
    this.answered = undefined;
    const before = this.build;
    this.build = this.events.reduce(buildDecider.evolve, buildDecider.initial);
    expect(this.build).toEqual(before);
  }
}

const n = fc.nat({ max: 20 });
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('due' as const), n }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('lease' as const), n, move: fc.constantFrom(...leaseMoves, 'acquire' as const, 'activate' as const, 'acquire' as const, 'activate' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('action' as const), n, move: fc.constantFrom(...actionMoves, 'begin' as const, 'succeed' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('refuse' as const), n, code: fc.constantFrom('unavailable', 'invalid-data', 'stale-token') }) },
  { weight: 1, arbitrary: fc.constantFrom<Move>({ do: 'abort' }, { do: 'time passes' }, { do: 'restart' }, { do: 'restart' }) },
);
const pick = <T>(all: readonly T[], index: number): T | undefined => (all.length === 0 ? undefined : all[index % all.length]);

function play(world: World, step: Move): void {
  if (step.do === 'abort') return world.tell({ type: 'Abort', reason: 'x', stepMs: 0 });
  if (step.do === 'restart') return world.restart();
  if (step.do === 'time passes') {
    world.now += 60_000;
    return;
  }
  if (step.do === 'due' || step.do === 'refuse') {
    const due = pick(world.due(), step.n);
    if (due) return step.do === 'due' ? world.carryOut(due) : world.refuse(due, step.code);
  } else if (step.do === 'lease') {
    const id = pick([...world.leases.keys()], step.n);
    if (id !== undefined) world.moveLease(id, step.move);
  } else {
    const id = pick([...world.actions.keys()], step.n);
    if (id !== undefined) world.moveAction(id, step.move);
  }
}

/** Everybody does their part. */
function goOn(world: World, rounds: number): void {
  for (let round = 0; round < rounds && !buildDecider.ended(world.build); round++) {
    for (const due of world.due()) world.carryOut(due);
    // The lease of a host hears of its end sooner or later.
    for (const [id, { broken }] of world.hosts) if (broken) world.moveLease(id, 'break');
    for (const id of world.leases.keys()) for (const next of ['acquire', 'activate', 'destroy'] as const) world.moveLease(id, next);
    for (const id of world.actions.keys()) world.moveAction(id, round % 2 === 0 ? 'begin' : 'succeed');
  }
}

/** So that trouble comes to builds which have got somewhere, and not only to the first lease. */
const story = fc.record({ rounds: fc.nat({ max: 8 }), launched: fc.boolean(), hold: fc.boolean(), retries: fc.option(fc.nat({ max: 4 }), { nil: undefined }), moves: fc.array(move, { maxLength: 80 }) });
function tellStory({ rounds, launched, hold, retries }: { rounds: number; launched: boolean; hold: boolean; retries: number | undefined }): World {
  const world = new World();
  world.tell({ ...request, ...(hold && { holdOnFailure: 1 }), plan: { version: 3, plan: { ...plan, ...(retries !== undefined && { infrastructureRetries: retries }) } } });
  for (let attempt = 1; attempt <= 5; attempt++) world.hosts.set(ids.hostLease(BUILD, attempt), { launched });
  goOn(world, rounds);
  return world;
}

test('whatever comes in whatever order: one verdict, percent never falls, and nothing is left in the end', () => {
  const verdicts = new Map<string, number>();
  let retried = 0;
  let lost = 0;
  let held = 0;
  fc.assert(
    fc.property(story, (given) => {
      const world = tellStory(given);
      for (const step of given.moves) play(world, step);
      goOn(world, 100);
      expect(buildDecider.ended(world.build)).toBe(true);
      const retries = world.events.filter((event) => event.type === 'BuildRetried').length;
      expect(retries).toBeLessThanOrEqual(given.retries ?? 2);
      if (retries > 0) retried++;
      if (world.events.some((event, i) => event.type === 'StepFinished' && event.data.outcome === 'lost' && world.events[i + 1]?.type === 'BuildRetried')) lost++;
      if (world.events.some((event) => event.type === 'BuildWaiting' && event.data.activity === 'host held')) held++;
      if (!given.hold) expect(world.holds).toBe(0);
      verdicts.set(world.build.status, (verdicts.get(world.build.status) ?? 0) + 1);
      for (const [, { view }] of world.leases) expect(view.status).toMatch(/destroyed|refused/);
      for (const [, { view }] of world.actions) expect(view.status).not.toBe('requested');
      expect(world.events.filter((event) => ['BuildPassed', 'BuildFailed', 'BuildAborted', 'BuildErrored'].includes(event.type))).toHaveLength(1);
      expect(world.events.filter((event) => event.type === 'BuildCleanedUp')).toHaveLength(1);
      expect(world.events.filter((event) => event.type === 'StepStarted')).toHaveLength(world.events.filter((event) => event.type === 'StepFinished').length);
      expect(world.due()).toEqual([]);
    }),
    { numRuns: 2000 },
  );
  // Moves that never reach one of the ends would prove nothing about it.
  expect([...verdicts.keys()].sort()).toEqual([...ends].sort());
  expect(retried).toBeGreaterThan(0);
  expect(lost).toBeGreaterThan(0);
  expect(held).toBeGreaterThan(0);
});

test('a restart at any point decides the same', () => {
  fc.assert(
    fc.property(story, (given) => {
      const world = tellStory(given);
      for (const step of given.moves) {
        if (step.do === 'refuse') continue; // a refusal is known to one process only: it is asked for once more
        play(world, step);
        const again = world.events.reduce(buildDecider.evolve, buildDecider.initial);
        expect(react(BUILD, again, world, world.now)).toEqual(world.due());
      }
    }),
    { numRuns: 500 },
  );
});
