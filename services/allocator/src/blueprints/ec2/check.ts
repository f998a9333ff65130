import { RunInstancesCommand } from '@aws-sdk/client-ec2';
import { rejected, type BlueprintOf, type Refusal } from '@berth/contracts';
import type { Connections } from './connections.js';
import { imageText, isAvailable, newestImage } from './image.js';
import { offersOf } from './offers.js';
import { launchRequest } from './request.js';
import { troubleOf } from './trouble.js';

/** Nothing is launched with it. */
const NOBODY = '00000000-0000-0000-0000-000000000000';

/** Whether a launch could work, as far as EC2 tells without one: image, then permissions and parameters of the first offer. */
export async function check(spec: BlueprintOf<'ec2'>, connections: Connections): Promise<Refusal | undefined> {
  try {
    const { ec2, once } = await connections.of(spec);
    const image = await newestImage(ec2, spec);
    if (image === undefined || ('ami' in spec.image && !(await isAvailable(ec2, spec.image.ami)))) {
      return refusal('data.spec.image', `there is no ${imageText(spec)} in ${spec.region} that could be launched now: use another, or wait until it is ready`);
    }
    const [offer] = offersOf(spec);
    if (offer === undefined) throw new Error('a blueprint without an offer passed its schema');
    const request = launchRequest({ spec, installation: 'check', resource: NOBODY, owner: 'berth' }, offer, image, undefined);
    await once.send(new RunInstancesCommand({ ...request, DryRun: true }));
  } catch (error) {
    // "RunInstances", API Reference: the answer to a dry run that would work is this error.
    if (error instanceof Error && error.name === 'DryRunOperation') return undefined;
    const trouble = troubleOf(error, spec);
    // Places and quotas change without the blueprint; a launch has other offers to try.
    if (trouble.then === 'another') return undefined;
    return refusal(trouble.field, trouble.then === 'again' ? `${trouble.sentence}. To save it without asking EC2, use --no-check (check: false)` : trouble.sentence);
  }
  throw new Error('EC2 answered a dry run as if it had launched something');
}

function refusal(field: string, message: string): Refusal {
  return rejected('provider-refused', `EC2 would not launch hosts of it: ${message}`, [{ field, message }]);
}
