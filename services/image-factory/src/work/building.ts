import type { Objects } from '@berth/artifacts';
import { bootedFrom, derivedId, type AnyRecorded, type BuildEvent, type ImageTarget } from '@berth/contracts';
import type { Follower, Runtime } from '@berth/runtime';
import { ACTOR } from '../cause.js';
import type { ImageCommand } from '../domain/decide.js';
import { isLive, type Image, type Target, type Version } from '../domain/image.js';
import { followBuild, type FollowedBuild } from '../follow/builds.js';
import type { Hosts } from '../follow/hosts.js';
import type { Catalogue } from '../catalogue.js';
import type { Images } from '../images.js';
import { isLack, type Origin } from '../parents.js';
import type { Providers } from '../providers/provider.js';
import { planName, type TargetPlan, type Targets } from '../targets/target.js';
import { callOf, stored } from './call.js';
import { Driven } from './driven.js';

/** What a build is for. */
type Purpose = { image: string; version: string } & ({ target: ImageTarget; attempt: number } | { channel: string });

/** The facts that sealing keeps: how its provider calls the image of the host. */
const SEALED = 'sealed';

/** Has targets built and versions tested, each by a build of its own, and stores how far they are. */
export class Work {
  private readonly builds = new Map<string, FollowedBuild>();
  private readonly purposes = new Map<string, Purpose>();
  private readonly driven: Driven;
  private live = false;

  constructor(
    private readonly runtime: Runtime,
    private readonly follower: () => Follower,
    private readonly images: Images,
    private readonly catalogue: Catalogue,
    private readonly hosts: Hosts,
    private readonly targets: Targets,
    private readonly providers: Providers,
    private readonly objects: Objects,
  ) {
    this.driven = new Driven(runtime);
  }

  stop(): void {
    this.driven.stop();
  }

  // --- feed ---

  apply(recorded: AnyRecorded): void {
    if (recorded.kind === 'image') {
      for (const event of recorded.commit.events) {
        if (event.type === 'TargetStarted') this.purposes.set(event.data.build, { image: recorded.id, version: event.data.version, target: event.data.target, attempt: event.data.attempt });
        else if (event.type === 'TestStarted') this.purposes.set(event.data.build, { image: recorded.id, version: event.data.version, channel: event.data.channel });
        else if (event.type === 'TargetCompleted') this.forget(this.images.image(recorded.id).versions.get(event.data.version)?.targets.get(event.data.target)?.build);
        else if (event.type === 'TargetFailed') this.forgetFailed(recorded.id, event.data.version, event.data.target);
        else if (event.type === 'TestEnded' && this.builds.get(event.data.build)?.end) this.forget(event.data.build);
      }
    } else if (recorded.kind === 'build' && this.purposes.has(recorded.id)) {
      for (const event of recorded.commit.events) this.applyBuild(recorded.id, event);
    }
  }

  private applyBuild(id: string, event: BuildEvent): void {
    const next = followBuild(this.builds.get(id), event);
    if (!next) return;
    this.builds.set(id, next);
    if (next.end && !this.isWanted(id)) this.forget(id);
  }

  /** Whether what a build is for still waits for it. */
  private isWanted(id: string): boolean {
    const purpose = this.purposes.get(id);
    if (!purpose) return false;
    const image = this.images.image(purpose.image);
    if ('channel' in purpose) return image.channels.get(purpose.channel)?.testing?.build === id;
    const target = image.versions.get(purpose.version)?.targets.get(purpose.target);
    return target?.build === id && isLive(target.status);
  }

  /** Of a target that has failed, when its build is over too and its provider has begun nothing. */
  private forgetFailed(image: string, version: string, target: ImageTarget): void {
    const { build, facts } = this.images.image(image).versions.get(version)?.targets.get(target) ?? {};
    if (build !== undefined && this.builds.get(build)?.end && Object.keys(facts ?? {}).length === 0) this.forget(build);
  }

  /** Of what is over nothing is kept. */
  private forget(id: string | undefined): void {
    if (id === undefined) return;
    this.purposes.delete(id);
    this.builds.delete(id);
    this.seen.delete(id);
  }

