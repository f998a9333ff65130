import type { Cloud } from './cloud.js';
import { checkAccountId, ownImage, ownSnapshot, checkSnapshotId } from './ids.js';
import type { Parameters } from './parameters.js';
import { Ec2Refusal, UNSUPPORTED } from './refusal.js';
import { checkDryRun } from './requests.js';
import type { Xml } from './xml.js';

/** "DeregisterImage" (API Reference): its snapshots stay. */
export function deregisterImage(parameters: Parameters, cloud: Cloud): Record<string, Xml> {
  const id = parameters.required('ImageId');
  if (parameters.flag('DeleteAssociatedSnapshots') === true) throw new Ec2Refusal(UNSUPPORTED, 'The stand-in leaves snapshots where they are; the real service can delete them.');
  const dryRun = parameters.flag('DryRun') ?? false;
  parameters.end();
  ownImage(cloud, id);
  checkDryRun(dryRun);
  cloud.storage.images.delete(id);
  cloud.storage.deregistered.add(id);
  return { return: true };
}

/** "DeleteSnapshot" (API Reference): not while an image uses it. */
export function deleteSnapshot(parameters: Parameters, cloud: Cloud): Record<string, Xml> {
  const id = parameters.required('SnapshotId');
  const dryRun = parameters.flag('DryRun') ?? false;
  parameters.end();
  ownSnapshot(cloud, id);
  const user = [...cloud.storage.images.values()].find(({ mappings }) => mappings.some(({ snapshotId }) => snapshotId === id));
  if (user !== undefined) throw new Ec2Refusal('InvalidSnapshot.InUse', `The snapshot ${id} is currently in use by ${user.id}`);
  checkDryRun(dryRun);
  cloud.storage.snapshots.delete(id);
  return { return: true };
}

/** "ModifyImageAttribute" (API Reference), of who may launch it. */
export function modifyImageAttribute(parameters: Parameters, cloud: Cloud): Record<string, Xml> {
  const id = parameters.required('ImageId');
  const change = readChange(parameters, 'launchPermission', 'LaunchPermission', 'InvalidAMIAttributeItemValue');
  const { sharedWith } = ownImage(cloud, id);
  checkDryRun(change.dryRun);
  cloud.storage.change(cloud.storage.images, id, { sharedWith: change.of(sharedWith) });
  return { return: true };
}

/** "ModifySnapshotAttribute" (API Reference), of who may make volumes of it. */
export function modifySnapshotAttribute(parameters: Parameters, cloud: Cloud): Record<string, Xml> {
  const id = parameters.required('SnapshotId');
  const change = readChange(parameters, 'createVolumePermission', 'CreateVolumePermission', 'InvalidAttributeValue');
  const { sharedWith } = ownSnapshot(cloud, id);
  checkDryRun(change.dryRun);
  cloud.storage.change(cloud.storage.snapshots, id, { sharedWith: change.of(sharedWith) });
  return { return: true };
}

/** "DescribeImageAttribute" (API Reference). */
export function describeImageAttribute(parameters: Parameters, cloud: Cloud): Record<string, Xml> {
  const id = parameters.required('ImageId');
  const attribute = parameters.required('Attribute');
  if (attribute !== 'launchPermission') throw new Ec2Refusal(UNSUPPORTED, 'The stand-in tells of launchPermission only; the real service of more.');
  parameters.end();
  return { imageId: id, launchPermission: permissionsXml(ownImage(cloud, id).sharedWith) };
}

/** "DescribeSnapshotAttribute" (API Reference). */
export function describeSnapshotAttribute(parameters: Parameters, cloud: Cloud): Record<string, Xml> {
  const id = parameters.required('SnapshotId');
  const attribute = parameters.required('Attribute');
  if (attribute !== 'createVolumePermission') throw new Ec2Refusal(UNSUPPORTED, 'The stand-in tells of createVolumePermission only; the real service of more.');
  parameters.end();
  checkSnapshotId(id);
  return { snapshotId: id, createVolumePermission: permissionsXml(ownSnapshot(cloud, id).sharedWith) };
}

function readChange(parameters: Parameters, attribute: string, structure: string, code: string): { dryRun: boolean; of(before: readonly string[]): string[] } {
  parameters.oneOf('Attribute', [attribute]);
  const change = parameters.group(structure);
  const who = (list: 'Add' | 'Remove'): string[] =>
    (change?.groups(list) ?? []).map((entry) => {
      const group = entry.oneOf('Group', ['all']);
      return group ?? checkAccountId(entry.required('UserId'), code);
    });
  const [add, remove] = [who('Add'), who('Remove')];
  const dryRun = parameters.flag('DryRun') ?? false;
  parameters.end();
  if (add.length + remove.length === 0) throw new Ec2Refusal('InvalidParameterCombination', 'No attributes specified.');
  return { dryRun, of: (before) => [...new Set([...before, ...add])].filter((id) => !remove.includes(id)) };
}

function permissionsXml(sharedWith: readonly string[]): Xml {
  return sharedWith.map((id) => (id === 'all' ? { group: id } : { userId: id }));
}
