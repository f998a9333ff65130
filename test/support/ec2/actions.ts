import { createTags, terminateInstances } from './change.js';
import { deleteSnapshot, deregisterImage, describeImageAttribute, describeSnapshotAttribute, modifyImageAttribute, modifySnapshotAttribute } from './change-images.js';
import type { Cloud } from './cloud.js';
import { describeInstances, describeInstanceStatus, describeSpotInstanceRequests, getConsoleOutput } from './describe.js';
import { describeImages } from './describe-images.js';
import { describeSnapshots } from './describe-snapshots.js';
import { cancelImportTask, describeImportSnapshotTasks, importSnapshot } from './import-snapshot.js';
import { copyImage, createImage, registerImage } from './make-image.js';
import type { Parameters } from './parameters.js';
import { runInstances, type Launching } from './run-instances.js';
import type { Xml } from './xml.js';

/** Carries a call out. @throws Ec2Refusal when the service would not */
export type Action = (parameters: Parameters, launching: Launching) => Record<string, Xml>;

const onCloud = (carryOut: (parameters: Parameters, cloud: Cloud) => Record<string, Xml>): Action => (parameters, { cloud }) => carryOut(parameters, cloud);

/** All that the stand-in can do; every other action is an `InvalidAction`. */
export const actions: ReadonlyMap<string, Action> = new Map<string, Action>([
  ['RunInstances', runInstances],
  ['TerminateInstances', onCloud(terminateInstances)],
  ['DescribeInstances', onCloud(describeInstances)],
  ['DescribeInstanceStatus', onCloud(describeInstanceStatus)],
  ['DescribeSpotInstanceRequests', onCloud(describeSpotInstanceRequests)],
  ['GetConsoleOutput', onCloud(getConsoleOutput)],
  ['CreateTags', onCloud(createTags)],
  ['DescribeImages', onCloud(describeImages)],
  ['CreateImage', onCloud(createImage)],
  ['CopyImage', onCloud(copyImage)],
  ['RegisterImage', onCloud(registerImage)],
  ['DeregisterImage', onCloud(deregisterImage)],
  ['ModifyImageAttribute', onCloud(modifyImageAttribute)],
  ['DescribeImageAttribute', onCloud(describeImageAttribute)],
  ['DescribeSnapshots', onCloud(describeSnapshots)],
  ['DeleteSnapshot', onCloud(deleteSnapshot)],
  ['ModifySnapshotAttribute', onCloud(modifySnapshotAttribute)],
  ['DescribeSnapshotAttribute', onCloud(describeSnapshotAttribute)],
  ['ImportSnapshot', (parameters, { cloud, importing }) => importSnapshot(parameters, cloud, importing)],
  ['CancelImportTask', onCloud(cancelImportTask)],
  ['DescribeImportSnapshotTasks', onCloud(describeImportSnapshotTasks)],
]);
