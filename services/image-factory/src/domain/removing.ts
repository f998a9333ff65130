import type { ImageEvent, ImageTarget, Refusal } from '@berth/contracts';
import { leaving } from './channels.js';
import { isLive, type Image, type Push, type Target, type Version } from './image.js';
import { isRefusal, known, refuse } from './refusals.js';

type Decision = readonly ImageEvent[] | Refusal;

/** Is there still something of it at its provider, as far as is known? What has failed may have left something there. */
const isThere = ({ status, facts }: Push): boolean => status === 'COMPLETE' || status === 'DELETING' || status === 'DELETEFAILED' || (status === 'FAILED' && Object.keys(facts).length > 0);
const isBuilt = ({ status, facts }: Target): boolean => status === 'COMPLETE' || status === 'DELETING' || status === 'DELETEFAILED' || (status === 'FAILED' && Object.keys(facts).length > 0);
const isUnderWay = (version: Version): boolean => [...version.targets.values(), ...version.pushes.values()].some(({ status }) => isLive(status));

const live = (version: Version): Refusal => refuse('version-live', `Something of version ${version.number} is still being built or pushed.`, 'version', 'is not at rest: wait for it, or abort it (berth image abort)');

/** What Berth has not made it does not remove: a person does. A line each. */
export const manualOf = (version: Version): string[] => (version.imported ? [...version.pushes].filter(([, push]) => push.status === 'COMPLETE').map(([account, { id }]) => `${id} of account ${account}`) : []);

export function deletePush(image: Image, id: string, account: string, hosts: boolean): Decision {
  const version = known(image, id);
  if (isRefusal(version)) return version;
  const pushed = version.pushes.get(account);
  if (!pushed || pushed.status === 'DELETED' || (pushed.status === 'FAILED' && !isThere(pushed))) return refuse('not-pushed', `Version ${version.number} was not pushed to ${account}.`, 'account', 'does not have it');
  if (pushed.status === 'DELETING') return [];
  if (isLive(pushed.status)) return refuse('push-live', `Version ${version.number} is being pushed to ${account}.`, 'account', 'is being pushed to: wait for it');
  if (hosts) return refuse('version-in-use', `A live host was booted from version ${version.number}.`, 'version', 'has live hosts: drain them first');
  return startOf(version, { account });
}

/** What was imported is only forgotten. */
function startOf(version: Version, what: { account: string } | { target: ImageTarget }): ImageEvent[] {
  if (!version.imported) return [{ type: 'DeletionStarted', data: { version: version.id, ...what } }];
  const manual = 'account' in what ? manualOf(version) : [];
  return [{ type: 'Deleted', data: { version: version.id, ...what, manual } }];
}

export function deleteTarget(image: Image, id: string, target: ImageTarget, cascade: boolean, hosts: boolean, heir?: string): Decision {
  const version = known(image, id);
  if (isRefusal(version)) return version;
  const built = version.targets.get(target);
  if (!built || built.status === 'DELETED' || (built.status === 'FAILED' && !isBuilt(built))) return refuse('target-not-there', `Nothing of version ${version.number} is built for ${target}.`, 'target', 'has nothing that could be removed');
  if (isLive(built.status)) return live(version);
  const ofIt = [...version.pushes].filter(([, push]) => push.target === target);
  if (ofIt.some(([, { status }]) => isLive(status))) return live(version);
  const pushed = ofIt.filter(([, push]) => isThere(push));
  if (pushed.length > 0 && !cascade) return refuse('version-in-use', `Target ${target} of version ${version.number} is pushed to ${pushed.map(([account]) => account).join(', ')}.`, 'cascade', 'must be true to remove what was pushed of it too');
  const used = heir === undefined ? inUse(image, version, hosts) : needed(version, heir);
  if (used) return used;
  return [...pushed.filter(([, { status }]) => status !== 'DELETING').flatMap(([account]) => startOf(version, { account })), ...(built.status === 'DELETING' ? [] : startOf(version, { target }))];
}

/** What is being built of it needs it until then. */
const needed = (version: Version, heir: string): Refusal => refuse('version-in-use', `${heir} is being built of version ${version.number}.`, 'version', `is what ${heir} is being built of: wait for that, or abort it (berth image abort ${heir})`);

/** A channel that points at it, or a host that was booted from it. */
function inUse(image: Image, version: Version, hosts: boolean): Refusal | undefined {
  if (hosts) return refuse('version-in-use', `A live host was booted from version ${version.number}.`, 'version', 'has live hosts: drain them first');
  const channels = [...image.channels].filter(([, channel]) => channel.version === version.id).map(([name]) => name);
  return channels.length === 0 ? undefined : refuse('version-in-use', `Channel ${channels.join(', ')} points at version ${version.number}.`, 'version', `is what ${channels.join(', ')} points at: roll that back first, or say cascade`);
}

/** @param cascade with what was pushed of it; channels go back to what they pointed at before */
export function deleteVersion(image: Image, id: string, cascade: boolean, hosts: boolean, heir?: string): Decision {
  const version = image.versions.get(id);
  if (!version) return known(image, id) as Refusal;
  if (version.deletion === 'DELETED' || version.deletion === 'DELETING') return [];
  if (isUnderWay(version)) return live(version);
  const pushed = [...version.pushes].filter(([, push]) => isThere(push));
  if (pushed.length > 0 && !cascade && !version.imported) return refuse('version-in-use', `Version ${version.number} is pushed to ${pushed.map(([account]) => account).join(', ')}.`, 'cascade', 'must be true to remove what was pushed of it too');
  if (heir !== undefined) return needed(version, heir);
  const used = inUse(image, version, hosts);
  if (used && (hosts || !cascade)) return used;
  const targets = [...version.targets].filter(([, target]) => isBuilt(target));
  const parts = [
    ...pushed.filter(([, { status }]) => status !== 'DELETING').flatMap(([account]) => startOf(version, { account })),
    ...targets.filter(([, { status }]) => status !== 'DELETING').flatMap(([target]) => startOf(version, { target })),
  ];
  const over: ImageEvent[] = version.imported || pushed.length + targets.length === 0 ? [{ type: 'Deleted', data: { version: id, manual: manualOf(version) } }] : [];
  return [...leaving(image, id, 'delete', `version ${version.number} was removed`), { type: 'DeletionStarted', data: { version: id } }, ...parts, ...over];
}

/** A part is gone, or could not be removed; when the last one is gone so is the version. */
export function endDeletion(image: Image, id: string, what: { account: string } | { target: ImageTarget }, outcome: { manual: readonly string[] } | { error: string }): Decision {
  const version = image.versions.get(id);
  const part = 'account' in what ? version?.pushes.get(what.account) : version?.targets.get(what.target);
  if (!version || part?.status !== 'DELETING') return [];
  const failing = version.deletion === 'DELETING';
  if ('error' in outcome) {
    return [{ type: 'DeletionFailed', data: { version: id, ...what, error: outcome.error } }, ...(failing ? [{ type: 'DeletionFailed' as const, data: { version: id, error: outcome.error } }] : [])];
  }
  const gone: ImageEvent = { type: 'Deleted', data: { version: id, ...what, manual: [...outcome.manual] } };
  const left = [...version.pushes.entries()].some(([account, push]) => isThere(push) && !('account' in what && account === what.account)) || [...version.targets.entries()].some(([target, built]) => isBuilt(built) && !('target' in what && target === what.target));
  return left || version.deletion === undefined ? [gone] : [gone, { type: 'Deleted', data: { version: id, manual: [] } }];
}
