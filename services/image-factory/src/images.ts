import { CATALOG, derivedId, imageTargets, imageTemplate, rejected, type AnyRecorded, type Answer, type CatalogEntryKind, type CatalogEvent, type CommandData, type CommandType, type ImageEvent, type ImageTarget, type ImageTemplate, type Refusal } from '@berth/contracts';
import { aggregates, tellUntilStored, type Aggregates, type Command, type Follower, type Runtime } from '@berth/runtime';
import { Cron } from 'croner';
import { causeOf, own } from './cause.js';
import { accountsFor, catalogDecider, noCatalog, placed, targetsFor, type Catalog, type CatalogCommand, type Placed } from './domain/catalog.js';
import { imageDecider, type ImageCommand } from './domain/decide.js';
import { isUsable, noImage, type Image } from './domain/image.js';
import type { Place } from './domain/pushing.js';
import { refuse, refuseAll, unknownVersion } from './domain/refusals.js';
import { manualOf } from './domain/removing.js';
import type { Hosts } from './follow/hosts.js';
import type { Providers } from './providers/provider.js';
import type { Targets } from './targets/target.js';
import { readTemplate } from './template/read.js';

type Data<T extends CommandType<'image-factory'>> = Command<CommandData<'image-factory', T>>;
/** A provider is asked for so long before a person is told that it does not answer. */
const ASK_MS = 20_000;

/** Images and the catalogue: what there is, and what people ask for. */
export class Images {
  readonly images: Aggregates<Image, ImageCommand, ImageEvent>;
  private readonly entries: Aggregates<Catalog, CatalogCommand, CatalogEvent>;
  /** images by version */
  private readonly owners = new Map<string, string>();
  /** when versions were asked for, ms since the epoch */
  private readonly times = new Map<string, number>();
  /** templates by image and revision: versions of a former one go on with it */
  private readonly templates = new Map<string, ImageTemplate>();
  /** images by the image that they are made of */
  private readonly children = new Map<string, Set<string>>();

  constructor(
    private readonly runtime: Runtime,
    private readonly follower: () => Follower,
    private readonly hosts: Hosts,
    private readonly targets: Targets,
    private readonly providers: Providers,
  ) {
    this.images = aggregates('image', imageDecider, runtime.store, () => follower().feed);
    this.entries = aggregates('catalog', catalogDecider, runtime.store, () => follower().feed);
  }

  // --- what there is ---

  get catalog(): Catalog {
    return this.entries.get(CATALOG)?.state ?? noCatalog;
  }

  image(name: string): Image {
    return this.images.get(name)?.state ?? noImage;
  }

  ownerOf(version: string): string | undefined {
    return this.owners.get(version);
  }

  /** When a version was asked for, ms since the epoch. */
  askedAt(version: string): number {
    return this.times.get(version) ?? 0;
  }

  /** A revision of the template of an image. */
  templateOf(image: string, revision: number): ImageTemplate | undefined {
    return this.templates.get(`${image} ${revision}`);
  }

  /** Images that are made of an image. */
  childrenOf(image: string): Iterable<string> {
    return this.children.get(image) ?? [];
  }

  placed(account: string): Placed | undefined {
    return placed(this.catalog, account);
  }

  /** What of an image is built. */
  buildable({ saved }: Image): ImageTarget[] {
    return saved ? targetsFor(this.catalog, targetsOf(saved.template), saved.environment) : [];
  }

  /** The version that an image is made of now; a refusal when there is none that may be used. */
  parentOf({ saved }: Image): { image: string; version: string } | Refusal | undefined {
    const parent = saved?.template.parent;
    if (!parent) return undefined;
    const image = this.image(parent.image);
    const id = image.channels.get(parent.channel)?.version;
    if (id === undefined) return refuse('unknown-channel', `${parent.image}:${parent.channel}, which the image is made of, is not there.`, 'image', `is made of ${parent.image}:${parent.channel}: make that first`);
    if (id === null || !isUsable(image.versions.get(id))) return refuse('version-not-complete', `${parent.image}:${parent.channel}, which the image is made of, points at no version.`, 'image', `is made of ${parent.image}:${parent.channel}: build that first`);
    return { image: parent.image, version: id };
  }

