import { plan as planSchema, type BuildEvent, type SavedPlan } from '@berth/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildDecider, isLive, isOver, type Build, type BuildCommand } from './build.js';
import { BUILD, request } from '../../spec/examples.js';
import { durationsOf } from '../durations.js';
import { compile } from '../plan/compile.js';
import { needsOf } from './graph.js';
import type { Due } from '../due.js';
import { ids } from '../ids.js';
import { react } from '../react.js';
import type { ActionView, HoldView, HostView, LeaseEnd, LeaseView, View } from '../view.js';

const ends = ['passed', 'failed', 'aborted', 'error'];
const leaseMoves = ['wait', 'acquire', 'activate', 'break', 'break host', 'expire', 'release', 'destroy', 'serve never', 'resource breaks', 'answers again'] as const;
const actionMoves = ['begin', 'succeed', 'exit', 'unreachable', 'lost', 'cancel'] as const;
type Move =
  | { do: 'due'; n: number }
  | { do: 'refuse'; n: number; code: string }
  | { do: 'lease'; n: number; move: (typeof leaseMoves)[number] }
  | { do: 'action'; n: number; move: (typeof actionMoves)[number] }
  | { do: 'abort' | 'pause' | 'resume' | 'restart build' }
  | { do: 'rerun' | 'message'; n: number; fail: boolean }
  | { do: 'time passes' }
  | { do: 'restart' };

