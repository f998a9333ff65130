import { blueprintKinds, builtInBlueprints, derivedId, rejected, type Answer, type BlueprintEvent, type BlueprintKind, type BlueprintOf, type BlueprintSpec, type LeaseRequest, type ResourceType } from '@berth/contracts';
import type { Aggregates, Cause, Command, Follower, Runtime } from '@berth/runtime';
import { Cron } from 'croner';
import { launchers } from './blueprints/index.js';
import { isRestricted, permits } from './domain/allow.js';
import type { Images } from './images.js';
import type { Blueprint, BlueprintCommand, LiveBlueprint } from './domain/blueprint.js';

export type Blueprints = Aggregates<Blueprint, BlueprintCommand, BlueprintEvent>;

const builtIn = new Map<string, BlueprintSpec>(Object.entries(builtInBlueprints));
const asBuiltIn = new Map<string, LiveBlueprint>([...builtIn].map(([name, spec]) => [name, { status: 'there', spec, version: 0, failures: 0, hostFailures: 0, refused: [], apart: new Map(), noted: [] }]));

/** The blueprints there are: those that were saved, and the built-in ones that nobody has saved anew. */
export class Catalogue {
  constructor(
    private readonly runtime: Runtime,
    private readonly follower: () => Follower,
    private readonly blueprints: Blueprints,
    /** resources and leases of a blueprint that are there now */
    private readonly inUse: (name: string) => { resources: number; leases: number },
    private readonly images: Pick<Images, 'of'>,
  ) {}

  get(name: string): LiveBlueprint | undefined {
    const state = this.blueprints.get(name)?.state ?? asBuiltIn.get(name);
    return state?.status === 'there' ? state : undefined;
  }

  /** The spec, when the blueprint is of that kind. */
  spec<K extends BlueprintKind>(name: string, kind: K): BlueprintOf<K> | undefined {
    const spec = this.get(name)?.spec;
    return spec?.kind === kind ? (spec as BlueprintOf<K>) : undefined;
  }

  *all(): IterableIterator<LiveBlueprint> {
    for (const [name, state] of asBuiltIn) if (!this.blueprints.get(name)) yield state;
    for (const [, { state }] of this.blueprints.entries()) if (state.status === 'there') yield state;
  }

  /** In the order in which they are used. */
  ofType(type: ResourceType): LiveBlueprint[] {
    return [...this.all()].filter(({ spec }) => blueprintKinds[spec.kind].type === type).sort((a, b) => a.spec.rank - b.spec.rank || (a.spec.name < b.spec.name ? -1 : 1));
  }

  /** Is it for some only? */
  restricted({ spec }: LiveBlueprint): boolean {
    return isRestricted(spec.allow);
  }

  permits({ spec }: LiveBlueprint, request: Pick<LeaseRequest, 'owner' | 'project'>): boolean {
    return permits(spec.allow, request);
  }

  /** The restricted blueprints that a requester may use. */
  may(request: Pick<LeaseRequest, 'owner' | 'project'>): string[] {
    return [...this.all()].filter((blueprint) => this.restricted(blueprint) && this.permits(blueprint, request)).map(({ spec }) => spec.name).sort();
  }

  /** Those that may serve a request, in the order in which they are used. */
  open(request: LeaseRequest): LiveBlueprint[] {
    return this.ofType(request.type).filter((b) => b.disabled === undefined && this.permits(b, request) && (request.blueprints.length === 0 || request.blueprints.includes(b.spec.name)));
  }

  // --- commands ---

  async save(command: Command<{ spec: BlueprintSpec; check: boolean }>): Promise<Answer> {
    const { spec, check } = command.data;
    const wrong = misfit(spec);
    if (wrong) return rejected('invalid-data', `${spec.name} is not saved: ${wrong.field.replace(/^spec\./, '')} ${wrong.message}.`, [{ ...wrong, field: `data.${wrong.field}` }]);
    const launcher = launchers[spec.kind];
    if (check && launcher && JSON.stringify(this.get(spec.name)?.spec) !== JSON.stringify(spec)) {
      const image = this.images.of(spec)?.channel;
      const refusal = typeof image === 'string' ? rejected('provider-refused', `No host could be launched of it: ${image}.`, [{ field: 'data.spec.image', message: image }]) : await launcher.check(spec as never, image);
      if (refusal) return { ...refusal, message: `${spec.name} is not saved: ${refusal.message}` };
    }
    const answer = await this.handle(spec.name, { type: 'Save', spec, used: this.inUse(spec.name) }, causeOf(command));
    if (!answer.accepted) return answer;
    // The feed may not have shown it yet; the version is one more than that of the present one then.
    const known = this.blueprints.get(spec.name);
    const version = known && known.revision >= (answer.position ?? 0) ? versionOf(known.state) : versionOf(known?.state) + (answer.position ? 1 : 0);
    return { ...answer, data: { name: spec.name, version } };
  }

  enable(command: Command<{ name: string }>): Promise<Answer> {
    return this.handle(command.data.name, { type: 'Enable' }, causeOf(command));
  }