  caughtUp(): void {
    this.live = true;
    for (const id of this.purposes.keys()) this.look(id);
  }

  react(recorded: AnyRecorded): void {
    if (!this.live) return;
    if (recorded.kind === 'build') {
      if (this.purposes.has(recorded.id)) this.look(recorded.id);
    } else if (recorded.kind === 'image') {
      for (const { type, data } of recorded.commit.events) {
        if (type === 'TargetStarted' || type === 'TestStarted' || type === 'TestEnded') this.look(data.build);
        else if (type === 'TargetFailed') this.lookAt(recorded.id, data.version, data.target);
      }
    }
  }

  private lookAt(image: string, version: string, target: ImageTarget): void {
    const build = this.images.image(image).versions.get(version)?.targets.get(target)?.build;
    if (build !== undefined) this.look(build);
  }

  // --- what is due ---

  private look(id: string): void {
    const purpose = this.purposes.get(id);
    if (!purpose) return;
    const image = this.images.image(purpose.image);
    const version = image.versions.get(purpose.version);
    if ('channel' in purpose) return this.lookAtTest(id, purpose, image, version);
    const target = version?.targets.get(purpose.target);
    if (version && target && this.isWanted(id)) return this.driven.drive(id, () => this.build(id, purpose), () => this.lookAgain(id));
    this.abandon(id, 'its target is not wanted any more');
    if (version && target?.build === id && target.status === 'FAILED' && Object.keys(target.facts).length > 0) this.driven.drive(`clear ${id}`, () => this.clearAway(purpose, version, target), () => undefined);
  }

  /** What came meanwhile is looked at; nothing else is new. */
  private lookAgain(id: string): void {
    if (this.seen.get(id) !== this.builds.get(id)) this.look(id);
  }
  /** the build as it was when it was last dealt with */
  private readonly seen = new Map<string, FollowedBuild | undefined>();

  private lookAtTest(id: string, { image: name, version: of, channel }: Purpose & { channel: string }, image: Image, version: Version | undefined): void {
    if (!version || !this.isWanted(id)) return this.abandon(id, 'its test is not wanted any more');
    const build = this.builds.get(id);
    if (build?.end) return this.tell(name, { type: 'EndTest', channel, build: id, passed: build.end.passed, ...(!build.end.passed && { error: build.end.error }) }, `${id} ended`);
    if (build) return;
    this.driven.drive(id, async () => {
      const plan = image.channels.get(channel)?.test;
      if (plan === undefined) return;
      const refusal = await this.request(id, plan, { host: { [bootedFrom.image]: name, [bootedFrom.version]: String(version.number) } });
      if (refusal !== undefined) this.tell(name, { type: 'EndTest', channel, build: id, passed: false, error: `the test could not begin: ${refusal}` }, `${id} refused ${of}`);
    }, () => undefined);
  }

  /** A build that nobody wants any more ends. */
  private abandon(id: string, reason: string): void {
    const build = this.builds.get(id);
    if (!build || build.end) return;
    this.driven.drive(`abort ${id}`, async () => {
      await this.runtime.bus.command('build-orchestrator', 'AbortBuild', { build: id, reason }, { id: derivedId(id, 'abandoned'), actor: ACTOR, after: this.follower().position });
    }, () => undefined);
  }

