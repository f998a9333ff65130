import { CreateImageCommand } from '@aws-sdk/client-ec2';
import { ForeignAnswer } from '@berth/ec2';
import type { Call, Step } from '../provider.js';
import { Trouble } from '../trouble.js';
import { adopted, look } from './images.js';
import { nameOf, tagged } from './names.js';
import type { Site } from './site.js';
import { siteOf, time, type Work } from './work.js';

/** Of the whole: what CreateImage takes until it answers. */
const MADE = 5;

/** Makes an image of a host. Facts: `name` (the intent), then `image`, and `since` of the last of them. */
export async function seal(call: Call & { instance: string }, work: Work): Promise<Step> {
  const { name, image } = call.facts;
  if (name === undefined) return { is: 'keep', facts: { name: nameOf(call), since: time(work) }, percent: 0, activity: `makes an image of ${call.instance}` };
  const site = await siteOf(work, call);
  if (image === undefined) return { is: 'keep', facts: { image: await make(site, call, name), since: time(work) }, percent: MADE };
  return (await look(site, call, work, (share) => MADE + Math.floor((99 - MADE) * share))) ?? { is: 'done', id: image };
}

/** There is no client token for this call: what keeps it from being done twice is the name. */
async function make(site: Site, call: Call & { instance: string }, name: string): Promise<string> {
  try {
    return await site.ask('CreateImage', async (ec2, options) => {
      const { ImageId } = await ec2.send(
        new CreateImageCommand({
          InstanceId: call.instance,
          Name: name,
          Description: `${call.image} ${call.number}, made by Berth`,
          // The host is at rest: its last command is over, and it has written out its disks.
          NoReboot: true,
          TagSpecifications: tagged(call, 'image', 'snapshot'),
        }),
        options,
      );
      if (ImageId === undefined) throw new ForeignAnswer('the answer has no image');
      return ImageId;
    });
  } catch (error) {
    if (error instanceof Trouble && error.code === 'InvalidAMIName.Duplicate') return adopted(site, name, call.version);
    throw error;
  }
}
