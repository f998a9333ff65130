import type { StatusEvent } from '@berth/contracts';
import { isLive, newestFirst, type Image, type Version } from './domain/image.js';

/** How a version is, as one word: what is under way goes before how it ended. */
function versionStatus(version: Version): string {
  if (version.deletion) return version.deletion;
  const targets = [...version.targets.values()];
  if (targets.some(({ status }) => isLive(status))) return 'BUILDING';
  return version.ended ?? 'PENDING';
}

/** 0 to 100: the mean of its targets. */
function versionPercent({ targets, imported }: Version): number {
  if (imported) return 100;
  const all = [...targets.values()];
  return all.length === 0 ? 0 : Math.floor(all.reduce((sum, { percent }) => sum + percent, 0) / all.length);
}

/** What frontends are told of an image: its newest version, each of its targets and pushes, and where its channels point. */
export function imageStatusOf(name: string, image: Image): { name: string; data: StatusEvent['data'] } {
  const channels = Object.fromEntries([...image.channels].map(([channel, { version }]) => [channel, version]));
  const newest = newestFirst(image).find(({ deletion }) => deletion !== 'DELETED');
  if (image.status === 'removed' || !newest) {
    const status = image.status === 'removed' ? 'DELETED' : 'NEW';
    return { name: `dev.berth.image.${status.toLowerCase()}`, data: { id: name, status, percent: null, activity: null, error: null, channels } };
  }
  const status = versionStatus(newest);
  const work = [...newest.targets].map(([target, one]) => ({ target, status: one.status, percent: one.percent, activity: one.activity || null, error: one.error ?? one.failed.at(-1)?.error ?? null, failed: one.failed.length }));
  const pushes = [...newest.pushes].map(([account, one]) => ({ account, target: one.target, status: one.status, percent: one.percent, activity: one.activity || null, error: one.error ?? one.failed.at(-1)?.error ?? null, failed: one.failed.length, ...(one.id !== undefined && { id: one.id }) }));
  const under = [...work, ...pushes].find((one) => isLive(one.status));
  const failed = [...work, ...pushes].find((one) => one.status === 'FAILED' || one.status === 'DELETEFAILED');
  return {
    name: `dev.berth.image.${status.toLowerCase()}`,
    data: {
      id: name, status, percent: versionPercent(newest), activity: under ? (under.activity ?? under.status.toLowerCase()) : null, error: failed?.error ?? null,
      version: newest.id, number: newest.number, targets: work, pushes, channels, ...(newest.revoked && { revoked: newest.revoked.at }),
    },
  };
}