  private async build(id: string, purpose: Purpose & { target: ImageTarget; attempt: number }): Promise<void> {
    const build = this.builds.get(id);
    this.seen.set(id, build);
    const { target: kind, attempt, image: name } = purpose;
    const version = this.images.image(name).versions.get(purpose.version);
    const target = version?.targets.get(kind);
    if (!version || !target || !this.isWanted(id)) return;
    const of = { version: version.id, target: kind, attempt };
    const made = this.planOf(name, version, kind);
    if (made === undefined) return this.tell(name, { type: 'Fail', ...of, error: `revision ${version.revision} of its template is not known any more` }, `${id} no template`);
    if (!build) return this.begin(id, name, made, of);
    if (!build.end) {
      this.tell(name, { type: 'Progress', ...of, ...progressOf(build, made) }, `${id} ${build.over.size} ${build.at ?? ''} ${build.activity}`);
      if (made.seal !== undefined && build.at !== undefined && build.steps[build.at] === made.seal && !build.over.has(build.at)) await this.seal(id, purpose, version, target, build, made.seal);
      return;
    }
    if (!build.end.passed) return this.tell(name, { type: 'Fail', ...of, error: build.end.error }, `${id} failed`);
    const template = this.images.templateOf(name, version.revision)!;
    const account = template.targets.ec2?.account;
    try {
      const files = this.targets[kind].made([...build.artifacts.values()], template);
      const provided = made.seal !== undefined && account !== undefined && target.facts[SEALED] !== undefined ? { provided: { account: target.facts['account'] ?? account, id: target.facts[SEALED] } } : {};
      if (made.seal !== undefined && !('provided' in provided)) throw new Error('its provider has made no image of the host');
      this.tell(name, { type: 'Complete', ...of, made: { ...files, ...provided } }, `${id} complete`);
    } catch (error) {
      this.tell(name, { type: 'Fail', ...of, error: error instanceof Error ? error.message : String(error) }, `${id} nothing made`);
    }
  }

  /** The plan of a target, of the revision that the version was asked for with. */
  private planOf(name: string, { revision }: Version, target: ImageTarget): TargetPlan | undefined {
    const template = this.images.templateOf(name, revision);
    return template && this.targets[target].plan({ image: name, revision, template, plan: planName(name, target, revision) });
  }

  private async begin(id: string, image: string, { source }: TargetPlan, of: { version: string; target: ImageTarget; attempt: number }): Promise<void> {
    const version = this.images.image(image).versions.get(of.version)!;
    const plan = planName(image, of.target, version.revision);
    const origin = this.images.originOf(image, version, of.target);
    if (isLack(origin)) return this.tell(image, { type: 'Fail', ...of, error: `${origin.is}: ${origin.fix}` }, `${id} nothing to begin from`);
    const saved = await this.runtime.bus.command('build-orchestrator', 'ApplyPlan', { source }, { id: derivedId(id, 'plan'), actor: ACTOR });
    const refusal = saved.accepted ? await this.request(id, plan, origin) : `its plan was refused: ${saved.message} ${saved.errors.map(({ field, message }) => `${field}: ${message}`).join('; ')}`;
    if (refusal !== undefined) this.tell(image, { type: 'Fail', ...of, error: refusal }, `${id} refused`);
  }

  /** Asks for a build. @returns why it was refused; undefined when it was not */
  private async request(id: string, plan: string, origin: Origin): Promise<string | undefined> {
    const answer = await this.runtime.bus.command('build-orchestrator', 'RequestBuild', { plan, ...origin }, { id, actor: ACTOR });
    return answer.accepted ? undefined : answer.message;
  }

  // --- an image of the host ---

