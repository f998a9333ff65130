import { rejected, type AnyRecorded, type Answer, type BuildEvent, type CommandData, type CommandType, type PlanEvent } from '@berth/contracts';
import type { Objects } from '@berth/artifacts';
import { aggregates, DEFAULT_ARTIFACT_LIMIT, Follower, type Aggregates, type Cause, type Command, type Following, type Runtime } from '@berth/runtime';
import { readPlan } from './adapters/plan-yaml.js';
import { buildDecider, isLive, type Build, type BuildCommand } from './domain/build/build.js';
import { durationsOf } from './domain/durations.js';
import { planDecider, type PlanCommand, type PlanState } from './domain/plan/plan.js';
import { buildStatus } from './domain/status.js';
import type { View } from './domain/view.js';
import { History } from './history.js';
import { beforeCleanUp, keptBy, type Kept } from './kept.js';
import { Keeping } from './keeping.js';
import { LiveBuilds } from './live-builds.js';
import { requested } from './requesting.js';
import { SeeingThrough } from './seeing-through.js';
import { BuildSpans } from './spans.js';
import { Views } from './views.js';

type Of<T extends CommandType<'build-orchestrator'>> = Command<CommandData<'build-orchestrator', T>>;

/** Plans that call plans: deeper than people nest them, it goes round in a circle. */
const MAX_CALLS = 10;

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
  private readonly history = new History();
  private readonly live: LiveBuilds;
  private readonly through: SeeingThrough;
  private readonly keeping: Keeping;
  /** absent while traces are off */
  private readonly spans: BuildSpans | undefined;
  /** the builds that the commit just applied concerns */
  private concerned: readonly string[] = [];

  constructor(
    private readonly runtime: Runtime,
    artifacts: Pick<Objects, 'remove'>,
  ) {
    this.follower = new Follower(runtime, this);
    this.spans = runtime.tracing && new BuildSpans(runtime.tracing);
    this.plans = aggregates('plan', planDecider, runtime.store, () => this.follower.feed);
    this.builds = aggregates('build', buildDecider, runtime.store, () => this.follower.feed);
    this.keeping = new Keeping(runtime, artifacts, ({ build, name, reason }, id) =>
      this.releaseArtifact({ id, type: 'ReleaseArtifact', actor: 'build-orchestrator', after: 0, data: { build, name, reason } }),
    );
    this.live = new LiveBuilds((id) => this.builds.get(id)?.state, this.views);
    const view: View = {
      lease: (id) => this.views.lease(id),
      action: (id) => this.views.action(id),
      host: (resource) => this.views.host(resource),
      hold: (id) => this.views.hold(id),
      since: (id) => this.views.since(id),
      reply: (id) => this.views.reply(id),
      build: (id) => this.builds.get(id)?.state,
      beforeInGroup: (id, group) => this.through.watching(id, this.live.beforeInGroup(id, group)),
      beforeOfPlan: (id, plan, ref) => this.through.watching(id, this.live.beforeOfPlan(id, plan, ref)),
      olderGathering: (id) => this.through.watching(id, this.live.olderGathering(id)),
      artifactLimit: runtime.config.artifactLimit ?? DEFAULT_ARTIFACT_LIMIT,
    };
    this.through = new SeeingThrough(runtime, this.follower, this.builds, view, this.views, {
      request: (command) => this.requestBuild(command),
      abort: (command) => this.abortBuild(command),
      artifactsOf: async (build) => {
        const stored = await this.stored(build);
        return stored.length === 0 ? undefined : [...keptBy(stored).values()].flatMap(({ artifact }) => (artifact ? [artifact] : []));
      },
    });
  }

  // --- plans ---

  async applyPlan(command: Of<'ApplyPlan'>): Promise<Answer> {
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

  validatePlan(command: Of<'ValidatePlan'>): Promise<Answer> {
    const plan = readPlan(command.data.source);
    return Promise.resolve('accepted' in plan ? plan : { accepted: true, id: plan.name, data: { name: plan.name, steps: plan.steps.map(({ id, name }) => ({ id, name })) } });
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

  // --- builds ---

  async requestBuild(command: Of<'RequestBuild'>): Promise<Answer> {
    await this.follower.reached(command.after);
    const { plan: name, parent } = command.data;
    // The same command again: what it asked for is there, whatever has become of the plan.
    if (this.builds.get(command.id)) return { accepted: true, id: command.id, position: this.builds.get(command.id)!.revision };
    if (parent && this.calls(parent.build) >= MAX_CALLS) {
      return rejected('invalid-data', `Plans call each other more than ${MAX_CALLS} deep.`, [{ field: 'data.parent', message: 'goes round in a circle, it seems: look at the steps of kind call-plan' }]);
    }
    const saved = this.plans.get(name)?.state;
    const plan = saved?.status === 'saved' ? saved : undefined;
    const request = requested(command.id, command.data, plan, { weights: plan && this.history.weights(plan.plan), url: this.runtime.config.publicUrl });
    if ('accepted' in request) {
      const stored = await this.stored(command.id);
      return stored.length === 0 ? request : { accepted: true, id: command.id, position: stored.at(-1)!.sequence };
    }
    return this.builds.handle(command.id, { type: 'Request', build: command.id, ...request }, causeOf(command));
  }

  /** How many plans have called each other to come to a build. */
  private calls(build: string): number {
    let depth = 1;
    for (let at = this.builds.get(build)?.state; at && at.status !== 'none' && at.about.parent && depth <= MAX_CALLS; depth++) at = this.builds.get(at.about.parent.build)?.state;
    return depth;
  }

  async abortBuild(command: Of<'AbortBuild'>): Promise<Answer> {
    const { build, reason } = command.data;
    const { durations } = await this.present(command, build);
    return this.tell(command, build, { type: 'Abort', reason, durations, ...by(command) });
  }

  async pauseBuild(command: Of<'PauseBuild'>): Promise<Answer> {
    await this.follower.reached(command.after);
    return this.tell(command, command.data.build, { type: 'Pause', reason: command.data.reason, ...by(command) });
  }

  async resumeBuild(command: Of<'ResumeBuild'>): Promise<Answer> {
    await this.follower.reached(command.after);
    return this.tell(command, command.data.build, { type: 'Resume', build: command.data.build, ...by(command) });
  }

  async restartBuild(command: Of<'RestartBuild'>): Promise<Answer> {
    const { build, host, reason } = command.data;
    return this.restart(command, build, { where: host, reason });
  }

  /** In the same working copy while the build is under way; afterwards there is none, and a new generation begins with what can be kept. */
  async rerunStep(command: Of<'RerunStep'>): Promise<Answer> {
    const { build, step, reason } = command.data;
    const { state } = await this.present(command, build);
    if (state && isLive(state)) return this.tell(command, build, { type: 'Rerun', build, step, reason });
    return this.restart(command, build, { where: 'any', reason, step });
  }

  private async restart(command: Command, build: string, how: { where: 'any' | 'same' | 'other'; reason: string; step?: string }): Promise<Answer> {
    const { state, durations } = await this.present(command, build);
    // It may be cleaned up by the time it is decided: what it was made from is at hand then.
    const known = state && isLive(state) ? undefined : beforeCleanUp(await this.stored(build));
    const plan = state && 'plan' in state ? state.plan : known?.plan;
    const weights = plan && this.history.weights(plan);
    return this.tell(command, build, { type: 'Restart', build, ...how, durations, ...by(command), ...(known && { before: known }), ...(weights && { weights }) });
  }

  async sendMessage(command: Of<'SendBuildMessage'>): Promise<Answer> {
    await this.follower.reached(command.after);
    const { build, step, type, text, outputs, by: said } = command.data;
    const who = said === undefined ? by(command) : { by: said };
    return this.tell(command, build, { type: 'Message', step, message: { type, ...(text !== undefined && { text }), ...(outputs && { outputs }), ...who } });
  }

  async addArtifact(command: Of<'AddArtifact'>): Promise<Answer> {
    const { build, name, type: kind, uri, file, by: said } = command.data;
    const known = (await this.kept(command, build)).get(name);
    const present = known && { ...(known.uri !== undefined && { uri: known.uri }), ...(known.artifact && { sha256: known.artifact.sha256 }) };
    return this.tell(command, build, { type: 'AddArtifact', name, kind, ...(uri !== undefined && { uri }), ...(file && { file }), ...(said === undefined ? by(command) : { by: said }), ...(present && { known: present }) });
  }

  async pinArtifact(command: Of<'PinArtifact'>): Promise<Answer> {
    const { build, name, pinned } = command.data;
    return this.tell(command, build, { type: 'PinArtifact', name, pinned, known: (await this.kept(command, build)).get(name) });
  }

  async releaseArtifact(command: Of<'ReleaseArtifact'>): Promise<Answer> {
    const { build, name, reason } = command.data;
    return this.tell(command, build, { type: 'ReleaseArtifact', name, reason, known: (await this.kept(command, build)).get(name) });
  }

  private tell(command: Command, build: string, what: BuildCommand): Promise<Answer> {
    return this.builds.handle(build, what, causeOf(command));
  }

  private async present(command: Command, build: string): Promise<{ state: Build | undefined; durations: Record<string, number> }> {
    await this.follower.reached(command.after);
    const state = this.builds.get(build)?.state;
    return { state, durations: state ? durationsOf(state, this.views, Date.now()) : {} };
  }

  private async kept(command: Command, build: string): Promise<Map<string, Kept>> {
    await this.follower.reached(command.after);
    return keptBy(await this.stored(build));
  }

  private stored(build: string) {
    return this.runtime.store.load<BuildEvent>('build', build);
  }

  // --- feed ---

  apply(recorded: AnyRecorded): void {
    if (recorded.kind === 'build') {
      this.builds.apply(recorded);
      this.history.note(recorded);
      this.keeping.note(recorded);
      this.live.note(recorded.id, recorded.commit.events.some(({ type }) => type === 'BuildRestarted'));
    } else if (recorded.kind === 'plan') this.plans.apply(recorded);
    this.concerned = this.views.apply(recorded);
  }

  caughtUp(): void {
    this.keeping.begin(Date.now());
    for (const [id] of this.builds.entries()) this.through.reconcile(id);
  }

  react(recorded: AnyRecorded): void {
    if (recorded.kind === 'build') this.spans?.note(recorded);
    for (const id of this.concerned) {
      this.through.reconcile(id);
      // Whoever called it waits for its end.
      const caller = recorded.kind === 'build' ? this.callerOf(id) : undefined;
      if (caller !== undefined) this.through.reconcile(caller);
      // Whatever its steps have called may not be waited for any more.
      if (recorded.kind === 'build') for (const child of this.views.askedFor(id)) if (this.callerOf(child) === id) this.through.reconcile(child);
    }
    if (this.concerned.length > 0) this.through.lookAtWatchers(this.concerned);
  }

  private callerOf(build: string): string | undefined {
    const state = this.builds.get(build)?.state;
    return state && state.status !== 'none' ? state.about.parent?.build : undefined;
  }

  stop(): void {
    this.keeping.stop();
    this.through.stop();
  }
}

const causeOf = (command: Command): Cause => ({ id: command.id, actor: command.actor, cause: command.id, at: new Date().toISOString(), base: command.base });
/** Who asks, when that is known by more than a name of ours. */
const by = ({ actor }: Command): { by?: string } => (actor === '' ? {} : { by: actor });
