import type { FieldError, ImageEvent, ImageTarget, Refusal } from '@berth/contracts';
import { isLive, isOutdated, numberAfter, type Image, type Push, type Version } from './image.js';
import { assignedWhenEnded } from './channels.js';
import { isRefusal, refuse, refuseAll, staying } from './refusals.js';

type Decision = readonly ImageEvent[] | Refusal;

/** An account, and what it takes. */
export interface Place {
  account: string;
  provider: string;
  target: ImageTarget;
}

/** Nothing is pushed of a version that may not be launched. */
function pushable(image: Image, id: string): Version | Refusal {
  const version = staying(image, id);
  if (isRefusal(version)) return version;
  if (version.revoked?.due) return refuse('version-revoked', `Version ${version.number} was revoked: ${version.revoked.reason}.`, 'version', 'was revoked: push another one');
  if (version.use === 'disabled') return refuse('version-disabled', `Version ${version.number} is disabled.`, 'version', 'is disabled: push another one, or mark it active');
  return version;
}

const started = (version: Version, { account, provider, target }: Place): ImageEvent => ({ type: 'PushStarted', data: { version: version.id, account, target, provider, attempt: (version.pushes.get(account)?.attempt ?? 0) + 1 } });
const isThere = (push: Push | undefined): boolean => push !== undefined && (isLive(push.status) || push.status === 'COMPLETE');
const isLeaving = (push: Push | undefined): boolean => push?.status === 'DELETING' || push?.status === 'DELETEFAILED';

export function push(image: Image, id: string, places: readonly Place[]): Decision {
  const version = pushable(image, id);
  if (isRefusal(version)) return version;
  const missing = places.filter(({ target }) => version.targets.get(target)?.status !== 'COMPLETE');
  if (missing.length > 0) {
    const errors = missing.map(({ account, target }): FieldError => ({ field: 'data.accounts', message: `${account} takes ${target}, which is ${statusOf(version, target)}` }));
    return refuseAll('target-not-built', `Version ${version.number} is not built for ${[...new Set(missing.map(({ target }) => target))].join(', ')}.`, errors);
  }
  const leaving = places.filter(({ account }) => isLeaving(version.pushes.get(account)));
  if (leaving.length > 0) return refuseAll('push-live', `Version ${version.number} is being removed from ${leaving.map(({ account }) => account).join(', ')}.`, leaving.map(({ account }) => ({ field: 'data.accounts', message: `it is being removed from ${account}: wait for that, or try the removal again` })));
  return places.filter(({ account }) => !isThere(version.pushes.get(account))).map((place) => started(version, place));
}

function statusOf(version: Version, target: ImageTarget): string {
  const built = version.targets.get(target);
  return built === undefined ? 'not built: build a version with it' : isLive(built.status) ? 'still being built: wait for it' : built.status === 'FAILED' ? 'failed: build it once more' : built.status.toLowerCase();
}

/** @param places all accounts of the environment */
export function pushAll(image: Image, id: string, places: readonly Place[]): Decision {
  const version = pushable(image, id);
  if (isRefusal(version)) return version;
  if (isOutdated(image, version)) return refuse('version-outdated', `There is a newer version than ${version.number} that is built.`, 'version', 'is not the newest that is built: push that one, or name the accounts');
  const built = places.filter(({ target }) => version.targets.get(target)?.status === 'COMPLETE');
  if (built.length === 0) return refuse('target-not-built', `Nothing of version ${version.number} is built that an account takes.`, 'version', 'has no target that is built for an account of its environment');
  return built.filter(({ account }) => !isThere(version.pushes.get(account)) && !isLeaving(version.pushes.get(account))).map((place) => started(version, place));
}

const under = (image: Image, id: string, account: string, attempt: number): Push | undefined => {
  const known = image.versions.get(id)?.pushes.get(account);
  return known && isLive(known.status) && known.attempt === attempt ? known : undefined;
};

export function pushProgress(image: Image, id: string, account: string, attempt: number, percent: number, activity: string): Decision {
  const known = under(image, id, account, attempt);
  if (!known) return [];
  const reached = Math.max(known.percent, Math.min(99, Math.round(percent)));
  if (reached === known.percent && activity === known.activity) return [];
  return [{ type: 'PushProgressed', data: { version: id, account, percent: reached, activity } }];
}

/** Also of what is being removed: how far that has come. */
export function pushFacts(image: Image, id: string, account: string, attempt: number, facts: Readonly<Record<string, string>>): Decision {
  const known = image.versions.get(id)?.pushes.get(account);
  if (!known || known.attempt !== attempt || !(isLive(known.status) || known.status === 'DELETING')) return [];
  if (Object.entries(facts).every(([key, value]) => (known.facts[key] ?? '') === value)) return [];
  return [{ type: 'PushStep', data: { version: id, account, facts: { ...facts } } }];
}

export const completePush = (image: Image, version: string, account: string, attempt: number, id: string): Decision => (under(image, version, account, attempt) ? [{ type: 'PushCompleted', data: { version, account, id } }] : []);
export const failPush = (image: Image, version: string, account: string, attempt: number, error: string): Decision => (under(image, version, account, attempt) ? [{ type: 'PushFailed', data: { version, account, attempt, error } }] : []);

export interface ImportCommand {
  type: 'Import';
  version: string;
  place: Place;
  id: string;
  labels: Readonly<Record<string, string>>;
  os?: Readonly<Record<string, string>>;
}

/** What is there already is a version that is complete; an image of that name is made when there is none. */
export function takeIn({ version: id, place, id: provided, labels, os }: ImportCommand, image: Image): Decision {
  if (image.versions.has(id)) return [];
  const same = [...image.versions.values()].find(({ deletion, pushes }) => deletion === undefined && pushes.get(place.account)?.id === provided && pushes.get(place.account)?.status === 'COMPLETE');
  if (same) return refuse('name-taken', `${provided} of account ${place.account} is version ${same.number} already.`, 'id', `is version ${same.number} already`);
  const number = numberAfter(image);
  const { account, target } = place;
  const latest: ImageEvent[] = image.channels.has('latest') ? [] : [{ type: 'ChannelSaved', data: { channel: 'latest', managed: true } }];
  const channels = image.channels.has('latest') ? image.channels : new Map([['latest', { managed: true, version: null, history: [], tests: new Map() }]]);
  const version: Version = { id, number, revision: 0, imported: true, targets: new Map(), pushes: new Map(), labels, attributes: {}, use: 'active', followed: [] };
  return [
    { type: 'VersionImported', data: { version: id, number, revision: 0, target, account, id: provided, labels: { ...labels }, ...(os && { os: { ...os } }) } },
    ...latest,
    ...assignedWhenEnded({ ...image, channels }, version),
  ];
}