  private async seal(id: string, purpose: Purpose & { target: ImageTarget; attempt: number }, version: Version, target: Target, build: FollowedBuild, step: string): Promise<void> {
    const { image: name, target: kind, attempt } = purpose;
    const of = { version: version.id, target: kind, attempt };
    const account = this.images.templateOf(name, version.revision)?.targets.ec2?.account;
    const placed = account === undefined ? undefined : this.catalogue.placed(account);
    const instance = build.hostLease === undefined ? undefined : this.hosts.instanceOf(build.hostLease);
    const seal = placed && this.providers[placed.provider.kind].seal;
    if (!placed || !seal) return this.report(id, step, 'fail', `account ${account ?? ''} is not there any more, or its provider makes no images of hosts`);
    if (instance === undefined) return this.report(id, step, 'fail', 'its host was not launched at a provider, so no image of it can be made: targets.ec2.host must want a host of an ec2 blueprint');
    const { parent } = version;
    // Of what has such attributes otherwise nothing is made: it would not be what its version says.
    if (parent && build.hostLease !== undefined && this.hosts.launchedWith(build.hostLease) !== parent.version) return this.report(id, step, 'fail', `its host was not launched from ${parent.image}, which the image is made of: targets.ec2.host must want a host of a blueprint that launches ${parent.image}`);
    let facts = target.facts;
    for (;;) {
      if (this.driven.over || this.builds.get(id)?.end || !this.isWanted(id)) return;
      const known = facts[SEALED];
      if (known !== undefined) return this.report(id, step, 'pass', known);
      const taken = await seal.call(this.providers[placed.provider.kind], { ...callOf(name, version, placed, attempt, facts, this.objects, this.driven.signal), instance });
      switch (taken.is) {
        case 'keep':
          facts = await this.keep(name, of, stored(taken.facts));
          break;
        case 'wait':
          if (taken.percent !== undefined || taken.activity !== undefined) this.tell(name, { type: 'Progress', ...of, percent: 80 + (taken.percent ?? 0) * 0.19, activity: taken.activity ?? 'its provider makes an image of the host' }, `${id} seal ${taken.percent ?? ''} ${taken.activity ?? ''}`);
          await this.driven.pause(taken.ms);
          break;
        case 'done':
          facts = await this.keep(name, of, { [SEALED]: taken.id, account: placed.account.name });
          break;
        case 'failed':
          return this.report(id, step, 'fail', taken.error);
      }
    }
  }

  /** What a provider has begun to make of a target that has failed goes. Tried for as long as this process lives, and by the next one once more. */
  private async clearAway({ image: name, attempt }: Purpose & { target: ImageTarget; attempt: number }, version: Version, target: Target): Promise<void> {
    const account = this.images.templateOf(name, version.revision)?.targets.ec2?.account;
    const placed = account === undefined ? undefined : this.catalogue.placed(account);
    const provider = placed && this.providers[placed.provider.kind];
    if (!placed || !provider?.abandon) return;
    let facts = target.facts;
    while (!this.driven.over) {
      const step = await provider.abandon(callOf(name, version, placed, attempt, facts, this.objects, this.driven.signal));
      if (step.is === 'gone') return;
      if (step.is === 'failed') return this.runtime.log.warn({ image: name, version: version.id, problem: step.error }, 'what was made of a target that has failed could not be cleared away');
      if (step.is === 'wait') await this.driven.pause(step.ms);
      else facts = Object.fromEntries(Object.entries({ ...facts, ...step.facts }).filter((entry): entry is [string, string] => entry[1] !== null));
    }
  }

  private async keep(image: string, of: { version: string; target: ImageTarget; attempt: number }, facts: Record<string, string>): Promise<Record<string, string>> {
    await this.images.store(image, { type: 'KeepFacts', ...of, facts });
    return { ...(this.images.image(image).versions.get(of.version)?.targets.get(of.target)?.facts) };
  }

  private async report(build: string, step: string, type: 'pass' | 'fail', text: string): Promise<void> {
    const answer = await this.runtime.bus.command('build-orchestrator', 'SendBuildMessage', { build, step, type, text: text.slice(0, 2048), ...(type === 'pass' && { outputs: { image: text } }) }, { id: derivedId(build, `${step} ${type}`), actor: ACTOR, after: this.follower().position });
    if (!answer.accepted) this.runtime.log.warn({ build, problem: answer.message }, 'a build did not take what became of its host');
  }

  private tell(image: string, command: ImageCommand, role: string): void {
    this.images.tell(image, command, role);
  }
}

/** How far a build is, by the shares of its steps. */
export function progressOf(build: FollowedBuild, { steps }: TargetPlan): { percent: number; activity: string } {
  const weights = new Map(steps.map(({ id, weight }) => [id, weight]));
  const all = steps.reduce((sum, { weight }) => sum + weight, 0);
  const done = [...build.over].reduce((sum, at) => sum + (weights.get(build.steps[at] ?? '') ?? 0), 0);
  const now = build.at === undefined || build.over.has(build.at) ? undefined : build.steps[build.at];
  return { percent: all === 0 ? 0 : Math.min(99, Math.floor((done / all) * 100)), activity: now === undefined ? build.activity : (steps.find(({ id }) => id === now)?.activity ?? now) };
}
