import type { Cloud } from './cloud.js';
import type { Ec2Image, Ec2Snapshot } from './image.js';
import { Ec2Refusal } from './refusal.js';

/** @throws Ec2Refusal */
export function checkImageId(id: string): void {
  if (!/^ami-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id)) throw new Ec2Refusal('InvalidAMIID.Malformed', `Invalid id: "${id}" (expecting "ami-...")`);
}

/** An image that this account owns. @throws Ec2Refusal when there is none, none any more, or it is somebody else's */
export function ownImage(cloud: Cloud, id: string): Ec2Image {
  checkImageId(id);
  if (cloud.storage.deregistered.has(id)) throw new Ec2Refusal('InvalidAMIID.Unavailable', `The image ID '${id}' is no longer available`);
  const found = cloud.image(id);
  if (found === undefined) throw new Ec2Refusal('InvalidAMIID.NotFound', `The image id '[${id}]' does not exist`);
  if (found.owner !== cloud || found.image.owner !== 'self') throw new Ec2Refusal('AuthFailure', `Not authorized for image:${id}`);
  return found.image;
}

export function checkSnapshotId(id: string): void {
  if (!/^snap-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id)) throw new Ec2Refusal('InvalidSnapshotID.Malformed', `Invalid id: "${id}" (expecting "snap-...")`);
}

/** A snapshot that this account owns. @throws Ec2Refusal when there is none (any more) */
export function ownSnapshot(cloud: Cloud, id: string): Ec2Snapshot {
  checkSnapshotId(id);
  const found = cloud.storage.knownSnapshots().find((snapshot) => snapshot.id === id);
  if (found === undefined) throw new Ec2Refusal('InvalidSnapshot.NotFound', `The snapshot '${id}' does not exist.`);
  return found;
}

/** @throws Ec2Refusal with this code when it is no id of an account */
export function checkAccountId(id: string, code: string): string {
  if (!/^\d{12}$/.test(id)) throw new Ec2Refusal(code, `Invalid attribute item value "${id}" for userId item type.`);
  return id;
}