/** The other services, in small: a lease and an action keep the rules of theirs, and otherwise do what the moves say. */
class World implements View {
  constructor(readonly plan: SavedPlan) {}
  readonly events: BuildEvent[] = [];
  state: Build = buildDecider.initial;
  private position = 100;
  readonly leases = new Map<string, { view: LeaseView; standsOn: string | undefined }>();
  readonly actions = new Map<string, { view: ActionView; lease: string }>();
  private readonly refusals = new Map<string, { code: string; message: string; at: number }>();
  readonly hosts = new Map<string, HostView>();
  private readonly answered = new Map<string, HoldView>();
  /** when something was told to begin */
  private readonly began = new Map<string, number>();
  readonly artifactLimit = 1024;
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
    return this.answered.get(id);
  }

  since(id: string): number | undefined {
    return this.began.get(id);
  }

  reply(): undefined {
    return undefined;
  }

  build(): undefined {
    return undefined;
  }

  beforeInGroup(): undefined {
    return undefined;
  }

  beforeOfPlan(): undefined {
    return undefined;
  }

  olderGathering(): undefined {
    return undefined;
  }

  action(id: string): ActionView | undefined {
    const refusal = this.refusals.get(id);
    return this.actions.get(id)?.view ?? (refusal && { status: 'refused', ...refusal });
  }

  tell(command: BuildCommand): void {
    const decision = buildDecider.decide(command, this.state);
    if ('accepted' in decision) return;
    if (command.type === 'Retry') this.checkRetry(command.interrupted.action);
    for (const event of decision) {
      this.checkEvent(event);
      this.events.push(event);
      if (event.type === 'StepStarted') this.began.set(event.data.action, this.now);
      if (event.type === 'BuildRequested' || event.type === 'BuildRestarted') this.began.set(BUILD, this.now);
      this.state = buildDecider.evolve(this.state, event);
    }
    this.check();
  }

  /** What must hold of each event where it is told. */
  private checkEvent(event: BuildEvent): void {
    const { state: build } = this;
    if (event.type === 'BuildRestarted') {
      this.percent = 0;
      this.verdict = undefined;
    }
    if (event.type !== 'StepStarted') return;
    if (!isLive(build)) throw new Error('a step begins of a build that is over');
    expect(build.paused).toBeUndefined();
    const step = build.plan.steps[event.data.step]!;
    // Nothing begins before what it needs is over, nor on a host that is not ready.
    for (const need of needsOf(step, event.data.step)) expect(isOver(build.steps[need]!)).toBe(true);
    if (step.run !== undefined) for (const place of Object.values(build.places)) expect(place.path).toBeDefined();
  }

  /** What must hold whenever something is stored. */
  private check(): void {
    const { state: build } = this;
    if (build.status === 'none') return;
    expect(build.percent).toBeGreaterThanOrEqual(this.percent);
    expect(build.percent).toBeLessThanOrEqual(100);
    this.percent = build.percent;
    if (this.verdict !== undefined) expect(build.status).toBe(this.verdict);
    if (ends.includes(build.status)) this.verdict = build.status;
  }

  /** Safety: what has run, or may have, is never run again while its host may be alive. */
  private checkRetry(action: string | undefined): void {
    const { state: build } = this;
    if (!isLive(build) || action === undefined) return;
    const view = this.actions.get(action)?.view;
    const neverBegan = (one: ActionView | undefined) => one?.status === 'failed' && !one.started;
    const others = build.steps.some((step, at) => {
      if (build.plan.steps[at]!.run === undefined || step.tries === 0 || (step.status === 'running' && step.action === action)) return false;
      return !(step.status === 'running' && neverBegan(this.actions.get(step.action)?.view));
    });
    const begun = others || (view !== undefined && !neverBegan(view));
    if (begun) expect(Object.values(build.places).some(({ hostLease }) => this.isGone(hostLease))).toBe(true);
  }

  private isGone(hostLease: string): boolean {
    const lease = this.leases.get(hostLease)?.view;
    return this.hosts.get(hostLease)?.broken !== undefined || ((lease?.status === 'ending' || lease?.status === 'destroyed') && lease.end.how === 'broken');
  }

  /** Safety: a host that is to be held is not given back before it is known what became of the hold. */
  private checkRelease(lease: string): void {
    const { state: build } = this;
    if (build.status !== 'failed' || build.cleaned || build.about.holdOnFailure === undefined || build.held !== undefined) return;
    const place = build.places.find(({ hostLease, attempt }) => hostLease === lease && attempt === build.attempt);
    if (place && this.hosts.get(lease)?.broken === undefined) expect(this.leases.get(lease)?.view.status).not.toBe('active');
  }

  due(): Due[] {
    return react(BUILD, this.state, this, this.now);
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
      this.answered.set(due.id, { accepted: true });
      return;
    }
    if (due.to === 'builds' || due.to === 'http' || due.to === 'artifacts') throw new Error(`nothing here asks for ${due.to}`);
    if (due.type === 'CancelAction') {
      this.moveAction(due.data.action, 'cancel');
      return;
    }
    if (due.type === 'RequestLease') {
      const standsOn = due.data.host?.lease;
      if (this.leases.has(due.id)) return;
      if (standsOn !== undefined && this.leases.get(standsOn)?.view.status !== 'active') this.refusals.set(due.id, { code: 'lease-not-active', message: 'no.', at: this.now });
      else this.leases.set(due.id, { view: { status: 'pending', position: this.position++ }, standsOn });
    } else if (due.type === 'ReleaseLease') {
      this.checkRelease(due.data.lease);
      this.endLease(due.data.lease, 'released', 'by the build');
    }
    else if (!this.actions.has(due.id)) {
      const lease = this.leases.get(due.data.lease)?.view;
      if (lease?.status !== 'active' || lease.token !== due.data.token) this.refusals.set(due.id, { code: 'stale-token', message: 'no.', at: this.now });
      else this.actions.set(due.id, { view: { status: 'requested' }, lease: due.data.lease });
    }
  }

  refuse(due: Due, code: string): void {
    if (due.to === 'allocator' && code !== 'unavailable') this.answered.set(due.id, { accepted: false, message: 'no.' });
    else if ((due.to === 'lease' || due.to === 'host-agent-gateway') && due.type !== 'ReleaseLease' && due.type !== 'CancelAction' && !this.leases.has(due.id) && !this.actions.has(due.id)) this.refusals.set(due.id, { code, message: 'no.', at: this.now });
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
      succeed: { status: 'succeeded', result: { exitCode: 0 }, durationMs: 1 },
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
    this.answered.clear();
    const before = this.state;
    this.state = this.events.reduce(buildDecider.evolve, buildDecider.initial);
    expect(this.state).toEqual(before);
  }
}

