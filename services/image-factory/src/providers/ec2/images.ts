import { DescribeSnapshotsCommand, type Image, type Snapshot } from '@aws-sdk/client-ec2';
import { filter, ForeignAnswer, images, pollAfter } from '@berth/ec2';
import type { Call, Step } from '../provider.js';
import { Trouble } from '../trouble.js';
import type { Site } from './site.js';
import type { ImageTiming } from './timing.js';

/** What is asked by filters is not found as long as EC2 does not show it; by its id it would be an error. */
export function imagesBy(site: Site, name: string, value: string, owners: string[] = ['self']): Promise<Image[]> {
  return site.ask('DescribeImages', (ec2, { abortSignal }) => images(ec2, { ...(owners.length > 0 && { Owners: owners }), Filters: [filter(name, [value])] }, abortSignal));
}

export async function snapshotsBy(site: Site, name: string, values: string[]): Promise<Snapshot[]> {
  return site.ask('DescribeSnapshots', async (ec2, options) => {
    const { Snapshots } = await ec2.send(new DescribeSnapshotsCommand({ OwnerIds: ['self'], Filters: [{ Name: name, Values: values }] }), options);
    if (Snapshots === undefined) throw new ForeignAnswer('the answer has no list of snapshots');
    return Snapshots;
  });
}

export function snapshotIdsOf({ BlockDeviceMappings = [] }: Image): string[] {
  return BlockDeviceMappings.flatMap(({ Ebs }) => Ebs?.SnapshotId ?? []);
}

/**
 * The image that has a name, which was refused because it is taken: our own from before a crash.
 * @throws {Trouble} it is not shown yet, or it is not of this version
 */
export async function adopted(site: Site, name: string, version: string): Promise<string> {
  const [found] = await imagesBy(site, 'name', name);
  if (found?.ImageId === undefined) throw new Trouble(`EC2 says that the name ${name} is taken in account ${site.account.name}, and does not show its image yet`, true);
  if (!isOf(found, version)) {
    throw new Trouble(`the name ${name} is taken in account ${site.account.name} by ${found.ImageId}, which is not of this version: deregister it, and try again`, false);
  }
  return found.ImageId;
}

export function isOf({ Tags = [] }: Image, version: string): boolean {
  return Tags.some(({ Key, Value }) => Key === 'berth:version' && Value === version);
}

/** What an image that is being made is waited for with. */
export interface Waiting {
  readonly timing: ImageTiming;
  now(): number;
}

/**
 * Looks at an image that was made, whose facts are `image` and `since`.
 * @param percent of the whole, by the share of it that is done (0 to 1)
 * @returns undefined when it is available
 */
export async function look(site: Site, call: Call, { timing, now }: Waiting, percent: (share: number) => number): Promise<Step | undefined> {
  const id = call.facts['image'] ?? '';
  const age = now() - Date.parse(call.facts['since'] ?? '');
  const late = `was not available after ${Math.round(timing.available / 60_000)} minutes`;
  const [found] = await imagesBy(site, 'image-id', id);
  if (found === undefined) {
    return age < timing.unseen ? { is: 'wait', ms: pollAfter(age, timing), activity: `waits until EC2 shows ${id}` } : { is: 'failed', error: `EC2 gave the image ${id} to account ${site.account.name} and does not show it ${Math.round(age / 1000)} s later` };
  }
  if (found.State === 'available') return undefined;
  if (found.State !== 'pending' && found.State !== 'transient') {
    const { Code, Message } = found.StateReason ?? {};
    const why = [Message ?? 'EC2 does not say why', Code === undefined || Message?.includes(Code) === true ? '' : ` (${Code})`].join('');
    return { is: 'failed', error: `the image ${id} in account ${site.account.name} is ${found.State ?? 'in no state'}: ${why}` };
  }
  const done = await shareOf(site, snapshotIdsOf(found));
  if (age > timing.available) return { is: 'failed', error: `the image ${id} in account ${site.account.name} ${late}: it is still ${found.State}, and ${Math.round(done * 100)} % of its snapshots are there` };
  return { is: 'wait', ms: pollAfter(age, timing), percent: percent(done), activity: `waits until ${id} is available` };
}

/** How much of snapshots is there, from 0 to 1; EC2 tells it of each as text such as `40%`. */
async function shareOf(site: Site, ids: string[]): Promise<number> {
  if (ids.length === 0) return 0;
  const snapshots = await snapshotsBy(site, 'snapshot-id', ids);
  const parts = snapshots.map(({ Progress }) => Number.parseInt(Progress ?? '', 10) / 100).filter((part) => !Number.isNaN(part));
  return parts.reduce((sum, part) => sum + part, 0) / ids.length;
}
