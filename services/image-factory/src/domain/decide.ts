import { unreachable, type ImageEvent, type ImageTarget, type MadeImage, type Refusal, type VersionUse } from '@berth/contracts';
import { abort, build, complete, fail, progress, rebuildTarget, targetFacts, type BuildCommand } from './building.js';
import { assign, endTest, leaving, removeChannel, rollBack, saveChannel } from './channels.js';
import { evolve, LATEST, nextRevocation, noImage, revocationOf, type Image } from './image.js';
import { completePush, failPush, push, pushAll, pushFacts, pushProgress, takeIn, type ImportCommand, type Place } from './pushing.js';
import { isRefusal, known, refuse, staying, unknownImage } from './refusals.js';
import { revisionOf, type Said } from './revision.js';
import { deletePush, deleteTarget, deleteVersion, endDeletion } from './removing.js';

type Facts = Readonly<Record<string, string>>;
/** Of one attempt of one target. */
interface OfTarget {
  version: string;
  target: ImageTarget;
  attempt: number;
}
/** Of one attempt of one push. */
interface OfPush {
  version: string;
  account: string;
  attempt: number;
}

export type ImageCommand =
  | { type: 'Save'; said: Said }
  /** `named`: what names the image; `hosts`: numbers of versions with live hosts */
  | { type: 'Remove'; image: string; cascade: boolean; named: readonly string[]; hosts: ReadonlySet<string> }
  | BuildCommand
  | { type: 'Rebuild'; version: string; target: ImageTarget }
  | { type: 'Abort'; version: string; reason: string }
  | ({ type: 'Progress'; percent: number; activity: string } & OfTarget)
  | ({ type: 'KeepFacts'; facts: Facts } & OfTarget)
  | ({ type: 'Complete'; made: MadeImage } & OfTarget)
  | ({ type: 'Fail'; error: string } & OfTarget)
  | { type: 'Push'; version: string; places: readonly Place[] }
  | { type: 'PushAll'; version: string; places: readonly Place[] }
  | ({ type: 'PushProgress'; percent: number; activity: string } & OfPush)
  | ({ type: 'KeepPushFacts'; facts: Facts } & OfPush)
  | ({ type: 'CompletePush'; id: string } & OfPush)
  | ({ type: 'FailPush'; error: string } & OfPush)
  | ImportCommand
  | { type: 'DeletePush'; version: string; account: string; hosts: boolean }
  /** `heir`: a version that is being built of it, in words */
  | { type: 'DeleteTarget'; version: string; target: ImageTarget; cascade: boolean; hosts: boolean; heir?: string }
  | { type: 'DeleteVersion'; version: string; cascade: boolean; hosts: boolean; heir?: string }
  | { type: 'EndDeletion'; version: string; what: { account: string } | { target: ImageTarget }; outcome: { manual: readonly string[] } | { error: string } }
  | { type: 'SetLabels'; version: string; labels: Facts }
  | { type: 'SetAttributes'; version: string; attributes: Facts }
  | { type: 'Mark'; version: string; as: VersionUse; reason: string }
  | { type: 'Revoke'; version: string; at: string; now: string; reason: string; cascade: boolean; ancestor?: { image: string; version: string } }
  | { type: 'RevocationDue'; version: string; now: string }
  /** `ancestor`: what it is made of was restored, of this revocation; absent when it is asked for itself */
  | { type: 'Restore'; version: string; reason: string; cascade: boolean; ancestor?: { image: string; version: string; at: string } }
  | { type: 'SaveChannel'; image: string; channel: string; managed: boolean; test?: string }
  | { type: 'RemoveChannel'; image: string; channel: string; inUse?: string }
  | { type: 'Assign'; image: string; channel: string; version: string; reason?: string; retest: boolean }
  | { type: 'RollBack'; image: string; channel: string; from?: string; to?: string; reason: string }
  | { type: 'EndTest'; channel: string; build: string; passed: boolean; error?: string };

