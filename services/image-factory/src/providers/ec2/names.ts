import { createHash } from 'node:crypto';
import type { Tag, TagSpecification } from '@aws-sdk/client-ec2';
import type { Call } from '../provider.js';

type About = Pick<Call, 'image' | 'version' | 'number' | 'attempt' | 'tags'>;

/** Unique in an account and region for this attempt: a name that is taken is our own image from before a crash. At most 128 characters of those allowed. */
export function nameOf({ image, number, version, attempt }: About): string {
  return `${image}/${number}-${version}-${attempt}`;
}

/** Of a disk on its way, in the bucket. */
export function keyOf(about: About): string {
  return `berth/${nameOf(about)}.raw`;
}

/** The same attempt in an account always has the same; EC2 takes 64 ASCII characters. */
export function tokenOf(call: Pick<Call, 'account'> & About): string {
  return createHash('sha256').update(JSON.stringify([call.account.name, nameOf(call)])).digest('hex');
}

export function tagsOf({ image, version, number, tags }: About): Tag[] {
  const all = { ...tags, 'berth:image': image, 'berth:version': version, 'berth:number': String(number) };
  return Object.entries(all).map(([Key, Value]) => ({ Key, Value }));
}

export function tagged(about: About, ...kinds: ('image' | 'snapshot' | 'import-snapshot-task')[]): TagSpecification[] {
  return kinds.map((ResourceType) => ({ ResourceType, Tags: tagsOf(about) }));
}
