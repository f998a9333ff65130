import { before } from './channels.js';
import { isLive, isUsable, newestFirst, type Image, type Version } from './image.js';

/**
 * Versions that are no longer kept, the oldest last. What a channel points at, and what it would go back to, always stays, and so do
 * what is at work, what is being removed already, and as many of the newest that may be used as are to be kept.
 *
 * @param askedAt when a version was asked for, ms since the epoch
 */
export function expired(image: Image, askedAt: (version: string) => number, now: number): Version[] {
  const retention = image.saved?.retention;
  if (!retention) return [];
  const needed = new Set<string>();
  for (const channel of image.channels.values()) {
    for (const id of [channel.version, before(image, channel)?.id, channel.testing?.version]) if (id !== null && id !== undefined) needed.add(id);
  }
  const { keep, maxAge = 0 } = retention;
  const all = newestFirst(image).filter(({ deletion, imported }) => deletion === undefined && !imported);
  // Those that may not be used take no place of one that may, and stay for a while themselves: they can be restored.
  const newest = new Set([...all.filter(({ ended }) => ended === 'COMPLETE').slice(0, keep), ...all.filter(isUsable).slice(0, keep)].map(({ id }) => id));
  const oldest = all.filter(({ ended }) => ended === 'COMPLETE').at(keep - 1);
  return all.filter((version) => {
    if (needed.has(version.id) || newest.has(version.id) || [...version.targets.values(), ...version.pushes.values()].some(({ status }) => isLive(status))) return false;
    // What has failed goes once so many newer ones are complete.
    if (version.ended !== 'COMPLETE' && (oldest === undefined || version.number > oldest.number)) return false;
    return now - askedAt(version.id) >= maxAge;
  });
}
