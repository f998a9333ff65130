import type { BoardCell, ImageBoard } from '@berth/client';
import { cellState, deployableState, offerOf, type CellFacts, type CellState, type ImageTarget } from '@berth/contracts';
import type { Catalogue, Place } from './catalogue.js';
import type { ChannelRow } from './image-channel.js';
import type { ImageVersionRow, KeptPush, KeptTarget } from './image-version.js';
import { targetsOf, type ImageRow } from './image.js';

/** All that a board is made of, at one moment. */
export interface BoardFacts {
  image: ImageRow;
  /** that are there, the newest first */
  versions: readonly ImageVersionRow[];
  /** of the image */
  channels: readonly ChannelRow[];
  catalogue: Catalogue;
}

/** Nothing is built or pushed of such a version. */
const isUnusable = ({ use, revoked, status }: ImageVersionRow): boolean => use === 'disabled' || revoked?.holds === true || status === 'DELETING' || status === 'DELETEFAILED' || status === 'DELETED';
const isBuilt = (version: ImageVersionRow, target?: ImageTarget): boolean => version.targets.some((one) => one.status === 'COMPLETE' && (target === undefined || one.target === target));
/** Something of it is at an account, comes there, or is on its way out. */
const isThere = ({ status }: KeptPush): boolean => status !== 'FAILED' && status !== 'DELETED';

/** Pure: what is built of an image, for which accounts, and what can be done about it. */
export function imageBoard({ image, versions, channels, catalogue }: BoardFacts): ImageBoard {
  const { environment } = image;
  const buildable = catalogue.builtIn(environment, targetsOf(image));
  const pointed = (id: string): string[] => channels.filter((channel) => channel.version === id).map(({ channel }) => channel).sort();
  const shown = versions.filter((version, nth) => nth === 0 || version.pushes.some(isThere) || pointed(version.id).length > 0);
  const places = withPushed(catalogue, environment, shown);
  const cells = (version: ImageVersionRow | undefined): BoardCell[] => places.map((place) => cellOf(version, place, factsOf(version, place, versions, buildable)));
  const rows = shown.map((version) => ({ version: version.id, number: version.number, status: version.status, channels: pointed(version.id), cells: cells(version) }));
  const newestBuilt = versions.find((version) => isBuilt(version) && !isUnusable(version));
  return {
    image: image.name,
    environment,
    accounts: places,
    versions: rows.length > 0 ? rows : [{ version: null, number: null, status: 'NEW', channels: [], cells: cells(undefined) }],
    buildAll: buildable.length > 0,
    pushAll: newestBuilt && cells(newestBuilt).some(({ offer }) => offer === 'push') ? newestBuilt.id : null,
  };
}

/** Where the environment is pushed to, and where something is although it is not any more. */
function withPushed(catalogue: Catalogue, environment: string | null, versions: readonly ImageVersionRow[]): Place[] {
  const own = catalogue.places(environment);
  const others = new Set(versions.flatMap(({ pushes }) => pushes.filter(isThere).map(({ account }) => account)));
  for (const { account } of own) others.delete(account);
  return [...own, ...[...others].flatMap((account) => catalogue.place(account) ?? [])].sort((a, b) => (a.account < b.account ? -1 : 1));
}

function factsOf(version: ImageVersionRow | undefined, { account, target }: Place, versions: readonly ImageVersionRow[], buildable: readonly ImageTarget[]): CellFacts {
  return {
    imported: version?.imported === true,
    buildable: buildable.includes(target),
    outdated: version !== undefined && versions.some((other) => other.number > version.number && isBuilt(other, target) && !isUnusable(other)),
    unusable: version !== undefined && isUnusable(version),
    target: version?.targets.find((one) => one.target === target)?.status,
    push: version?.pushes.find((one) => one.account === account)?.status,
  };
}

function cellOf(version: ImageVersionRow | undefined, { account, target }: Place, facts: CellFacts): BoardCell {
  const state = cellState(facts);
  const built = version?.targets.find((one) => one.target === target);
  const push = version?.pushes.find((one) => one.account === account);
  const told: KeptTarget | KeptPush | undefined = state === 'not_built' || state === 'building' ? built : push;
  const isUnderWay = state === 'building' || state === 'pushing';
  return {
    account, state,
    percent: isUnderWay ? (told?.percent ?? 0) : null,
    activity: isUnderWay ? (told?.activity ?? null) : null,
    failed: told?.failed.length ?? 0,
    error: (state === 'delete_failed' ? push?.error : told?.failed.at(-1)?.error) ?? null,
    id: push?.id ?? null,
    offer: offerOf(facts),
  };
}

/** Pure: how a version stands in all accounts of some environments that its image is made for. */
export function standing({ image, versions, catalogue }: BoardFacts, version: ImageVersionRow | undefined, environments: readonly string[]): CellState {
  // What nothing points at is not offered, however far it is.
  if (!version) return versions[0] !== undefined && (versions[0].status === 'PENDING' || versions[0].status === 'BUILDING') ? 'building' : 'not_built';
  const places = new Map(environments.flatMap((environment) => catalogue.places(environment)).map((place) => [place.account, place]));
  const targets = new Set([...targetsOf(image), ...version.targets.map(({ target }) => target)]);
  return deployableState([...places.values()].filter(({ target }) => targets.has(target)).map((place) => cellState(factsOf(version, place, versions, []))));
}