  disable(command: Command<{ name: string; reason: string }>): Promise<Answer> {
    return this.handle(command.data.name, { type: 'Disable', reason: command.data.reason }, causeOf(command));
  }

  remove(command: Command<{ name: string }>): Promise<Answer> {
    return this.handle(command.data.name, { type: 'Remove', resources: this.inUse(command.data.name).resources }, causeOf(command));
  }

  // --- what follows from launches ---

  /** Resolves when it is stored, and seen here. */
  async note(name: string, command: Extract<BlueprintCommand, { type: 'Launched' | 'LaunchFailed' | 'Refuse' }>): Promise<void> {
    await this.tell(name, command, derivedId(command.resource, `${command.type} ${command.type === 'Refuse' ? `${command.offer} ${command.until}` : ''}`));
  }

  /** What it launches is not any more what its breaker was opened for. Resolves when that is stored, and seen here. */
  async noteMoved({ spec: { name }, breaker }: LiveBlueprint): Promise<void> {
    await this.tell(name, { type: 'Moved' }, derivedId(name, `moved ${breaker?.until ?? ''}`));
  }

  private async tell(name: string, command: BlueprintCommand, id: string): Promise<void> {
    const answer = await this.handle(name, command, { id, actor: 'allocator', cause: id, at: new Date().toISOString() });
    // What was noted decides the next step, so that waits until it can be seen.
    if (answer.accepted && answer.position) await this.follower().reached(answer.position);
    // Removed meanwhile: there is nobody left who would want to know.
    if (!answer.accepted) this.runtime.log.info({ blueprint: name, problem: answer.message }, 'not noted');
  }

  private handle(name: string, command: BlueprintCommand, cause: Cause): Promise<Answer> {
    const spec = builtIn.get(name);
    return this.blueprints.handle(name, spec ? { ...command, builtIn: spec } : command, cause);
  }
}

const versionOf = (state: Blueprint | undefined): number => state?.version ?? 0;
const causeOf = (command: Command): Cause => ({ id: command.id, actor: command.actor, cause: command.id, at: new Date().toISOString(), base: command.base });

/** What a schema can't see; a rule that came after blueprints were stored can't stand there either. */
export function misfit(spec: BlueprintSpec): { field: string; message: string } | undefined {
  const taken = builtIn.get(spec.name);
  if (taken && taken.kind !== spec.kind) return { field: 'spec.kind', message: `must be ${taken.kind}: the name ${spec.name} is that of a built-in blueprint` };
  if (spec.kind === 'local' && spec.name !== 'local') return { field: 'spec.name', message: 'must be local: there is one host that Berth itself runs on' };
  if (spec.kind !== 'ec2') return undefined;
  const { minIdle, max = Number.POSITIVE_INFINITY, schedule } = spec.pool;
  const { resources = Number.POSITIVE_INFINITY } = spec.limits;
  if (minIdle > Math.min(max, resources)) return { field: 'spec.pool.minIdle', message: `is ${minIdle}, and there may be no more than ${Math.min(max, resources)} (${max <= resources ? 'pool.max' : 'limits.resources'}): lower the one or raise the other` };
  const [odd] = schedule.flatMap((entry, i) => (entry.minIdle !== undefined && entry.minIdle > Math.min(entry.max ?? max, resources) ? [i] : []));
  if (odd !== undefined) return { field: `spec.pool.schedule[${odd}].minIdle`, message: `is ${schedule[odd]!.minIdle}, and there may be no more than ${Math.min(schedule[odd]!.max ?? max, resources)} then: lower the one or raise the other` };
  for (const [i, { cron, timezone }] of spec.pool.schedule.entries()) {
    try {
      new Cron(cron, { paused: true, timezone: timezone ?? 'UTC', mode: '5-part' }).nextRun();
    } catch (error) {
      return { field: `spec.pool.schedule[${i}].cron`, message: `can't be used (${(error as Error).message}): write five fields such as "0 8 * * 1-5", and a timezone such as Europe/Berlin` };
    }
  }
  return undefined;
}

/** What a pool keeps now: the values of the schedule entry that was due last go before its own. */
export function poolNow(pool: BlueprintOf<'ec2'>['pool'], now: Date): { minIdle: number; max?: number } {
  // Runs before an instant are asked for, and seconds are the finest there is: what is due now counts.
  const upToNow = new Date(now.getTime() + 1000);
  let last: { at: number; minIdle?: number | undefined; max?: number | undefined } | undefined;
  for (const { cron, timezone, ...values } of pool.schedule) {
    const at = new Cron(cron, { paused: true, timezone: timezone ?? 'UTC', mode: '5-part' }).previousRuns(1, upToNow)[0]?.getTime();
    if (at !== undefined && (!last || at >= last.at)) last = { at, ...values };
  }
  const max = last?.max ?? pool.max;
  return { minIdle: last?.minIdle ?? pool.minIdle, ...(max !== undefined && { max }) };
}