const n = fc.nat({ max: 20 });
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('due' as const), n }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('lease' as const), n, move: fc.constantFrom(...leaseMoves, 'acquire' as const, 'activate' as const, 'acquire' as const, 'activate' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('action' as const), n, move: fc.constantFrom(...actionMoves, 'begin' as const, 'succeed' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('refuse' as const), n, code: fc.constantFrom('unavailable', 'invalid-data', 'stale-token') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('rerun' as const, 'message' as const, 'message' as const), n, fail: fc.boolean() }) },
  { weight: 2, arbitrary: fc.constantFrom<Move>({ do: 'abort' }, { do: 'pause' }, { do: 'resume' }, { do: 'resume' }, { do: 'restart build' }, { do: 'time passes' }, { do: 'restart' }, { do: 'restart' }) },
);
const pick = <T>(all: readonly T[], index: number): T | undefined => (all.length === 0 ? undefined : all[index % all.length]);

function play(world: World, step: Move): void {
  const durations = durationsOf(world.state, world, world.now);
  const stepIds = world.plan.steps.map((planned) => planned.id!);
  switch (step.do) {
    case 'abort':
      return world.tell({ type: 'Abort', reason: 'x', durations });
    case 'pause':
      return world.tell({ type: 'Pause', reason: 'x' });
    case 'resume':
      return world.tell({ type: 'Resume', build: BUILD });
    case 'restart build':
      return world.tell({ type: 'Restart', build: BUILD, where: 'any', reason: 'x', durations });
    case 'rerun':
      if (isLive(world.state)) return world.tell({ type: 'Rerun', build: BUILD, step: pick(stepIds, step.n)!, reason: 'x' });
      return world.tell({ type: 'Restart', build: BUILD, where: 'same', reason: 'x', step: pick(stepIds, step.n)!, durations });
    case 'message':
      return world.tell({ type: 'Message', step: pick(stepIds, step.n)!, message: { type: step.fail ? 'fail' : 'pass' } });
    case 'restart':
      return world.restart();
    case 'time passes':
      world.now += 60_000;
      return;
    default:
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
  for (let round = 0; round < rounds && !buildDecider.ended(world.state); round++) {
    const dues = world.due();
    const clocks = dues.flatMap((due) => (due.to === 'clock' ? [due.at] : []));
    if (clocks.length > 0 && clocks.length === dues.length) world.carryOut({ to: 'clock', at: Math.min(...clocks) });
    for (const due of dues) if (due.to !== 'clock') world.carryOut(due);
    // The lease of a host hears of its end sooner or later.
    for (const [id, { broken }] of world.hosts) if (broken && world.leases.has(id)) world.moveLease(id, 'break');
    for (const id of world.leases.keys()) for (const next of ['acquire', 'activate', 'destroy'] as const) world.moveLease(id, next);
    for (const id of world.actions.keys()) world.moveAction(id, round % 2 === 0 ? 'begin' : 'succeed');
    if (round > 3) for (const { id } of world.plan.steps) world.tell({ type: 'Message', step: id!, message: { type: 'pass' } });
    if (round > 6) world.tell({ type: 'Resume', build: BUILD });
  }
}

/** A plan of some steps that need each other somehow, on one host or two. */
const anyPlan: fc.Arbitrary<SavedPlan> = fc
  .record({
    steps: fc.array(
      fc.record({
        kind: fc.constantFrom('run', 'run', 'run', 'message', 'approval', 'sleep'),
        needs: fc.option(fc.array(fc.nat({ max: 9 }), { maxLength: 3 }), { nil: undefined }),
        second: fc.boolean(),
        retries: fc.constantFrom(0, 0, 1, 2),
        continueOnError: fc.constantFrom(false, false, true),
        condition: fc.constantFrom(undefined, undefined, undefined, 'always()', 'failure()', "build.id == 'no'"),
        timeout: fc.constantFrom(undefined, undefined, '30s'),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    two: fc.boolean(),
    timeout: fc.constantFrom(undefined, undefined, undefined, '5m'),
    infrastructureRetries: fc.nat({ max: 4 }),
  })
  .map(({ steps, two, timeout, infrastructureRetries }) => {
    const written = {
      name: 'p',
      ...(two && { hosts: { one: { os: 'linux' }, two: { os: 'mac' } } }),
      ...(timeout !== undefined && { timeout }),
      infrastructureRetries,
      steps: steps.map(({ kind, needs, second, retries, continueOnError, condition, timeout: limit }, i) => ({
        name: `S${i}`,
        id: `s${i}`,
        // Those above only, so that it never goes round in a circle.
        ...(needs && { needs: [...new Set(needs.filter((need) => need < i).map((need) => `s${need}`))] }),
        retries,
        continueOnError,
        ...(condition !== undefined && { if: condition }),
        ...(limit !== undefined && { timeout: limit }),
        ...(kind === 'run' ? { run: 'true', ...(two && { host: second ? 'two' : 'one' }) } : kind === 'sleep' ? { uses: 'sleep', with: { for: '10s' } } : { uses: `wait-for-${kind}`, with: {} }),
      })),
    };
    const compiled = compile(planSchema.parse(written));
    if ('findings' in compiled) throw new Error(JSON.stringify(compiled.findings));
    return compiled.plan;
  });

/** So that trouble comes to builds which have got somewhere, and not only to the first lease. */
const story = fc.record({ rounds: fc.nat({ max: 8 }), launched: fc.boolean(), hold: fc.boolean(), plan: anyPlan, moves: fc.array(move, { maxLength: 80 }) });
type Story = typeof story extends fc.Arbitrary<infer T> ? T : never;
function tellStory({ rounds, launched, hold, plan }: Omit<Story, 'moves'>): World {
  const world = new World(plan);
  world.tell({ ...request, ...(hold && { holdOnFailure: 1 }), plan });
  for (let attempt = 1; attempt <= 40; attempt++) for (const host of ['main', 'one', 'two']) for (const nth of [0, 1, 2]) world.hosts.set(ids.hostLease(BUILD, attempt, host, nth), { launched });
  goOn(world, rounds);
  return world;
}

test('whatever comes in whatever order: one verdict a generation, percent never falls, and nothing is left in the end', () => {
  const seen = new Map<string, number>();
  const note = (what: string, times = 1) => times > 0 && seen.set(what, (seen.get(what) ?? 0) + times);
  fc.assert(
    fc.property(story, (given) => {
      const world = tellStory(given);
      for (const step of given.moves) play(world, step);
      goOn(world, 200);
      expect(buildDecider.ended(world.state)).toBe(true);
      if (!given.hold) expect(world.holds).toBe(0);
      for (const [, { view }] of world.leases) expect(view.status).toMatch(/destroyed|refused/);
      for (const [, { view }] of world.actions) expect(view.status).not.toBe('requested');
      const told = (type: BuildEvent['type']) => world.events.filter((event) => event.type === type);
      const verdicts = world.events.filter((event) => ends.includes(endOf[event.type] ?? ''));
      const generations = 1 + told('BuildRestarted').length;
      // A generation that another one took the place of has no verdict of its own.
      expect(verdicts.length).toBeGreaterThanOrEqual(1);
      expect(verdicts.length).toBeLessThanOrEqual(generations);
      // Every step that was begun has an end.
      expect(told('StepStarted')).toHaveLength(world.events.filter((event) => event.type === 'StepFinished' && event.data.outcome !== 'skipped').length);
      expect(world.due()).toEqual([]);
      for (const event of world.events) if (event.type === 'StepFinished') note(event.data.again ? 'again' : event.data.outcome);
      for (const type of ['BuildRetried', 'BuildPaused', 'BuildRestarted', 'StepsReset', 'BuildMessaged', 'BuildHostReleased'] as const) note(type, told(type).length);
      if (world.events.some((event) => event.type === 'BuildWaiting' && event.data.activity.includes('held'))) note('held');
      note(`ends as ${world.state.status}`);
    }),
    { numRuns: 600 },
  );
  // Moves that never reach one of these would prove nothing about it.
  for (const what of ['again', 'passed', 'failed', 'lost', 'cancelled', 'skipped', 'BuildRetried', 'BuildPaused', 'BuildRestarted', 'StepsReset', 'BuildMessaged', 'BuildHostReleased', 'held', ...ends.map((end) => `ends as ${end}`)]) {
    expect([what, (seen.get(what) ?? 0) > 0]).toEqual([what, true]);
  }
}, 60_000);
const endOf: Partial<Record<BuildEvent['type'], string>> = { BuildPassed: 'passed', BuildFailed: 'failed', BuildAborted: 'aborted', BuildErrored: 'error' };

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
    { numRuns: 150 },
  );
});
