import type { ActionResult, ActionSpec, BlueprintOf, BlueprintSpec, HostAccess, LaunchFault, Refusal } from '@berth/contracts';
import type { Bootable } from '../domain/images.js';
import type { Enrolled } from '../domain/machine.js';
import type { ResourceInfo } from '../domain/resource.js';

/** A blueprint's bookkeeping on a resource. What a blueprint finds it returns; the resource's single writer stores it. */
export type Facts = Readonly<Record<string, unknown>>;

/** Gives hosts that are there already: what is found becomes a host resource. */
export interface HostBlueprint<S extends BlueprintSpec, Found> {
  host(spec: S, found: Found): ResourceInfo;
}
export interface FoundLocal {
  access: HostAccess;
  facts: Record<string, string>;
  cpus: number;
}

/** Makes something on a leased host, by actions of the gateway; each is idempotent by the resource's id. */
export interface DerivedBlueprint<S extends BlueprintSpec> {
  create(spec: S, id: string, info: ResourceInfo, facts: Facts): ActionSpec;
  /** `failed`: it never became usable, so nothing of it is worth keeping. */
  destroy(spec: S | undefined, id: string, info: ResourceInfo, facts: Facts, failed: boolean): ActionSpec;
  /** What the single writer is to store of the creation's result. */
  made(spec: S, result: ActionResult, facts: Facts, host: HostAccess | undefined): { path?: string; commit?: string; port?: number; uri?: string };
}

/** All that a step of a launch may depend on, so that the same step can be taken again by another process. */
export interface Launch<S extends BlueprintSpec = BlueprintOf<'ec2'>> {
  /** marks what is launched as ours, among others in the same account */
  installation: string;
  /** id of the resource: names the launch, and whatever is launched carries it */
  resource: string;
  /** owner of the request behind it, for the provider's bills; `berth` for a pool's own */
  owner: string;
  spec: S;
  facts: Facts;
  /** expressions that the request behind it wants; offers that can't satisfy them are not taken */
  wants: Readonly<Record<string, string>>;
  /** what is booted, where that is a version of an image; else the blueprint says it */
  image?: string | undefined;
  /** offers that were refused lately, and until when (RFC 3339) they are not asked for */
  refused: ReadonlyMap<string, string>;
  signal: AbortSignal;
}

/** What one step of a launch came to. */
export type LaunchStep =
  /** store these facts (an intent before its effect, or what was found), then take the next step; null removes one */
  | { is: 'keep'; facts: Facts }
  /** nothing to store: look again after so many milliseconds */
  | { is: 'wait'; ms: number }
  /** it runs, and this is how to get in */
  | { is: 'up'; access: HostAccess; attributes: Record<string, string> }
  /** what was chosen is not to be had until then: remembered for all launches of the blueprint; the next step chooses another */
  | { is: 'refused'; offer: string; fault: LaunchFault; error: string; until: string }
  | { is: 'failed'; fault: LaunchFault; error: string };

/** How something launched is. `unknown`: the provider did not say; nothing may be concluded from it. */
export type Condition = { is: 'there' } | { is: 'unknown'; error: string } | { is: 'gone'; error: string };

/** Something at the provider that carries our mark. */
export interface Found {
  /** the provider's id */
  id: string;
  /** the resource that it carries */
  resource: string;
  /** RFC 3339 */
  launched: string;
}

/** Launches hosts at a provider. Every call may be made again after a crash at any point, and then has no second effect. */
export interface Launcher<S extends BlueprintSpec = BlueprintOf<'ec2'>> {
  /** Asks the provider whether a launch could work: image (what its channel points at, where it has one), credentials, permissions. Undefined = yes. */
  check(spec: S, image?: Bootable): Promise<Refusal | undefined>;
  /** Pure: attributes of everything that it could launch, best first. */
  offers(spec: S): { name: string; attributes: Record<string, string> }[];
  /** Pure: by when (RFC 3339) a launch is over at the latest, one way or the other; undefined = not known yet. */
  readyBy(spec: S, facts: Facts): string | undefined;
  /** Takes the next step of a launch. @throws nothing that the provider can cause */
  step(launch: Launch<S>): Promise<LaunchStep>;
  /** How launched hosts are, by resource; one question for all. */
  inspect(spec: S, of: readonly { resource: string; facts: Facts }[]): Promise<Map<string, Condition>>;
  /** Ends what was launched for a resource; also when it is only suspected. `gone` once the provider says that nothing of it runs. */
  destroy(launch: Omit<Launch<S>, 'wants' | 'refused' | 'image'>): Promise<{ is: 'gone' } | { is: 'wait'; ms: number; error?: string }>;
  /** The last of what it printed while booting, at most 16 KiB; undefined when the provider has none. */
  console(spec: S, facts: Facts): Promise<string | undefined>;
  /** Everything that carries this installation's mark and is not gone. @throws when the provider does not answer */
  sweep(spec: S, installation: string): Promise<Found[]>;
  /** Ends one thing found by `sweep`. @throws when the provider does not answer */
  reap(spec: S, found: Found): Promise<void>;
}

/** The machine behind a preallocated host. */
export type FoundMachine = Enrolled;
