import { derivedId, imageTargets, rejected, type AnyRecorded, type Answer, type CommandData, type CommandType, type ImageEvent, type ImageTarget, type ImageTemplate, type Refusal } from '@berth/contracts';
import { aggregates, tellUntilStored, type Aggregates, type Command, type Follower, type Runtime } from '@berth/runtime';
import { Cron } from 'croner';
import { causeOf, own } from './cause.js';
import type { Catalogue } from './catalogue.js';
import { accountsFor, targetsFor, type Catalog, type Placed } from './domain/catalog.js';
import { imageDecider, type ImageCommand } from './domain/decide.js';
import { noImage, scheduleOf, type Image, type Parent, type Version } from './domain/image.js';
import type { Place } from './domain/pushing.js';
import { refuse, refuseAll, unknownVersion } from './domain/refusals.js';
import { manualOf } from './domain/removing.js';
import { revisionOf, type Said } from './domain/revision.js';
import type { Hosts } from './follow/hosts.js';
import { differs, isLack, Parents, type Lack, type Origin } from './parents.js';
import { ask } from './providers/ask.js';
import type { Providers } from './providers/provider.js';
import type { Targets } from './targets/target.js';
import { readTemplate } from './template/read.js';

type Data<T extends CommandType<'image-factory'>> = Command<CommandData<'image-factory', T>>;
/** Images: what there is, and what people ask for. */
export class Images {
  readonly images: Aggregates<Image, ImageCommand, ImageEvent>;
  /** images by version */
  private readonly owners = new Map<string, string>();
  /** versions by the version that they are made of */
  private readonly made = new Map<string, string[]>();
  /** when versions were asked for, ms since the epoch */
  private readonly times = new Map<string, number>();
  /** when images came to have the schedule that they have, ms since the epoch */
  private readonly schedules = new Map<string, number>();
  /** templates by image and revision: versions of a former one go on with it */
  private readonly templates = new Map<string, ImageTemplate>();
  /** images by the image that they are made of */
  private readonly children = new Map<string, Set<string>>();
  private readonly parents: Parents;

  constructor(
    private readonly runtime: Runtime,
    private readonly follower: () => Follower,
    private readonly hosts: Hosts,
    private readonly targets: Targets,
    private readonly providers: Providers,
    private readonly catalogue: Catalogue,
  ) {
    this.images = aggregates('image', imageDecider, runtime.store, () => follower().feed);
    this.parents = new Parents(this, catalogue, targets);
  }

  // --- what there is ---

