import type { EC2Client, Image } from '@aws-sdk/client-ec2';
import type { BlueprintOf } from '@berth/contracts';
import { filter, images } from '@berth/ec2';

type Spec = BlueprintOf<'ec2'>;

/** What an image of a blueprint is called in sentences. */
export function imageText({ image }: Pick<Spec, 'image'>): string {
  return 'ami' in image ? image.ami : `image tagged berth:image = ${image.name} and berth:channel = ${image.channel}, of this account and available,`;
}

/**
 * The image to launch: the one given, or the newest of its name and channel.
 * @returns undefined when there is none
 */
export async function newestImage(ec2: EC2Client, { image }: Pick<Spec, 'image'>, signal?: AbortSignal): Promise<string | undefined> {
  if ('ami' in image) return image.ami;
  const found = await images(ec2, { Owners: ['self'], Filters: [filter('tag:berth:image', [image.name]), filter('tag:berth:channel', [image.channel]), filter('state', ['available'])] }, signal);
  // RFC 3339 in UTC; the id decides between two of the same second, so that everybody takes the same.
  const age = ({ CreationDate = '', ImageId = '' }: Image): string => `${CreationDate} ${ImageId}`;
  return found.filter(({ State }) => State === 'available').sort((a, b) => (age(a) < age(b) ? 1 : -1))[0]?.ImageId;
}

/** Whether a given image can be launched now; one that EC2 does not know is an error of its own. */
export async function isAvailable(ec2: EC2Client, ami: string): Promise<boolean> {
  const [found] = await images(ec2, { ImageIds: [ami] });
  return found?.State === 'available';
}