/** Pure. */
export function decide(command: ImageCommand, image: Image): readonly ImageEvent[] | Refusal {
  switch (command.type) {
    case 'Save':
      return save(command.said, image);
    case 'Remove':
      return remove(command, image);
    case 'Build':
      return build(command, image);
    case 'Rebuild':
      return rebuildTarget(image, command.version, command.target);
    case 'Abort':
      return abort(image, command.version, command.reason);
    case 'Progress':
      return progress(image, command.version, command.target, command.attempt, command.percent, command.activity);
    case 'KeepFacts':
      return targetFacts(image, command.version, command.target, command.attempt, command.facts);
    case 'Complete':
      return complete(image, command.version, command.target, command.attempt, command.made);
    case 'Fail':
      return fail(image, command.version, command.target, command.attempt, command.error);
    case 'Push':
      return push(image, command.version, command.places);
    case 'PushAll':
      return pushAll(image, command.version, command.places);
    case 'PushProgress':
      return pushProgress(image, command.version, command.account, command.attempt, command.percent, command.activity);
    case 'KeepPushFacts':
      return pushFacts(image, command.version, command.account, command.attempt, command.facts);
    case 'CompletePush':
      return completePush(image, command.version, command.account, command.attempt, command.id);
    case 'FailPush':
      return failPush(image, command.version, command.account, command.attempt, command.error);
    case 'Import':
      return takeIn(command, image);
    case 'DeletePush':
      return deletePush(image, command.version, command.account, command.hosts);
    case 'DeleteTarget':
      return deleteTarget(image, command.version, command.target, command.cascade, command.hosts, command.heir);
    case 'DeleteVersion':
      return deleteVersion(image, command.version, command.cascade, command.hosts, command.heir);
    case 'EndDeletion':
      return endDeletion(image, command.version, command.what, command.outcome);
    case 'SetLabels':
      return setLabels(image, command.version, command.labels);
    case 'SetAttributes':
      return setAttributes(image, command.version, command.attributes);
    case 'Mark':
      return mark(command, image);
    case 'Revoke':
      return revoke(command, image);
    case 'RevocationDue':
      return revocationDue(image, command.version, command.now);
    case 'Restore':
      return restore(command, image);
    case 'SaveChannel':
      return saveChannel(image, command.image, command.channel, command.managed, command.test);
    case 'RemoveChannel':
      return removeChannel(image, command.image, command.channel, command.inUse);
    case 'Assign':
      return assign(image, command.image, command.channel, command.version, command.reason, command.retest);
    case 'RollBack':
      return rollBack(image, command.image, command.channel, command.from, command.to, command.reason);
    case 'EndTest':
      return endTest(image, command.channel, command.build, command.passed, command.error);
    default:
      return unreachable(command);
  }
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function save(said: Said, image: Image): readonly ImageEvent[] {
  const next = revisionOf(said, image);
  if (image.status === 'live' && image.saved) {
    const { revision: _revision, ...before } = image.saved;
    if (same(before, next)) return [];
  }
  const latest: ImageEvent[] = image.channels.has(LATEST) ? [] : [{ type: 'ChannelSaved', data: { channel: LATEST, managed: true } }];
  // Revisions go on counting under the name of an image that was removed.
  return [{ type: 'ImageSaved', data: { revision: image.revisions + 1, ...next } }, ...latest];
}

function remove({ image: name, cascade, named, hosts }: Extract<ImageCommand, { type: 'Remove' }>, image: Image): readonly ImageEvent[] | Refusal {
  if (image.status === 'none') return unknownImage(name);
  if (image.status === 'removed') return [];
  if (named.length > 0) return refuse('image-in-use', `Image ${name} is named by ${named.join(', ')}.`, 'image', `is named by ${named.join(', ')}: change that first`);
  const versions = [...image.versions.values()].filter(({ deletion }) => deletion !== 'DELETED');
  if (versions.length > 0 && !cascade) return refuse('image-in-use', `Image ${name} has ${versions.length} version${versions.length === 1 ? '' : 's'}.`, 'cascade', 'must be true to remove its versions, and what was pushed of them');
  const events: ImageEvent[] = [];
  let state = image;
  for (const { id } of versions) {
    const decision = deleteVersion(state, id, true, hosts.has(id));
    if (isRefusal(decision)) return decision;
    events.push(...decision);
    state = decision.reduce(evolve, state);
  }
  return [...events, { type: 'ImageRemoved', data: {} }];
}

function setLabels(image: Image, id: string, labels: Facts): readonly ImageEvent[] | Refusal {
  const version = staying(image, id);
  if (isRefusal(version)) return version;
  if (same(version.labels, labels)) return [];
  if (version.ended === 'COMPLETE') return refuse('labels-frozen', `Version ${version.number} is complete.`, 'labels', 'stay as they are once a version is complete: set attributes instead (berth image attributes)');
  return [{ type: 'LabelsSet', data: { version: id, labels: { ...labels } } }];
}

function setAttributes(image: Image, id: string, changed: Facts): readonly ImageEvent[] | Refusal {
  const version = staying(image, id);
  if (isRefusal(version)) return version;
  const attributes = Object.fromEntries(Object.entries({ ...version.attributes, ...changed }).filter(([, value]) => value !== ''));
  return same(version.attributes, attributes) ? [] : [{ type: 'AttributesSet', data: { version: id, attributes } }];
}

function mark({ version: id, as, reason }: Extract<ImageCommand, { type: 'Mark' }>, image: Image): readonly ImageEvent[] | Refusal {
  const version = staying(image, id);
  if (isRefusal(version)) return version;
  if (version.use === as) return [];
  const channels = [...image.channels].filter(([, channel]) => channel.version === id).map(([name]) => name);
  if (as === 'disabled' && channels.length > 0) return refuse('version-in-use', `Channel ${channels.join(', ')} points at version ${version.number}.`, 'version', `is what ${channels.join(', ')} points at: roll that back first, or revoke the version`);
  const tested = as === 'disabled' ? leaving(image, id, 'revoke', `version ${version.number} is disabled`) : [];
  return [...tested, { type: 'VersionMarked', data: { version: id, as, reason } }];
}

function revoke({ version: id, at, now, reason, cascade, ancestor }: Extract<ImageCommand, { type: 'Revoke' }>, image: Image): readonly ImageEvent[] | Refusal {
  const version = known(image, id);
  if (isRefusal(version)) return version;
  const { revoked, own } = version;
  // What came with what it is made of is no revocation of its own, which somebody asks for here.
  if (revoked?.due && (ancestor || !revoked.ancestor)) return [];
  if ((own ?? revoked)?.at === at && (own || !revoked?.ancestor)) return [];
  if (ancestor && version.followed.includes(revocationOf(ancestor.version, at))) return [];
  const told: ImageEvent = { type: 'VersionRevoked', data: { version: id, at, reason, cascade, ...(ancestor && { ancestor }) } };
  return Date.parse(at) <= Date.parse(now) ? [told, ...out(image, version.id, version.number, reason)] : [told];
}

const out = (image: Image, id: string, number: number, reason: string): readonly ImageEvent[] => [{ type: 'RevocationDue', data: { version: id } }, ...leaving(image, id, 'revoke', `version ${number} was revoked: ${reason}`)];

function revocationDue(image: Image, id: string, now: string): readonly ImageEvent[] {
  const version = image.versions.get(id);
  const due = version && nextRevocation(version);
  if (!version || !due || Date.parse(due.at) > Date.parse(now)) return [];
  // One of its own takes the place of the one that has held until now: that is said again.
  return [...(version.own ? [{ type: 'VersionRevoked' as const, data: { version: id, ...version.own } }] : []), ...out(image, id, version.number, due.reason)];
}

function restore({ version: id, reason, cascade, ancestor }: Extract<ImageCommand, { type: 'Restore' }>, image: Image): readonly ImageEvent[] | Refusal {
  const version = staying(image, id);
  if (isRefusal(version)) return version;
  const { revoked, own } = version;
  if (ancestor) {
    if (revoked?.ancestor?.version !== ancestor.version || revoked.at !== ancestor.at) return [];
    const { image: of, version: from } = ancestor;
    return [{ type: 'VersionRestored', data: { version: id, reason, cascade, ancestor: { image: of, version: from } } }, ...(own ? [{ type: 'VersionRevoked' as const, data: { version: id, ...own } }] : [])];
  }
  if (!revoked) return refuse('version-not-revoked', `Version ${version.number} is not revoked.`, 'version', 'is not revoked, so there is nothing to restore');
  return [{ type: 'VersionRestored', data: { version: id, reason, cascade } }];
}

/** The template and each channel are said by themselves. */
function says({ type, data }: ImageEvent): string | undefined {
  if (type === 'ImageSaved' || type === 'ImageRemoved') return 'image';
  return type === 'ChannelSaved' || type === 'ChannelRemoved' ? `channel ${data.channel}` : undefined;
}

export const imageDecider = { initial: noImage, decide, evolve, ended: () => false, says };