  // --- feed ---

  apply(recorded: AnyRecorded): void {
    if (recorded.kind === 'catalog') this.entries.apply(recorded);
    if (recorded.kind !== 'image') return;
    const before = this.image(recorded.id).saved?.template.parent?.image;
    this.images.apply(recorded);
    for (const event of recorded.commit.events) {
      if (event.type === 'ImageSaved') this.templates.set(`${recorded.id} ${event.data.revision}`, event.data.template);
      if (event.type !== 'VersionRequested' && event.type !== 'VersionImported') continue;
      this.owners.set(event.data.version, recorded.id);
      this.times.set(event.data.version, Date.parse(recorded.commit.at));
    }
    const now = this.image(recorded.id);
    const parent = now.status === 'live' ? now.saved?.template.parent?.image : undefined;
    if (before !== undefined) this.children.get(before)?.delete(recorded.id);
    if (parent !== undefined) this.children.set(parent, (this.children.get(parent) ?? new Set()).add(recorded.id));
  }

  // --- commands on images ---

  async save(command: Data<'SaveImage'>): Promise<Answer> {
    await this.reached(command);
    const { source, targets, environment, retention, rebuild } = command.data;
    const read = this.read(source, targets);
    if ('accepted' in read) return read;
    const { template, format } = read;
    const faults = this.misfits(template, environment, rebuild?.schedule);
    if (faults) return faults;
    const spec = { source, format, template, ...(environment !== undefined && { environment }), ...(retention && { retention }), ...(rebuild && { rebuild }) };
    const answer = await this.handle(template.name, { type: 'Save', spec }, command);
    return answer.accepted ? { ...answer, data: { name: template.name, revision: this.image(template.name).saved?.revision ?? 1 } } : answer;
  }

  validate(command: Data<'ValidateTemplate'>): Answer {
    const read = this.read(command.data.source, undefined);
    return 'accepted' in read ? read : { accepted: true, id: read.template.name, data: { template: read.template } };
  }

  private read(source: string, targets: ImageTemplate['targets'] | undefined): { template: ImageTemplate; format: 'yaml' | 'tdl' } | Refusal {
    const faultsOf = (template: ImageTemplate, all: readonly ImageTarget[]) => all.flatMap((target) => this.targets[target].faults(template));
    const read = readTemplate(source, (template) => faultsOf(template, targetsOf(template)));
    const refused = (errors: { field: string; message: string }[]) => rejected('invalid-template', `The template can't be used: ${errors[0]!.message}${errors.length > 1 ? `, and ${errors.length - 1} more` : ''}.`, errors);
    if ('errors' in read) return refused(read.errors);
    const template = targets ? imageTemplate.parse({ ...read.template, targets: { ...targets, ...read.template.targets } }) : read.template;
    const own = targetsOf(read.template);
    const errors = faultsOf(template, targetsOf(template).filter((target) => !own.includes(target))).map(({ field, message }) => ({ field, message: `${field}: ${message}` }));
    return errors.length > 0 ? refused(errors) : { template, format: read.format };
  }

  private misfits(template: ImageTemplate, environment: string | undefined, schedule: string | undefined): Refusal | undefined {
    if (environment !== undefined && !this.catalog.environment.has(environment)) return refuse('unknown-catalog-entry', `There is no environment ${environment}.`, 'environment', 'is not the name of an environment: see `berth image list --environments`');
    const account = template.targets.ec2?.account;
    const at = account === undefined ? undefined : this.placed(account);
    if (account !== undefined && at?.provider.kind !== 'ec2') return refuse('unknown-account', `${account} is no account on EC2.`, 'source', `targets.ec2.account: ${at ? 'is an account of another kind of provider' : 'is not the name of an account: save it first'}`);
    if (schedule !== undefined) {
      const fault = scheduleFault(schedule);
      if (fault) return refuse('invalid-data', `The schedule can't be read: ${fault}.`, 'rebuild.schedule', 'write five fields such as "0 3 * * 1"');
    }
    const { parent, name } = template;
    if (!parent) return undefined;
    if (this.image(parent.image).status !== 'live') return refuse('unknown-image', `There is no image ${parent.image}, which ${name} is to be made of.`, 'source', `parent.image: is not the name of an image: save ${parent.image} first`);
    for (let at: string | undefined = parent.image; at !== undefined; at = this.image(at).saved?.template.parent?.image) {
      if (at === name) return refuse('invalid-data', `Image ${name} would be made of itself.`, 'source', `parent.image: leads back to ${name}: name another one`);
    }
    return undefined;
  }