  private get catalog(): Catalog {
    return this.catalogue.catalog;
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

  /** When an image came to have the schedule that it has, ms since the epoch: no time before that was ever missed. */
  scheduledSince(image: string): number {
    return this.schedules.get(image) ?? Number.POSITIVE_INFINITY;
  }

  /** A revision of the template of an image. */
  templateOf(image: string, revision: number): ImageTemplate | undefined {
    return this.templates.get(`${image} ${revision}`);
  }

  /** Images that are made of an image. */
  childrenOf(image: string): Iterable<string> {
    return this.children.get(image) ?? [];
  }

  /** Versions that are made of a version, of whatever image: what an image is made of can change. */
  madeOf(version: string): Iterable<string> {
    return this.made.get(version) ?? [];
  }

  /** What of an image is built. */
  buildable({ saved }: Image): ImageTarget[] {
    return saved ? targetsFor(this.catalog, targetsOf(saved.template), saved.environment) : [];
  }

  /** The version that an image is made of now; a refusal when there is none that may be used, or that its targets (all, unless some are named) can begin from. */
  parentOf(image: Image, wanted?: readonly ImageTarget[]): Parent | Refusal | undefined {
    return this.parents.now(image, wanted ?? this.buildable(image));
  }

  /** What a target of a version begins from. */
  originOf(image: string, version: Version, target: ImageTarget): Origin | Lack {
    return this.parents.of(image, version, target);
  }

  /** A version that is being built of a version: `web@3`. */
  heirOf(version: string): string | undefined {
    return this.parents.heirOf(version);
  }

  // --- feed ---

  apply(recorded: AnyRecorded): void {
    if (recorded.kind !== 'image') return;
    const was = this.image(recorded.id);
    const before = was.saved?.template.parent?.image;
    this.images.apply(recorded);
    for (const event of recorded.commit.events) {
      if (event.type === 'ImageSaved') this.templates.set(`${recorded.id} ${event.data.revision}`, event.data.template);
      if (event.type !== 'VersionRequested' && event.type !== 'VersionImported') continue;
      this.owners.set(event.data.version, recorded.id);
      if (event.type === 'VersionRequested' && event.data.parent) this.made.set(event.data.parent.version, [...this.madeOf(event.data.parent.version), event.data.version]);
      this.times.set(event.data.version, Date.parse(recorded.commit.at));
    }
    const now = this.image(recorded.id);
    if (scheduleOf(now) !== scheduleOf(was)) this.schedules.set(recorded.id, Date.parse(recorded.commit.at));
    const parent = now.status === 'live' ? now.saved?.template.parent?.image : undefined;
    if (before !== undefined) this.children.get(before)?.delete(recorded.id);
    if (parent !== undefined) this.children.set(parent, (this.children.get(parent) ?? new Set()).add(recorded.id));
  }

  // --- commands on images ---

  async save(command: Data<'SaveImage'>): Promise<Answer> {
    await this.reached(command);
    const read = this.read(command.data.source);
    if ('accepted' in read) return read;
    const said: Said = { ...command.data, ...read };
    const { name } = read.template;
    const { template, environment, rebuild } = revisionOf(said, this.image(name));
    const faults = this.besides(template, targetsOf(read.template)) ?? this.misfits(template, environment, rebuild?.schedule);
    if (faults) return faults;
    const answer = await this.handle(name, { type: 'Save', said }, command);
    return answer.accepted ? { ...answer, data: { name, revision: this.image(name).saved?.revision ?? 1 } } : answer;
  }

  validate(command: Data<'ValidateTemplate'>): Answer {
    const read = this.read(command.data.source);
    return 'accepted' in read ? read : { accepted: true, id: read.template.name, data: { template: read.template } };
  }

  private read(source: string): { template: ImageTemplate; format: 'yaml' | 'tdl' } | Refusal {
    const read = readTemplate(source, (template) => this.faultsOf(template, targetsOf(template)));
    return 'errors' in read ? unusable(read.errors) : read;
  }

  private faultsOf(template: ImageTemplate, all: readonly ImageTarget[]): { field: string; message: string }[] {
    return all.flatMap((target) => this.targets[target].faults(template));
  }

  /** What is wrong with targets that its source says nothing of. */
  private besides(template: ImageTemplate, own: readonly ImageTarget[]): Refusal | undefined {
    const errors = this.faultsOf(template, targetsOf(template).filter((target) => !own.includes(target)));
    return errors.length > 0 ? unusable(errors.map(({ field, message }) => ({ field, message: `${field}: ${message}` }))) : undefined;
  }

  private misfits(template: ImageTemplate, environment: string | undefined, schedule: string | undefined): Refusal | undefined {
    if (environment !== undefined && !this.catalog.environment.has(environment)) return refuse('unknown-catalog-entry', `There is no environment ${environment}.`, 'environment', 'is not the name of an environment: see `berth image list --environments`');
    const account = template.targets.ec2?.account;
    const at = account === undefined ? undefined : this.catalogue.placed(account);
    if (account !== undefined && at?.provider.kind !== 'ec2') return refuse('unknown-account', `${account} is no account on EC2.`, 'source', `targets.ec2.account: ${at ? 'is an account of another kind of provider' : 'is not the name of an account: save it first'}`);
    if (schedule !== undefined) {
      const fault = scheduleFault(schedule);
      if (fault) return refuse('invalid-data', `The schedule can't be read: ${fault}.`, 'rebuild.schedule', 'write five fields such as "0 3 * * 1"');
    }
    const { parent, name } = template;
    if (!parent) return undefined;
    if (this.image(parent.image).status !== 'live') return refuse('unknown-image', `There is no image ${parent.image}, which ${name} is to be made of.`, 'source', `parent.image: is not the name of an image: save ${parent.image} first`);
    const of = this.image(parent.image).saved?.template.os;
    const other = of && differs(name, template.os, parent.image, of);
    if (other) return refuse('invalid-template', `The template can't be used: ${other.is}.`, 'source', `os: ${other.fix}`);
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
    const parent = this.parentOf(image, targets);
    if (parent && 'accepted' in parent && !image.versions.has(command.id)) return parent;
    return this.of(command.id, this.handle(name, {
      type: 'Build', image: name, version: command.id, available: this.buildable(image), labels, cause: 'asked',
      ...(targets && { targets }), ...(reason !== undefined && { reason }), ...(parent && !('accepted' in parent) && { parent }),
    }, command));
  }

  rebuild(command: Data<'RebuildTarget'>): Promise<Answer> {
    const { version: id, target } = command.data;
    return this.onVersion(command, (image, name) => {
      const version = image.versions.get(id);
      const origin = version?.targets.get(target)?.status === 'FAILED' ? this.originOf(name, version, target) : {};
      if (version && isLack(origin)) return refuse('unbuildable-target', `Version ${version.number} of ${name} can't be built as ${target} once more: ${origin.is}.`, 'version', origin.fix);
      return { type: 'Rebuild', version: id, target };
    });
  }

  /** An answer is about the version. */
  private async of(version: string, answer: Promise<Answer>): Promise<Answer> {
    const told = await answer;
    return told.accepted ? { ...told, id: version } : told;
  }

  async import(command: Data<'ImportImage'>): Promise<Answer> {
    await this.reached(command);
    const { image, account: name, id, labels, os } = command.data;
    const at = this.catalogue.placed(name);
    if (!at) return unknownAccount(name, 'account');
    if (!this.image(image).versions.has(command.id)) {
      const there = await ask(this.runtime.log, (signal) => this.providers[at.provider.kind].find(at.account, at.provider, id, signal));
      if (there && 'accepted' in there) return there;
      if (!there) return refuse('provider-refused', `Account ${name} has no image ${id}.`, 'id', 'is not there: look up what the provider calls it');
    }
    return this.of(command.id, this.handle(image, { type: 'Import', version: command.id, place: placeOf(at), id, labels, ...(os && { os }) }, command));
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
    return this.withManual(command, (_image, _name, hosts) => ({ type: 'DeleteVersion', version: command.data.version, cascade: command.data.cascade, hosts, ...this.neededBy(command.data.version) }));
  }

  deleteTarget(command: Data<'DeleteTargetImage'>): Promise<Answer> {
    return this.withManual(command, (_image, _name, hosts) => ({ type: 'DeleteTarget', ...command.data, hosts, ...this.neededBy(command.data.version) }));
  }

  deletePush(command: Data<'DeleteProviderImage'>): Promise<Answer> {
    return this.withManual(command, (_image, _name, hosts) => ({ type: 'DeletePush', ...command.data, hosts }));
  }

  private neededBy(version: string): { heir?: string } {
    const heir = this.heirOf(version);
    return heir === undefined ? {} : { heir };
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
    const version = this.image(image).channels.get(channel)?.version;
    return version && this.hosts.follow(version) ? 'a live host, which was booted from it' : undefined;
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

  // --- common ---

  /** Stores what follows from events or from the time. */
  tell(image: string, told: ImageCommand, role: string): void {
    tellUntilStored(this.runtime, this.images, image, told, own(derivedId(image, role)));
  }

  /** Stores a step of work, and resolves once the feed has shown it: the next step is decided on that. */
  async store(image: string, told: ImageCommand): Promise<void> {
    const answer = await this.images.handle(image, told, own(derivedId(image, `${JSON.stringify(told)} ${this.images.get(image)?.revision ?? 0}`)));
    if (answer.accepted && answer.position) await this.follower().reached(answer.position);
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
const unusable = (errors: { field: string; message: string }[]): Refusal => rejected('invalid-template', `The template can't be used: ${errors[0]!.message}${errors.length > 1 ? `, and ${errors.length - 1} more` : ''}.`, errors);
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

