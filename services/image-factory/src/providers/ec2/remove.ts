import { CancelImportTaskCommand, DeleteSnapshotCommand, DeregisterImageCommand, type Image } from '@aws-sdk/client-ec2';
import { pollAfter } from '@berth/ec2';
import type { Call, RemoveStep } from '../provider.js';
import { Trouble } from '../trouble.js';
import { imagesBy, isOf, snapshotIdsOf, snapshotsBy } from './images.js';
import { removeDisk, taskOf } from './import.js';
import type { Site } from './site.js';
import { siteOf, time, type Work } from './work.js';

/** Takes away an image, then its snapshots. Facts: `removing`, `snapshots` (ids with spaces between) and `removingSince`: once the image is gone, nobody says any more which they were. */
export async function remove(call: Call & { id: string }, work: Work): Promise<RemoveStep> {
  const { id, facts } = call;
  const site = await siteOf(work, call);
  if (facts['removing'] === id) return takeAway(site, call, work, (facts['snapshots'] ?? '').split(' ').filter((snapshot) => snapshot !== ''));
  const [found] = await imagesBy(site, 'image-id', id);
  if (found !== undefined) return { is: 'keep', facts: { removing: id, snapshots: (await snapshotsOf(site, id, found)).join(' '), removingSince: time(work) } };
  if (facts['image'] === id && isYoung(call, work)) return { is: 'wait', ms: work.timing.pollFrom };
  const [foreign] = await imagesBy(site, 'image-id', id, []);
  return { is: 'gone', manual: foreign === undefined ? [] : [`${id} in ${site.region} belongs to the AWS account ${foreign.OwnerId ?? ''}: it stays`] };
}

/** Takes away what facts of a push or a seal tell of. `sure`: nothing was made that they do not tell of. */
export async function abandon(call: Call, work: Work, sure: boolean): Promise<RemoveStep> {
  const { name, key, task, snapshot, image, removing } = call.facts;
  if (name === undefined) return { is: 'gone', manual: [] };
  if (key !== undefined && image === undefined && removing === undefined) await removeDisk(call, work, key);
  const site = await siteOf(work, call);
  if (task !== undefined && snapshot === undefined) {
    const step = await stopImport(site, task, work);
    if (step !== undefined) return step;
  }
  const made = image ?? removing ?? (await imagesBy(site, 'name', name)).find((found) => isOf(found, call.version))?.ImageId;
  if (made !== undefined) {
    const step = await remove({ ...call, id: made }, work);
    if (step.is !== 'gone' || snapshot === undefined) return step;
    return { is: 'gone', manual: [...step.manual, ...(await leftOf(site, call, work, [snapshot], made)).manual] };
  }
  if (!sure && isYoung(call, work)) return { is: 'wait', ms: work.timing.pollFrom };
  if (snapshot === undefined) return { is: 'gone', manual: [] };
  return { is: 'gone', manual: (await leftOf(site, call, work, [snapshot], '')).manual };
}

function isYoung({ facts }: Call, { now, timing }: Work): boolean {
  return now() - Date.parse(facts['since'] ?? '') < timing.unseen;
}

/** An image that is pending does not name all its snapshots yet; what EC2 writes on them does. */
async function snapshotsOf(site: Site, id: string, image: Image): Promise<string[]> {
  const written = await snapshotsBy(site, 'description', [`Created by CreateImage(*) for ${id}*`, `Copied for DestinationAmi ${id} *`]);
  return [...new Set([...snapshotIdsOf(image), ...written.flatMap(({ SnapshotId }) => SnapshotId ?? [])])];
}

async function takeAway(site: Site, call: Call & { id: string }, work: Work, snapshots: readonly string[]): Promise<RemoveStep> {
  await unless(/^InvalidAMIID\.(NotFound|Unavailable)$/, () => site.ask('DeregisterImage', (ec2, options) => ec2.send(new DeregisterImageCommand({ ImageId: call.id }), options)));
  const left = await leftOf(site, call, work, snapshots, call.id);
  return left.wait ? { is: 'wait', ms: work.timing.pollFrom } : { is: 'gone', manual: left.manual };
}

/** Deletes snapshots. What another image uses is told; what seems to be in use by the one that is gone is waited for a while. */
async function leftOf(site: Site, { facts }: Call, { now, timing }: Work, snapshots: readonly string[], gone: string): Promise<{ wait: boolean; manual: string[] }> {
  const manual: string[] = [];
  let wait = false;
  for (const id of snapshots) {
    const used = await unless(/^InvalidSnapshot\.(NotFound|InUse)$/, () => site.ask('DeleteSnapshot', (ec2, options) => ec2.send(new DeleteSnapshotCommand({ SnapshotId: id }), options)));
    if (used !== 'InvalidSnapshot.InUse') continue;
    const users = (await imagesBy(site, 'block-device-mapping.snapshot-id', id)).flatMap(({ ImageId = '' }) => (ImageId === gone ? [] : [ImageId]));
    const since = Date.parse(facts['removingSince'] ?? '');
    if (users.length === 0 && now() - since < timing.inUse) wait = true;
    else manual.push(`${id} in ${site.region} (account ${site.account.name}) is used by ${users.join(', ') || 'something else'}`);
  }
  return { wait, manual };
}

/** Nothing comes of an import that nobody waits for; what came of it all the same is removed like the rest. */
async function stopImport(site: Site, task: string, work: Work): Promise<RemoveStep | undefined> {
  const { Status, SnapshotId } = await taskOf(site, task);
  if (Status === 'completed' && SnapshotId !== undefined) return { is: 'keep', facts: { snapshot: SnapshotId } };
  if (Status === 'deleted') return undefined;
  // One that has come to its end meanwhile is looked at once more.
  if (Status !== 'deleting') await unless(/^IncorrectState$/, () => site.ask('CancelImportTask', (ec2, options) => ec2.send(new CancelImportTaskCommand({ ImportTaskId: task, CancelReason: 'Berth does not need it any more' }), options)));
  return { is: 'wait', ms: pollAfter(0, work.timing) };
}

/** The code of a refusal that says that there is nothing (more) to do. */
async function unless(codes: RegExp, what: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await what();
    return undefined;
  } catch (error) {
    if (error instanceof Trouble && codes.test(error.code)) return error.code;
    throw error;
  }
}
