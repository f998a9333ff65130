import { derivedId, rejected, unreachable, type AnyRecorded, type Answer, type BuildEvent, type CommandData, type PlanEvent, type Refusal } from '@berth/contracts';
import { aggregates, Follower, type Aggregates, type Cause, type Command, type Following, type Runtime } from '@berth/runtime';
import { readPlan } from './adapters/plan-yaml.js';
import { buildDecider, type Build, type BuildCommand } from './domain/build.js';
import { planDecider, type PlanCommand, type PlanState } from './domain/plan.js';
import type { Due } from './domain/due.js';
import { react } from './domain/react.js';
import { buildStatus } from './domain/status.js';
import type { HoldView } from './domain/view.js';
import { Views } from './views.js';

/**
 * A plan and the variables of a build stand together in BuildRequested, and all of a commit must fit into one message of
 * 1 MiB; what a plan may take is bounded where it is read.
 */
const MAX_VARIABLES_BYTES = 256 * 1024;
/** Before something that was not answered as hoped is tried again. */
const PAUSE_MS = 1000;
/** A timer can't wait for longer than 2^31 - 1 ms: whoever waits for an instant beyond this looks at the clock again then. */
const LONGEST_WAIT_MS = 600_000;

/** What is sent somewhere; the rest of what is due is waited for. */
type Telling = Exclude<Due, { to: 'clock' }>;

/** The build orchestrator: the one writer of plans and builds. It learns of leases and actions from the feed. */
export class BuildOrchestratorApp implements Following {
  readonly follower: Follower;
  readonly kinds = ['plan', 'build', 'lease', 'resource', 'action'] as const;
  readonly status: NonNullable<Following['status']> = {
    kinds: ['build'],
    of: (recorded) => {
      const build = this.builds.get(recorded.id)?.state;
      return recorded.kind === 'build' && build && build.status !== 'none' ? buildStatus(recorded.id, build, recorded.commit.events) : undefined;
    },
  };
  readonly plans: Aggregates<PlanState, PlanCommand, PlanEvent>;
  readonly builds: Aggregates<Build, BuildCommand, BuildEvent>;
  private readonly views = new Views();
  /** the builds that the commit just applied concerns */
  private concerned: readonly string[] = [];
  /** what was sent and has not shown in the feed yet: not sent again at every event */
  private readonly underWay = new Set<string>();
  private readonly pauses = new Set<NodeJS.Timeout>();
  /** when a build is looked at again though nothing has happened */
  private readonly wakings = new Map<string, { at: number; timer: NodeJS.Timeout }>();
  private stopped = false;

  constructor(private readonly runtime: Runtime) {
    this.follower = new Follower(runtime, this);
    this.plans = aggregates('plan', planDecider, runtime.store, () => this.follower.feed);
    this.builds = aggregates('build', buildDecider, runtime.store, () => this.follower.feed);
  }

  // --- commands ---

  async applyPlan(command: Command<CommandData<'build-orchestrator', 'ApplyPlan'>>): Promise<Answer> {
    const { source } = command.data;
    const plan = readPlan(source);
    if ('accepted' in plan) return plan;
    await this.follower.reached(command.after);
    const answer = await this.plans.handle(plan.name, { type: 'Apply', source, plan }, causeOf(command));
    if (!answer.accepted) return answer;
    // Answered when our own views show it, so that a build asked for right after this answer is one of this version.
    await this.follower.reached(answer.position ?? 0);
    return { ...answer, data: { name: plan.name, version: await this.versionOf(plan.name, source, answer.position ?? 0) } };
  }

  /** The version that a source was saved as; read from the store only if somebody has applied another one meanwhile. */
  private async versionOf(name: string, source: string, position: number): Promise<number> {
    const present = this.plans.get(name)?.state;
    if (present?.status === 'saved' && present.source === source) return present.version;
    const stored = await this.runtime.store.load<PlanEvent>('plan', name);
    const saved = stored.find((recorded) => recorded.sequence === position)?.commit.events[0];
    if (!saved) throw new Error(`plan ${name} has nothing at position ${position}`);
    return saved.data.version;
  }

  async requestBuild(command: Command<CommandData<'build-orchestrator', 'RequestBuild'>>): Promise<Answer> {
    const { plan: planName, variables, initiator, project, priority, holdOnFailure } = command.data;
    if (Buffer.byteLength(JSON.stringify(variables)) > MAX_VARIABLES_BYTES) {
      return rejected('invalid-data', 'RequestBuild is refused: the variables are too large.', [{ field: 'data.variables', message: `may take ${MAX_VARIABLES_BYTES / 1024} KiB as JSON: hand large values over in a file` }]);
    }
    await this.follower.reached(command.after);
    const saved = this.plans.get(planName)?.state;
    const plan = saved?.status === 'saved' ? { version: saved.version, plan: saved.plan } : undefined;
    const owner = initiator ?? `build:${command.id}`;
    return this.builds.handle(command.id, { type: 'Request', build: command.id, planName, plan, variables, initiator: owner, project, priority, holdOnFailure }, causeOf(command));
  }

