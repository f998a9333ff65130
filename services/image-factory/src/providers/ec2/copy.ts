import { CopyImageCommand, CreateTagsCommand, ModifyImageAttributeCommand, ModifySnapshotAttributeCommand } from '@aws-sdk/client-ec2';
import { ForeignAnswer, pollAfter } from '@berth/ec2';
import type { Call, Provided, Step } from '../provider.js';
import { Trouble } from '../trouble.js';
import { adopted, imagesBy, look, snapshotIdsOf } from './images.js';
import { nameOf, tagged, tagsOf, tokenOf } from './names.js';
import { ec2Of, Site } from './site.js';
import { siteOf, time, type Work } from './work.js';

const COPIED = 5;

/** Brings an image of EC2 to an account. Facts: `name` (the intent to copy), then `image`, and `since` of the last of them. */
export async function copy(call: Call & { from: Provided }, work: Work): Promise<Step> {
  const { from, facts } = call;
  const { name, image } = facts;
  const site = await siteOf(work, call);
  if (image !== undefined) return (await look(site, call, work, (share) => COPIED + Math.floor((99 - COPIED) * share))) ?? { is: 'done', id: image };
  if (name === undefined) {
    if (ec2Of(from.provider).endpoint !== ec2Of(call.provider).endpoint) {
      return { is: 'failed', error: `an image can't be copied from the provider ${from.provider.name} to the provider ${call.provider.name}: they are different servers. Build it on a host of an account of ${call.provider.name}` };
    }
    if (from.account.region === call.account.region && (isSame(call) || (await isOwn(site, from.id)))) return tag(site, call);
    if (from.account.region === call.account.region && call.account.accountId === undefined) {
      return { is: 'failed', error: `account ${call.account.name} does not own ${from.id}, and it is not known which AWS account it is, so nothing can be shared with it: save it with its accountId` };
    }
    return { is: 'keep', facts: { name: nameOf(call), since: time(work) }, percent: 0, activity: `copies ${from.id} from ${from.account.region ?? ''}` };
  }
  const shared = await letIn(call, work);
  try {
    return { is: 'keep', facts: { image: await ask(site, call, name), since: time(work) }, percent: COPIED };
  } catch (error) {
    // What was shared a moment ago is not known everywhere yet.
    const age = work.now() - Date.parse(facts['since'] ?? '');
    if (error instanceof Trouble && shared && age < work.timing.unseen && /^(InvalidAMIID\.NotFound|InvalidRequest|AuthFailure)$/.test(error.code)) return { is: 'wait', ms: pollAfter(age, work.timing) };
    throw error;
  }
}

/** Whether both accounts of Berth are one account of AWS, as far as is known. */
function isSame({ account, from }: Call & { from: Provided }): boolean {
  return account.credentials === from.account.credentials || (account.accountId !== undefined && account.accountId === from.account.accountId);
}

async function isOwn(site: Site, id: string): Promise<boolean> {
  return (await imagesBy(site, 'image-id', id)).length > 0;
}

/** It is there already. */
async function tag(site: Site, call: Call & { from: Provided }): Promise<Step> {
  await site.ask('CreateTags', (ec2, options) => ec2.send(new CreateTagsCommand({ Resources: [call.from.id], Tags: tagsOf(call) }), options));
  return { is: 'done', id: call.from.id };
}

/**
 * Shares the image with the other account: to launch it, and to read each of its snapshots ("Copy an Amazon EC2 AMI", User Guide).
 * It stays shared: other copies of it may be under way.
 * @returns whether there was somebody to let in
 */
async function letIn(call: Call & { from: Provided }, work: Work): Promise<boolean> {
  const { from, account, signal } = call;
  const { accountId } = account;
  if (accountId === undefined || isSame(call)) return false;
  const source = await Site.open(work.connections, from.account, from.provider, signal);
  const [image] = await imagesBy(source, 'image-id', from.id);
  if (image === undefined) throw new Trouble(`account ${from.account.name} has no image ${from.id} any more: build it again`, false);
  const Add = [{ UserId: accountId }];
  await source.ask('ModifyImageAttribute', (ec2, options) => ec2.send(new ModifyImageAttributeCommand({ ImageId: from.id, LaunchPermission: { Add } }), options));
  for (const SnapshotId of snapshotIdsOf(image)) {
    await source.ask('ModifySnapshotAttribute', (ec2, options) => ec2.send(new ModifySnapshotAttributeCommand({ SnapshotId, CreateVolumePermission: { Add } }), options));
  }
  return true;
}

async function ask(site: Site, call: Call & { from: Provided }, name: string): Promise<string> {
  try {
    return await site.ask('CopyImage', async (ec2, options) => {
      const { ImageId } = await ec2.send(
        new CopyImageCommand({
          SourceRegion: call.from.account.region,
          SourceImageId: call.from.id,
          Name: name,
          Description: `${call.image} ${call.number}, copied by Berth`,
          ClientToken: tokenOf(call),
          TagSpecifications: tagged(call, 'image', 'snapshot'),
        }),
        options,
      );
      if (ImageId === undefined) throw new ForeignAnswer('the answer has no image');
      return ImageId;
    });
  } catch (error) {
    // EC2 forgets tokens; the name it does not. With a token it knows, other tags than then are a mismatch.
    if (error instanceof Trouble && /^(InvalidAMIName\.Duplicate|IdempotentParameterMismatch)$/.test(error.code)) return adopted(site, name, call.version);
    throw error;
  }
}