  async remove(command: Data<'RemoveImage'>): Promise<Answer> {
    await this.reached(command);
    const { image: name, cascade } = command.data;
    const image = this.image(name);
    const named = [...[...this.catalog.deployable.values()].filter(({ image: of }) => of === name).map((one) => `deployable ${one.name}`), ...[...this.childrenOf(name)].map((child) => `image ${child}, which is made of it`)];
    const hosts = new Set([...image.versions.values()].filter(({ number }) => this.hosts.has(name, number)).map(({ id }) => id));
    const manual = [...image.versions.values()].flatMap((version) => manualOf(version));
    const answer = await this.handle(name, { type: 'Remove', image: name, cascade, named, hosts }, command);
    return answer.accepted ? { ...answer, data: { manual } } : answer;
  }

  async build(command: Data<'BuildImage'>): Promise<Answer> {
    await this.reached(command);
    const { image: name, targets, labels, reason } = command.data;
    const image = this.image(name);
    const parent = this.parentOf(image);
    if (parent && 'accepted' in parent && !image.versions.has(command.id)) return parent;
    return this.of(command.id, this.handle(name, {
      type: 'Build', image: name, version: command.id, available: this.buildable(image), labels, cause: 'asked',
      ...(targets && { targets }), ...(reason !== undefined && { reason }), ...(parent && !('accepted' in parent) && { parent }),
    }, command));
  }

  /** An answer is about the version. */
  private async of(version: string, answer: Promise<Answer>): Promise<Answer> {
    const told = await answer;
    return told.accepted ? { ...told, id: version } : told;
  }

  async import(command: Data<'ImportImage'>): Promise<Answer> {
    await this.reached(command);
    const { image, account: name, id, labels, os } = command.data;
    const at = this.placed(name);
    if (!at) return unknownAccount(name, 'account');
    if (!this.image(image).versions.has(command.id)) {
      const there = await this.ask(() => this.providers[at.provider.kind].find(at.account, at.provider, id, AbortSignal.timeout(ASK_MS)));
      if (there && 'accepted' in there) return there;
      if (!there) return refuse('provider-refused', `Account ${name} has no image ${id}.`, 'id', 'is not there: look up what the provider calls it');
    }
    return this.of(command.id, this.handle(image, { type: 'Import', version: command.id, place: placeOf(at), id, labels, ...(os && { os }) }, command));
  }

  /** What a provider answers; a refusal when it does not. */
  private async ask<T>(question: () => Promise<T>): Promise<T | Refusal> {
    try {
      return await question();
    } catch (error) {
      this.runtime.log.warn({ error }, 'a provider could not be asked');
      return refuse('provider-refused', `The provider could not be asked: ${error instanceof Error ? error.message : String(error)}`, 'account', 'could not be asked: try again, or look at its credentials');
    }
  }

  async push(command: Data<'PushImage'>): Promise<Answer> {
    const { accounts } = command.data;
    return this.onVersion(command, (image) => {
      const all = accountsFor(this.catalog, image.saved?.environment);
      const unknown = accounts.filter((name) => !all.some(({ account }) => account.name === name));
      if (unknown.length > 0) {
        const has = all.length === 0 ? 'there is none' : `use one of ${all.map(({ account }) => account.name).join(', ')}`;
        return refuseAll('unknown-account', `There is no account ${unknown.join(', ')} that the image is pushed to.`, unknown.map((name) => ({ field: 'data.accounts', message: `has ${name}, which is no account${image.saved?.environment === undefined ? '' : ` of environment ${image.saved.environment}`}: ${has}` })));
      }
      return { type: 'Push', version: command.data.version, places: all.filter(({ account }) => accounts.includes(account.name)).map(placeOf) };
    });
  }