  async abortBuild(command: Command<CommandData<'build-orchestrator', 'AbortBuild'>>): Promise<Answer> {
    await this.follower.reached(command.after);
    const { build: id, reason } = command.data;
    const build = this.builds.get(id)?.state;
    const stepMs = build?.status === 'building' && build.step ? this.views.runningFor(build.step.action, Date.now()) : 0;
    return this.builds.handle(id, { type: 'Abort', reason, stepMs }, causeOf(command));
  }

  // --- feed ---

  apply(recorded: AnyRecorded): void {
    if (recorded.kind === 'build') this.builds.apply(recorded);
    else if (recorded.kind === 'plan') this.plans.apply(recorded);
    this.concerned = this.views.apply(recorded);
  }

  caughtUp(): void {
    for (const [id] of this.builds.entries()) this.reconcile(id);
  }

  react(): void {
    for (const id of this.concerned) this.reconcile(id);
  }

  /** Begins what is due for a build by what the feed has shown: the same after a restart as live. */
  private reconcile(id: string): void {
    const build = this.builds.get(id);
    if (!build || this.stopped) return;
    for (const due of react(id, build.state, this.views, Date.now())) {
      if (due.to === 'clock') this.wake(id, due.at);
      else this.begin(id, build.revision, due);
    }
  }

  private wake(build: string, at: number): void {
    const known = this.wakings.get(build);
    if (known?.at === at) return;
    clearTimeout(known?.timer);
    const timer = setTimeout(() => {
      this.wakings.delete(build);
      this.reconcile(build);
    }, Math.min(Math.max(0, at - Date.now()), LONGEST_WAIT_MS));
    timer.unref();
    this.wakings.set(build, { at, timer });
  }

  private begin(build: string, revision: number, due: Telling): void {
    const id = due.to === 'build' ? derivedId(build, `${due.command.type} ${revision}`) : due.id;
    if (this.underWay.has(id)) return;
    this.underWay.add(id);
    void this.seeThrough(build, id, due); // the feed goes on meanwhile
  }

  /** Never rejects. What came to nothing is told in the log, and decided on again after a pause. */
  private async seeThrough(build: string, id: string, due: Telling): Promise<void> {
    try {
      const answer = await this.tell(build, id, due);
      if (answer.accepted) {
        await this.follower.reached(answer.position ?? 0);
        this.underWay.delete(id);
        if (due.to === 'allocator') this.noteHold(build, id, { accepted: true });
        return;
      }
      this.noteRefusal(build, due, answer);
    } catch (error) {
      // While we stop, the feed and the connection end under what is on its way: the next start sends it again.
      if (!this.stopped) this.runtime.log.error({ error, build, due: nameOf(due) }, 'could not be told, will be tried again');
    }
    if (!this.stopped) this.later(build, id);
  }

  private tell(build: string, id: string, due: Telling): Promise<Answer> {
    const actor = `build:${build}`;
    const { bus } = this.runtime;
    switch (due.to) {
      case 'build':
        return this.builds.handle(build, due.command, { id, actor: 'build-orchestrator', cause: id, at: new Date().toISOString() });
      case 'lease':
        return due.type === 'RequestLease' ? bus.command('lease', due.type, due.data, { id, after: due.after, actor }) : bus.command('lease', due.type, due.data, { id, after: due.after, actor });
      case 'host-agent-gateway':
        return bus.command(due.to, due.type, due.data, { id, after: due.after, actor });
      case 'allocator':
        return bus.command(due.to, due.type, due.data, { id, after: due.after, actor });
      default:
        return unreachable(due);
    }
  }

  /** A refusal becomes part of what is known, and the build decides on it at once; sending the same again waits for the pause. */
  private noteRefusal(build: string, due: Telling, refusal: Refusal): void {
    this.runtime.log.warn({ build, due: nameOf(due), refusal }, 'refused');
    if (due.to === 'build' || due.type === 'ReleaseLease') return;
    if (due.to !== 'allocator') {
      this.views.refused(due.type === 'RequestLease' ? 'lease' : 'action', due.id, refusal, Date.now());
      this.reconcile(build);
    } else if (refusal.code !== 'unavailable') this.noteHold(build, due.id, refusal); // an outage is no answer: asked again
  }

  private noteHold(build: string, id: string, answer: HoldView): void {
    this.views.held(build, id, answer);
    this.reconcile(build);
  }

  private later(build: string, id: string): void {
    const pause = setTimeout(() => {
      this.pauses.delete(pause);
      this.underWay.delete(id);
      this.reconcile(build);
    }, PAUSE_MS);
    pause.unref();
    this.pauses.add(pause);
  }

  stop(): void {
    this.stopped = true;
    for (const pause of this.pauses) clearTimeout(pause);
    this.pauses.clear();
    for (const { timer } of this.wakings.values()) clearTimeout(timer);
    this.wakings.clear();
  }
}

const nameOf = (due: Telling): string => (due.to === 'build' ? due.command.type : due.type);
const causeOf = (command: Command): Cause => ({ id: command.id, actor: command.actor, cause: command.id, at: new Date().toISOString() });
