import { bootedFrom, type ImageTarget, type ImageTemplate, type Refusal } from '@berth/contracts';
import type { Catalogue } from './catalogue.js';
import { isLive, isUsable, type Image, type Parent, type Target, type Version } from './domain/image.js';
import { refuse } from './domain/refusals.js';
import { systemOf, type System } from './targets/plan.js';
import { ROOT_VARIABLES, type Targets } from './targets/target.js';

/** What a build is told of what its target begins from: variables, and what its host must be. */
export interface Origin {
  variables?: Record<string, string>;
  host?: Record<string, string>;
}
/** Why a target can't begin, and what to do. */
export interface Lack {
  is: string;
  fix: string;
}
export const isLack = (of: Origin | Lack): of is Lack => 'is' in of;

/** What must be known of images. */
interface ImagesThere {
  image(name: string): Image;
  templateOf(image: string, revision: number): ImageTemplate | undefined;
  readonly images: { entries(): IterableIterator<[string, { state: Image }]> };
}

/** Targets whose file holds a root filesystem, the smaller file first. */
const HOLD_ROOT = ['oci', 'raw'] as const satisfies readonly ImageTarget[];

/** What images are made of: whether they can be, and what their targets begin from. */
export class Parents {
  constructor(
    private readonly images: ImagesThere,
    private readonly catalogue: Pick<Catalogue, 'placed'>,
    private readonly targets: Targets,
  ) {}

  /** The version that an image is made of now, for some of its targets; a refusal when there is none that may be used, or they can't begin from it. */
  now({ saved }: Image, wanted: readonly ImageTarget[]): Parent | Refusal | undefined {
    if (!saved?.template.parent) return undefined;
    const { parent: { image, channel }, name, os, targets } = saved.template;
    const state = this.images.image(image);
    const id = state.channels.get(channel)?.version;
    if (id === undefined) return refuse('unknown-channel', `${image}:${channel}, which the image is made of, is not there.`, 'image', `is made of ${image}:${channel}: make that first`);
    const version = id === null ? undefined : state.versions.get(id);
    if (!isUsable(version)) return refuse('version-not-complete', `${image}:${channel}, which the image is made of, points at no version.`, 'image', `is made of ${image}:${channel}: build that first`);
    const root = wanted.some((target) => this.targets[target].begins === 'root') ? rootOf(version) : undefined;
    const parent: Parent = { image, version: version.id, ...(root && { root }) };
    const lacks = [this.otherSystem(name, os, image, version), ...wanted.map((target) => this.origin(parent, target, name, targets.ec2?.account))];
    for (const lack of lacks) if (lack && isLack(lack)) return refuse('unbuildable-target', `Image ${name} can't be built: ${lack.is}.`, 'image', lack.fix);
    return parent;
  }

  /** What a target of a version begins from: what was so when that was asked for. */
  of(image: string, { parent, revision }: Version, target: ImageTarget): Origin | Lack {
    return parent ? this.origin(parent, target, image, this.images.templateOf(image, revision)?.targets.ec2?.account) : {};
  }

  private origin(parent: Parent, target: ImageTarget, child: string, account: string | undefined): Origin | Lack {
    const { begins } = this.targets[target];
    if (begins === 'nothing') return {};
    const version = this.images.image(parent.image).versions.get(parent.version);
    const again = { fix: `build a new version of ${child} (berth image build ${child})` };
    if (!version || version.deletion !== undefined) return { is: `version ${version?.number ?? parent.version} of ${parent.image}, which it is made of, was removed`, ...again };
    const said = `version ${version.number} of ${parent.image}, which it is made of,`;
    if (begins === 'host') {
      if (account !== undefined && !this.isAt(version, account)) return { is: `${said} is not where account ${account} is`, fix: `push it there (berth image push ${parent.image}@${version.number} --account ${account})` };
      return { host: { [bootedFrom.image]: parent.image, [bootedFrom.version]: String(version.number) } };
    }
    const root = parent.root ?? rootOf(version);
    if (!root) return { is: `${said} has no file that holds its root filesystem`, fix: `build ${parent.image} as ${HOLD_ROOT.join(' or ')} too` };
    const { build, made } = fileOf(version, root) ?? {};
    if (build === undefined || !made?.object) return { is: `target ${root} of ${said} was removed`, ...again };
    return { variables: { [ROOT_VARIABLES.build]: build, [ROOT_VARIABLES.file]: made.object.name } };
  }

  /** Nothing is known of the system of what was imported without a word of it. */
  private otherSystem(child: string, os: System, parent: string, version: Version): Lack | undefined {
    const of = this.images.templateOf(parent, version.revision)?.os ?? version.os;
    return of && differs(child, os, `version ${version.number} of ${parent}`, { name: '', version: '', arch: os.arch, ...of });
  }

  /** Has its provider it where hosts of an account run? Of an account that is not there any more this says nothing. */
  private isAt(version: Version, account: string): boolean {
    const here = this.catalogue.placed(account);
    if (!here) return true;
    const accounts = [...[...version.pushes].flatMap(([name, { status }]) => (status === 'COMPLETE' ? [name] : [])), ...[...version.targets.values()].flatMap(({ status, made }) => (status === 'COMPLETE' && made?.provided ? [made.provided.account] : []))];
    return accounts.some((name) => {
      const there = this.catalogue.placed(name);
      return there?.provider.kind === 'ec2' && here.provider.kind === 'ec2' && there.account.region === here.account.region && there.provider.endpoint === here.provider.endpoint;
    });
  }

  /** A version that is being built of a version, which has to stay until then: `web@3`. */
  heirOf(parent: string): string | undefined {
    for (const [name, { state }] of this.images.images.entries()) {
      for (const { parent: of, number, targets } of state.versions.values()) if (of?.version === parent && [...targets.values()].some(({ status }) => isLive(status))) return `${name}@${number}`;
    }
    return undefined;
  }
}

/** Why an image can't be made of another one: it is another system. */
export function differs(child: string, os: System, parent: string, of: System): Lack | undefined {
  if (systemOf(os) === systemOf(of)) return undefined;
  return { is: `${child} is ${systemOf(os)}, and ${parent} is ${systemOf(of)}`, fix: `must be the same system as what it is made of, ${systemOf(of)}` };
}

const fileOf = ({ targets }: Version, target: ImageTarget): Target | undefined => {
  const built = targets.get(target);
  return built?.status === 'COMPLETE' && built.made?.object && built.build !== undefined ? built : undefined;
};
const rootOf = (version: Version): ImageTarget | undefined => HOLD_ROOT.find((target) => fileOf(version, target));
