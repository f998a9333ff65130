import { derivedId, unreachable, type Answer, type BuildEvent, type CommandData, type Refusal } from '@berth/contracts';
import { sendHttp, type Aggregates, type Command, type Follower, type HttpReply, type Runtime } from '@berth/runtime';
import type { Artifact, Build, BuildCommand } from './domain/build/build.js';
import type { Due, HttpRequest } from './domain/due.js';
import { react } from './domain/react.js';
import type { Before, HoldView, View } from './domain/view.js';
import type { Views } from './views.js';

/** Before something that was not answered as hoped is tried again. */
const PAUSE_MS = 1000;
/** A timer can't wait for longer than 2^31 - 1 ms: whoever waits for an instant beyond this looks at the clock again then. */
const LONGEST_WAIT_MS = 600_000;

/** What is sent somewhere; the rest of what is due is waited for. */
type Telling = Exclude<Due, { to: 'clock' }>;

/** What the service does for its own builds as it would for anybody. */
interface Own {
  request(command: Command<CommandData<'build-orchestrator', 'RequestBuild'>>): Promise<Answer>;
  abort(command: Command<CommandData<'build-orchestrator', 'AbortBuild'>>): Promise<Answer>;
  artifactsOf(build: string): Promise<readonly Artifact[] | undefined>;
}

/** Begins what is due for builds, and stays with it until the feed shows it. */
export class SeeingThrough {
  /** what was sent and has not shown in the feed yet: not sent again at every event */
  private readonly underWay = new Set<string>();
  private readonly pauses = new Set<NodeJS.Timeout>();
  /** when a build is looked at again though nothing has happened */
  private readonly wakings = new Map<string, { at: number; timer: NodeJS.Timeout }>();
  /** builds that wait for others: looked at when anything happens to one of those */
  private readonly watchers = new Map<string, Set<string>>();
  private readonly over = new AbortController();

  constructor(
    private readonly runtime: Runtime,
    private readonly follower: Follower,
    private readonly builds: Aggregates<Build, BuildCommand, BuildEvent>,
    private readonly view: View,
    private readonly views: Views,
    private readonly own: Own,
  ) {}

  /** Notes that a build asked about another one that stands in its way. */
  watching(id: string, before: Before | undefined): Before | undefined {
    if (before) this.watchers.set(id, (this.watchers.get(id) ?? new Set()).add(before.id));
    return before;
  }

  /** Something has happened to these: whoever waits for one of them is looked at. */
  lookAtWatchers(changed: readonly string[]): void {
    for (const [id, others] of [...this.watchers]) if (changed.some((other) => others.has(other))) this.reconcile(id);
  }

  /** Begins what is due for a build by what the feed has shown: the same after a restart as live. */
  reconcile(id: string): void {
    const build = this.builds.get(id);
    if (!build || this.stopped) return;
    this.watchers.delete(id);
    let next: number | undefined;
    for (const due of react(id, build.state, this.view, Date.now())) {
      if (due.to === 'clock') next = Math.min(next ?? due.at, due.at);
      else this.begin(id, build.revision, due);
    }
    if (next !== undefined) this.wake(id, next);
  }

  private get stopped(): boolean {
    return this.over.signal.aborted;
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
    const id = due.to === 'build' ? derivedId(build, `${due.command.type} ${aboutWhat(due.command)} ${revision}`) : due.id;
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
        else if (due.to === 'http' || due.to === 'artifacts') this.reconcile(build);
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
        return due.type === 'RunAction' ? bus.command(due.to, due.type, due.data, { id, after: due.after, actor }) : bus.command(due.to, due.type, due.data, { id, after: due.after, actor });
      case 'allocator':
        return bus.command(due.to, due.type, due.data, { id, after: due.after, actor });
      case 'builds': {
        const command = { id, actor, after: 0, type: due.type };
        if (due.type === 'RequestBuild') return this.own.request({ ...command, data: { ...due.data, variables: textOf(due.data.variables), holdOnFailure: undefined, host: undefined } });
        return this.own.abort({ ...command, data: { build: due.data.build, reason: due.data.reason ?? 'aborted' } });
      }
      case 'http':
        return this.sendHttp(build, id, due);
      case 'artifacts':
        return this.findArtifacts(build, id, due.build);
      default:
        return unreachable(due);
    }
  }

  private async sendHttp(build: string, id: string, { request }: Extract<Due, { to: 'http' }>): Promise<Answer> {
    const reply = request.secret === undefined ? await sendHttp(request, this.over.signal) : await this.sendWithSecret(build, id, request, request.secret);
    // A service that stops has not heard what came of it: the next start asks again.
    if (this.stopped) throw new Error('stopped meanwhile');
    this.views.replied(build, id, reply);
    return { accepted: true, id };
  }

  /** Only the gateway can read secrets, so what needs one is sent from there. */
  private async sendWithSecret(build: string, id: string, request: HttpRequest, secret: string): Promise<HttpReply> {
    const answer = await this.runtime.bus.command('host-agent-gateway', 'SendRequest', { ...request, secret }, { id, actor: `build:${build}` });
    return answer.accepted ? (answer.data as unknown as HttpReply) : { kind: 'failed', error: answer.message, ms: 0 };
  }

  private async findArtifacts(build: string, id: string, other: string): Promise<Answer> {
    this.views.replied(build, id, { kind: 'artifacts', artifacts: await this.own.artifactsOf(other) });
    return { accepted: true, id };
  }

  /** A refusal becomes part of what is known, and the build decides on it at once; sending the same again waits for the pause. */
  private noteRefusal(build: string, due: Telling, refusal: Refusal): void {
    this.runtime.log.warn({ build, due: nameOf(due), refusal }, 'refused');
    switch (due.to) {
      case 'lease':
      case 'host-agent-gateway':
        // What is ended twice was ended before.
        if (due.type === 'ReleaseLease' || due.type === 'CancelAction') return;
        this.views.refused(due.type === 'RequestLease' ? 'lease' : 'action', due.id, refusal, Date.now());
        break;
      case 'allocator':
        // An outage is no answer: asked again.
        if (refusal.code !== 'unavailable') this.noteHold(build, due.id, refusal);
        return;
      case 'builds':
        if (due.type === 'RequestBuild') this.views.replied(build, due.id, { kind: 'failed', error: refusal.message, ms: 0 });
        break;
      case 'build':
      case 'http':
      case 'artifacts':
        return;
      default:
        return unreachable(due);
    }
    this.reconcile(build);
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
    this.over.abort();
    for (const pause of this.pauses) clearTimeout(pause);
    this.pauses.clear();
    for (const { timer } of this.wakings.values()) clearTimeout(timer);
    this.wakings.clear();
  }
}

/** Commands of one kind that a build may be told at the same time are told apart by what they are about. */
function aboutWhat(command: BuildCommand): string {
  if ('action' in command) return command.action;
  return 'host' in command ? command.host : '';
}

const nameOf = (due: Telling): string => (due.to === 'build' ? due.command.type : 'type' in due ? due.type : due.to);
const textOf = (values: Readonly<Record<string, string | number | boolean>> = {}): Record<string, string> => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
