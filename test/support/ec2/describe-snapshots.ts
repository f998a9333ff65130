import type { Cloud } from './cloud.js';
import { page, readFilters } from './filters.js';
import { checkSnapshotId } from './ids.js';
import { isOpenTo, type Ec2Snapshot } from './image.js';
import type { Parameters } from './parameters.js';
import { Ec2Refusal } from './refusal.js';
import { tagsXml } from './view.js';
import type { Xml } from './xml.js';

const FILTERS = ['snapshot-id', 'status', 'volume-id', 'description', 'owner-id'];

/** "DescribeSnapshots" (API Reference): those of the account, and those that it may make volumes of. */
export function describeSnapshots(parameters: Parameters, cloud: Cloud): Record<string, Xml> {
  const ids = parameters.list('SnapshotId');
  const owners = parameters.list('Owner');
  const dryRun = parameters.flag('DryRun') ?? false;
  const passes = readFilters(parameters, FILTERS);
  for (const owner of owners) if (!/^(\d{12}|self|amazon)$/.test(owner)) throw new Ec2Refusal('InvalidUserID.Malformed', `Invalid user id: "${owner}"`);
  const visible = cloud.world.in(cloud.region).flatMap((owner) => owner.storage.knownSnapshots().flatMap((snapshot) => (owner === cloud || isOpenTo(snapshot, cloud.accountId) ? [{ ...snapshot, ownerId: owner.accountId }] : [])));
  for (const id of ids) {
    checkSnapshotId(id);
    if (!visible.some((snapshot) => snapshot.id === id)) throw new Ec2Refusal('InvalidSnapshot.NotFound', `The snapshot '${id}' does not exist.`);
  }
  const chosen = visible.filter((snapshot) => {
    if (ids.length > 0 && !ids.includes(snapshot.id)) return false;
    if (owners.length > 0 && !owners.some((owner) => owner === snapshot.ownerId || (owner === 'self' && snapshot.ownerId === cloud.accountId))) return false;
    return passes((name) => valuesOf(snapshot, name), snapshot.ownerId === cloud.accountId ? snapshot.tags : {});
  });
  const { items, nextToken } = page(parameters, chosen, { least: 5, most: 1000, idsGiven: ids.length > 0 });
  parameters.end();
  if (dryRun) throw new Ec2Refusal('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.');
  return {
    snapshotSet: items.map((snapshot) => ({
      snapshotId: snapshot.id,
      volumeId: snapshot.volumeId,
      status: snapshot.state,
      startTime: snapshot.startedAt,
      progress: `${snapshot.progress}%`,
      ownerId: snapshot.ownerId,
      volumeSize: snapshot.sizeGiB,
      description: snapshot.description,
      encrypted: false,
      tagSet: snapshot.ownerId === cloud.accountId ? tagsXml(snapshot.tags) : undefined,
    })),
    nextToken,
  };
}

function valuesOf(snapshot: Ec2Snapshot & { readonly ownerId: string }, name: string): readonly string[] {
  switch (name) {
    case 'snapshot-id':
      return [snapshot.id];
    case 'status':
      return [snapshot.state];
    case 'volume-id':
      return [snapshot.volumeId];
    case 'description':
      return [snapshot.description];
    case 'owner-id':
      return [snapshot.ownerId];
    default:
      throw new Error(`the filter ${name} is taken but has no values`);
  }
}