  pushAll(command: Data<'PushAll'>): Promise<Answer> {
    return this.onVersion(command, (image) => ({ type: 'PushAll', version: command.data.version, places: accountsFor(this.catalog, image.saved?.environment).map(placeOf) }));
  }

  /** A command that names a version: told to its image. */
  async onVersion(command: Command<{ version: string }>, told: (image: Image, name: string, hosts: boolean) => ImageCommand | Refusal): Promise<Answer> {
    await this.reached(command);
    const { version } = command.data;
    const name = this.owners.get(version);
    if (name === undefined) return unknownVersion(version);
    const image = this.image(name);
    const number = image.versions.get(version)?.number ?? 0;
    const decided = told(image, name, this.hosts.has(name, number));
    return 'accepted' in decided ? decided : this.of(version, this.handle(name, decided, command));
  }

  deleteVersion(command: Data<'DeleteVersion'>): Promise<Answer> {
    return this.withManual(command, (_image, _name, hosts) => ({ type: 'DeleteVersion', version: command.data.version, cascade: command.data.cascade, hosts }));
  }

  deleteTarget(command: Data<'DeleteTargetImage'>): Promise<Answer> {
    return this.withManual(command, (_image, _name, hosts) => ({ type: 'DeleteTarget', ...command.data, hosts }));
  }

  deletePush(command: Data<'DeleteProviderImage'>): Promise<Answer> {
    return this.withManual(command, (_image, _name, hosts) => ({ type: 'DeletePush', ...command.data, hosts }));
  }

  private async withManual(command: Command<{ version: string }>, told: (image: Image, name: string, hosts: boolean) => ImageCommand): Promise<Answer> {
    await this.reached(command);
    const version = this.image(this.owners.get(command.data.version) ?? '').versions.get(command.data.version);
    const manual = version ? manualOf(version) : [];
    const answer = await this.onVersion(command, told);
    return answer.accepted ? { ...answer, data: { manual } } : answer;
  }

  // --- channels ---

  async saveChannel(command: Data<'SaveChannel'>): Promise<Answer> {
    await this.reached(command);
    const { image, channel, managed, test } = command.data;
    return this.handle(image, { type: 'SaveChannel', image, channel, managed, ...(test !== undefined && { test }) }, command);
  }

  async removeChannel(command: Data<'RemoveChannel'>): Promise<Answer> {
    await this.reached(command);
    const { image, channel } = command.data;
    const inUse = this.channelUser(image, channel);
    return this.handle(image, { type: 'RemoveChannel', image, channel, ...(inUse !== undefined && { inUse }) }, command);
  }

  private channelUser(image: string, channel: string): string | undefined {
    const deployable = [...this.catalog.deployable.values()].find((one) => one.image === image && one.channel === channel);
    if (deployable) return `deployable ${deployable.name}`;
    const child = [...this.childrenOf(image)].find((name) => this.image(name).saved?.template.parent?.channel === channel);
    if (child !== undefined) return `image ${child}, which is made of it`;
    const { channels, versions } = this.image(image);
    const number = versions.get(channels.get(channel)?.version ?? '')?.number;
    return number !== undefined && this.hosts.has(image, number) ? 'a live host, which was booted from it' : undefined;
  }

  async assign(command: Data<'AssignChannel'>): Promise<Answer> {
    await this.reached(command);
    const { image, channel, version, reason, retest } = command.data;
    return this.handle(image, { type: 'Assign', image, channel, version, retest, ...(reason !== undefined && { reason }) }, command);
  }

  async rollBack(command: Data<'RollbackChannel'>): Promise<Answer> {
    await this.reached(command);
    const { image, channel, from, to, reason } = command.data;
    return this.handle(image, { type: 'RollBack', image, channel, reason, ...(from !== undefined && { from }), ...(to !== undefined && { to }) }, command);
  }

  // --- the catalogue ---

