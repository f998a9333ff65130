import { derivedId, type Answer, type HostAccess, type LaunchFault } from '@berth/contracts';
import type { Follower, Runtime } from '@berth/runtime';
import { launchers, launches } from './blueprints/index.js';
import type { Facts, Launch, Launcher } from './blueprints/blueprint.js';
import type { Catalogue } from './catalogue.js';
import type { Resources } from './claims.js';
import { refusedOf, type LiveBlueprint } from './domain/blueprint.js';
import { isLaunched, type LiveResource, type ResourceCommand } from './domain/resource.js';
import type { Images } from './images.js';
import type { Peers } from './peers.js';
import type { Room } from './room.js';

/** Between two looks at a host that does not let us in yet. */
const KNOCK_MS = 300;
const LONGEST_KNOCK_MS = 3000;
const READY_TRY_MS = 60_000;
const RETRY_MS = 1000;
/** The end of what a host printed while booting, kept with a failed launch; events are no place for more. */
const KEEP_CONSOLE = 8192;

type State = LiveResource | undefined;

/**
 * Takes what is being launched, and what is being ended, one step after the other. Every step is decided by what is stored
 * and may be taken again by another process: an intent is stored before its effect, under a name that the provider knows.
 */
export class Launches {
  private readonly driven = new Set<string>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly runtime: Runtime,
    private readonly follower: () => Follower,
    private readonly resources: Resources,
    private readonly catalogue: Catalogue,
    private readonly room: Room,
    private readonly images: Images,
    private readonly peers: Peers,
  ) {}

  stop(): void {
    this.stopping.abort();
  }

  /** What is due for a resource that was launched. */
  resource(id: string): void {
    const state = this.state(id);
    if (!state || !isLaunched(state) || this.driven.has(id) || this.stopping.signal.aborted || !this.peers.mine(id)) return;
    if (state.status === 'pending') this.drive(id, () => this.bringUp(id));
    else if ((state.status === 'broken' || state.status === 'released') && state.claims.size === 0 && !state.flags.held) this.drive(id, () => this.takeDown(id));
  }

  private drive(id: string, work: () => Promise<void>): void {
    this.driven.add(id);
    const attempt = async () => {
      try {
        await work();
      } catch (error) {
        if (this.over) return;
        this.runtime.log.warn({ error, resource: id }, 'a step could not be taken, tried again');
        await this.pause(RETRY_MS);
      }
    };
    void attempt().finally(() => {
      this.driven.delete(id);
      // Whatever changed meanwhile, or is left to do.
      if (!this.over) this.resource(id);
    });
  }

  private get over(): boolean {
    return this.stopping.signal.aborted || this.runtime.connection.isClosed();
  }

  // --- up ---

  private async bringUp(id: string): Promise<void> {
    for (;;) {
      const state = this.state(id);
      if (this.over || state?.status !== 'pending' || !this.peers.mine(id)) return;
      const with_ = this.launcherOf(state);
      if (!with_) {
        await this.fail(id, state, 'configuration', `its blueprint ${state.info.blueprint} was removed`);
        return;
      }
      const { launcher, blueprint } = with_;
      const unfit = this.unfit(state, blueprint);
      if (unfit !== undefined) {
        await this.fail(id, state, 'image', unfit);
        return;
      }
      const launch = this.launch(id, state, blueprint);
      const step = await launcher.step(launch);
      switch (step.is) {
        case 'keep':
          await this.tell(id, { type: 'Keep', facts: step.facts });
          break;
        case 'wait':
          await this.pause(step.ms);
          break;
        case 'refused': {
          const { is: _, ...refused } = step;
          await this.catalogue.note(state.info.blueprint, { type: 'Refuse', resource: id, ...refused, ...versionOf(state) });
          break;
        }
        case 'failed':
          await this.fail(id, state, step.fault, step.error);
          return;
        case 'up': {
          if (state.facts['stage'] === undefined) {
            await this.tell(id, { type: 'Keep', facts: { stage: 'connecting', stageSince: new Date().toISOString() } });
            break;
          }
          if (await this.knock(id, state, step.access, step.attributes, blueprint)) return;
          break;
        }
      }
    }
  }

  /** Looks whether a host lets us in and is ready. True when that is decided. */
  private async knock(id: string, state: LiveResource, access: HostAccess, attributes: Record<string, string>, { spec }: LiveBlueprint): Promise<boolean> {
    if (spec.kind !== 'ec2') throw new Error(`${spec.name} launches no hosts`);
    const readying = state.facts['stage'] === 'readying' ? spec.ready : undefined;
    const since = Date.parse(String(state.facts['stageSince']));
    const limit = readying?.timeout ?? spec.timeouts.reachable;
    const probe = await this.probe(access, readying && { command: readying.command, timeoutMs: Math.min(READY_TRY_MS, limit) });
    if (probe.accepted) {
      const { facts, check } = probe.data as { facts: Record<string, string>; check?: { exitCode: number; output: string } };
      if (!readying && spec.ready) {
        await this.tell(id, { type: 'Keep', facts: { stage: 'readying', stageSince: new Date().toISOString() } });
        return false;
      }
      if (!check || check.exitCode === 0) {
        await this.catalogue.note(state.info.blueprint, { type: 'Launched', resource: id, ...this.versions(state) });
        await this.tell(id, { type: 'Keep', facts: { stage: null, stageSince: null } });
        await this.tell(id, { type: 'Activate', host: access, attributes: { ...facts, os: access.platform, ...attributes } });
        return true;
      }
      if (Date.now() - since > limit) {
        await this.fail(id, state, 'not-ready', `the ready command still ended with ${check.exitCode} after ${seconds(limit)}: ${check.output.trim().slice(-500)}`);
        return true;
      }
    } else if (probe.code === 'host-key-changed') {
      await this.fail(id, state, 'configuration', `another host key answers than the one ${spec.hostKey === 'console' ? 'in its console output' : 'that the blueprint gives (hostKey)'}`);
      return true;
    } else if (Date.now() - since > limit) {
      await this.fail(id, state, 'timeout', `it runs, but did not let us in for ${seconds(limit)}: ${probe.message}`);
      return true;
    }
    await this.pause(Math.min(LONGEST_KNOCK_MS, KNOCK_MS + (Date.now() - since) / 10));
    return false;
  }

  private async probe(host: HostAccess, check?: { command: string; timeoutMs: number }): Promise<Answer> {
    return this.runtime.bus.command('host-agent-gateway', 'ProbeHost', { host, ...(check && { check }) }, { id: derivedId(`${host.address}:${host.port}`, `probe ${Date.now()} ${Math.random()}`), actor: 'allocator', patienceMs: 30_000 + (check?.timeoutMs ?? 0) });
  }

  /** Notes a failed launch on its blueprint before the resource is broken: whatever crashes, the failure counts once. */
  private async fail(id: string, state: LiveResource, fault: LaunchFault, error: string): Promise<void> {
    const with_ = this.launcherOf(state);
    const offer = typeof state.facts['offer'] === 'string' ? state.facts['offer'] : undefined;
    if (with_ && state.facts['instance'] !== undefined) {
      const said = await with_.launcher.console(with_.blueprint.spec as never, state.facts);
      if (said) await this.tell(id, { type: 'Keep', facts: { console: said.slice(-KEEP_CONSOLE) } });
    }
    await this.catalogue.note(state.info.blueprint, { type: 'LaunchFailed', resource: id, fault, error, now: new Date().toISOString(), ...(offer !== undefined && { offer }), ...this.versions(state) });
    await this.tell(id, { type: 'Break', error, fault });
  }

  // --- down ---

  private async takeDown(id: string): Promise<void> {
    for (;;) {
      const state = this.state(id);
      if (this.over || !state || state.claims.size > 0 || !this.peers.mine(id)) return;
      const with_ = this.launcherOf(state);
      if (!with_) {
        // A blueprint is removed only when nothing of it is left: this can't be, and is not passed over in silence.
        this.runtime.log.error({ resource: id, blueprint: state.info.blueprint }, 'nothing is left that could end it');
        await this.pause(60_000);
        continue;
      }
      const outcome = await with_.launcher.destroy(this.launch(id, state, with_.blueprint));
      if (outcome.is === 'gone') {
        await this.tell(id, { type: 'Destroy' });
        this.room.give([], [id]);
        return;
      }
      if (outcome.error !== undefined) this.runtime.log.warn({ resource: id, error: outcome.error }, 'not ended yet, tried again');
      await this.pause(outcome.ms);
    }
  }

  // --- common ---

  private state(id: string): State {
    const state = this.resources.get(id)?.state;
    return state && state.status !== 'none' && state.status !== 'destroyed' ? state : undefined;
  }

  private launcherOf({ info }: LiveResource): { launcher: Launcher; blueprint: LiveBlueprint } | undefined {
    const blueprint = this.catalogue.get(info.blueprint);
    const launcher = blueprint && (launchers[blueprint.spec.kind] as Launcher | undefined);
    return blueprint && launcher ? { launcher, blueprint } : undefined;
  }

  /** Why nothing can be booted, where the image is one of ours and no version of it was fixed when the resource was made. */
  private unfit({ info, facts }: LiveResource, { spec }: LiveBlueprint): string | undefined {
    if (info.booted || facts['image'] !== undefined || facts['instance'] !== undefined) return undefined;
    const image = this.images.of(spec)?.channel;
    if (image === undefined) return undefined;
    return typeof image === 'string' ? image : `version ${image.number} of image ${image.image} could not be used yet`;
  }

  /** What it was booted from, and what its channel points at now. */
  private versions(state: LiveResource): { version?: string; current?: string } {
    const spec = this.catalogue.get(state.info.blueprint)?.spec;
    const current = spec && this.images.current(spec);
    return { ...versionOf(state), ...(current !== undefined && { current }) };
  }

  private launch(id: string, { info, facts }: LiveResource, blueprint: LiveBlueprint): Launch {
    const { spec } = blueprint;
    if (spec.kind !== 'ec2' || !launches(spec)) throw new Error(`${spec.name} launches no hosts`);
    const known = new Set((launchers[spec.kind] as Launcher).offers(spec).flatMap((offer) => Object.keys(offer.attributes)));
    // What an offer says nothing of is found out when the host is up.
    const wants = Object.fromEntries(Object.entries(info.wanted ?? {}).filter(([key]) => known.has(key)));
    return {
      installation: this.room.installation,
      resource: id,
      owner: typeof facts['for'] === 'string' ? facts['for'] : 'berth',
      spec,
      facts: facts as Facts,
      wants,
      image: info.booted?.id,
      refused: new Map([...refusedOf(blueprint, info.booted?.version)].map(([offer, { until }]) => [offer, until])),
      signal: this.stopping.signal,
    };
  }

  /** Stores, and waits until the feed has shown it: the next step is decided on that. */
  private async tell(id: string, command: ResourceCommand): Promise<void> {
    const revision = this.resources.get(id)?.revision ?? 0;
    const cause = derivedId(id, `${command.type} ${revision} ${JSON.stringify(command)}`);
    const answer = await this.resources.handle(id, command, { id: cause, actor: 'allocator', cause, at: new Date().toISOString() });
    if (answer.accepted && answer.position) await this.follower().reached(answer.position);
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.stopping;
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener('abort', end);
    });
  }
}

const versionOf = ({ info }: LiveResource): { version?: string } => (info.booted ? { version: info.booted.version } : {});
const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
