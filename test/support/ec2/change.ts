import type { Cloud } from './cloud.js';
import { instancesById } from './describe.js';
import { ownImage, ownSnapshot } from './ids.js';
import type { Parameters } from './parameters.js';
import { Ec2Refusal } from './refusal.js';
import { checkCount, readTags } from './tags.js';
import { stateXml } from './view.js';
import type { Xml } from './xml.js';

/** "TerminateInstances" (API Reference): all or none when an id is not known; nothing more for what has ended. */
export function terminateInstances(parameters: Parameters, cloud: Cloud): Record<string, Xml> {
  const ids = parameters.list('InstanceId');
  if (ids.length === 0) throw new Ec2Refusal('MissingParameter', 'The request must contain the parameter InstanceId');
  const dryRun = parameters.flag('DryRun') ?? false;
  parameters.flag('SkipOsShutdown');
  parameters.flag('Force');
  parameters.end();
  const records = instancesById(cloud, ids);
  if (dryRun) throw new Ec2Refusal('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.');
  const transition = `User initiated (${new Date().toISOString().slice(0, 19).replace('T', ' ')} GMT)`;
  const changes = records.map((record) => {
    const previousState = stateXml(record.state);
    // Not waited for: the answer tells that the end has begun. If it fails, stopping the stand-in does.
    void cloud.end(record, { code: 'Client.UserInitiatedShutdown', text: 'User initiated shutdown', transition }).catch(() => undefined);
    return { instanceId: record.id, currentState: stateXml(record.state), previousState };
  });
  return { instancesSet: changes };
}

/** "CreateTags" (API Reference), for instances, their volumes, images and snapshots. */
export function createTags(parameters: Parameters, cloud: Cloud): Record<string, Xml> {
  const ids = parameters.list('ResourceId');
  if (ids.length === 0) throw new Ec2Refusal('MissingParameter', 'The request must contain the parameter ResourceId');
  const tags = readTags(parameters);
  if (Object.keys(tags).length === 0) throw new Ec2Refusal('MissingParameter', 'The request must contain the parameter Tag');
  parameters.end();
  // All are checked before the first is changed.
  const changes = ids.map((id) => tagging(id, tags, cloud));
  for (const change of changes) change();
  return { return: true };
}

function tagging(id: string, more: Readonly<Record<string, string>>, cloud: Cloud): () => void {
  if (id.startsWith('i-')) {
    const [record] = instancesById(cloud, [id]);
    if (record === undefined) throw new Error('an id that was found has no instance');
    checkCount({ ...record.tags, ...more });
    return () => void Object.assign(record.tags, more);
  }
  if (id.startsWith('vol-')) {
    const volume = cloud.known().flatMap(({ volumes }) => volumes).find((entry) => entry.id === id && entry.exists);
    if (volume === undefined) throw new Ec2Refusal('InvalidVolume.NotFound', `The volume '${id}' does not exist.`);
    checkCount({ ...volume.tags, ...more });
    return () => void (volume.tags = { ...volume.tags, ...more });
  }
  if (id.startsWith('ami-')) {
    const image = ownImage(cloud, id);
    const tags = { ...image.tags, ...more };
    checkCount(tags);
    return () => cloud.storage.change(cloud.storage.images, id, { tags });
  }
  if (id.startsWith('snap-')) {
    const tags = { ...ownSnapshot(cloud, id).tags, ...more };
    checkCount(tags);
    return () => cloud.storage.change(cloud.storage.snapshots, id, { tags });
  }
  throw new Ec2Refusal('InvalidID', `The ID '${id}' is not valid`);
}