  async saveEntry<K extends CatalogEntryKind>(kind: K, command: Command<Extract<CatalogCommand, { type: 'Save'; kind: K }>['entry']>): Promise<Answer> {
    await this.reached(command);
    const entry = command.data;
    const told = { type: 'Save', kind, entry, ...(kind === 'deployable' && { imageThere: this.image((entry as { image: string }).image).status === 'live' }) } as CatalogCommand;
    // What can't be saved anyway is not asked of a provider.
    const decided = catalogDecider.decide(told, this.catalog);
    if ('accepted' in decided) return decided;
    if (kind === 'account' && decided.length > 0) {
      const moved = this.movedAccount(entry as Placed['account']);
      if (moved) return moved;
      const refusal = await this.checkAccount(entry as Placed['account']);
      if (refusal) return refusal;
    }
    const answer = await this.entries.handle(CATALOG, told, causeOf(command));
    return answer.accepted ? { ...answer, id: entry.name } : answer;
  }

  /** What was pushed to an account is found there again. */
  private movedAccount({ name, provider, region }: Placed['account']): Refusal | undefined {
    const before = this.catalog.account.get(name);
    if (!before || (before.provider === provider && before.region === region)) return undefined;
    const user = this.userOf('account', name);
    return user === undefined ? undefined : refuse('catalog-in-use', `Account ${name} is used by ${user}.`, before.provider === provider ? 'region' : 'provider', 'stays what it is while something is pushed there: save another account');
  }

  private async checkAccount(account: Placed['account']): Promise<Refusal | undefined> {
    const provider = this.catalog.provider.get(account.provider)!;
    const fault = await this.ask(() => this.providers[provider.kind].check(account, provider, AbortSignal.timeout(ASK_MS)));
    if (fault === undefined) return undefined;
    return typeof fault === 'string' ? refuse('provider-refused', `Account ${account.name} can't be used: ${fault}`, 'credentials', fault) : fault;
  }

  async removeEntry(command: Data<'RemoveCatalogEntry'>): Promise<Answer> {
    await this.reached(command);
    const { kind, name } = command.data;
    const inUse = this.userOf(kind, name);
    const answer = await this.entries.handle(CATALOG, { type: 'Remove', kind, name, ...(inUse !== undefined && { inUse }) }, causeOf(command));
    return answer.accepted ? { ...answer, id: name } : answer;
  }

  /** An image that names an entry. */
  private userOf(kind: CatalogEntryKind, name: string): string | undefined {
    if (kind !== 'environment' && kind !== 'account') return undefined;
    for (const [image, { state }] of this.images.entries()) {
      if (state.status === 'live' && kind === 'environment' && state.saved?.environment === name) return `image ${image}`;
      if (kind !== 'account') continue;
      if (state.status === 'live' && state.saved?.template.targets.ec2?.account === name) return `image ${image}`;
      for (const { pushes, number } of state.versions.values()) {
        const push = pushes.get(name);
        if (push && push.status !== 'DELETED' && push.status !== 'FAILED') return `image ${image}, version ${number}`;
      }
    }
    return undefined;
  }

  // --- common ---

  /** Stores what follows from events or from the time. */
  tell(image: string, told: ImageCommand, role: string): void {
    tellUntilStored(this.runtime, this.images, image, told, own(derivedId(image, role)));
  }

  private handle(image: string, told: ImageCommand, command: Command): Promise<Answer> {
    return this.images.handle(image, told, causeOf(command)).then(async (answer) => {
      if (answer.accepted && answer.position) await this.follower().reached(answer.position);
      return answer;
    });
  }

  private async reached({ after }: Command): Promise<void> {
    await this.follower().reached(after);
  }
}

const placeOf = ({ account, provider }: Placed): Place => ({ account: account.name, provider: provider.name, target: provider.target });
const targetsOf = ({ targets }: ImageTemplate): ImageTarget[] => imageTargets.filter((target) => targets[target] !== undefined);
const unknownAccount = (name: string, field: string): Refusal => refuse('unknown-account', `There is no account ${name}.`, field, 'is not the name of an account: see `berth image list --accounts`');

/** Why a schedule can't be read; undefined: it can. */
function scheduleFault(schedule: string): string | undefined {
  try {
    new Cron(schedule, { paused: true, timezone: 'UTC', mode: '5-part' }).nextRun();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

