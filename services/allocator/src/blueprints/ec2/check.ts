import { RunInstancesCommand, type EC2Client, type RunInstancesCommandInput } from '@aws-sdk/client-ec2';
import { rejected, type BlueprintOf, type Refusal } from '@berth/contracts';
import type { Bootable } from '../../domain/images.js';
import type { Connections } from './connections.js';
import { imageText, isAvailable, newestImage } from './image.js';
import { offersOf, type Offer } from './offers.js';
import { launchRequest } from './request.js';
import { troubleOf, type Trouble } from './trouble.js';

/** Nothing is launched with it. */
const NOBODY = '00000000-0000-0000-0000-000000000000';

/** EC2 lets an account ask for launches in a row only so often ("Request throttling", Developer Guide): enough for most blueprints. */
const ASKED = 8;

/** Whether a launch could work, as far as EC2 tells without one: image, then permissions, and every type, zone and market once. */
export async function check(spec: BlueprintOf<'ec2'>, booted: Bootable | undefined, connections: Connections): Promise<Refusal | undefined> {
  try {
    const { ec2, once } = await connections.of(spec);
    const given = booted?.id ?? ('ami' in spec.image ? spec.image.ami : undefined);
    const image = given ?? (await newestImage(ec2, spec));
    if (image === undefined || (given !== undefined && !(await isAvailable(ec2, given)))) {
      return refusal('data.spec.image', `there is no ${booted ? `${booted.id}, which is version ${booted.number} of image ${booted.image},` : imageText(spec)} in ${spec.region} that could be launched now: use another, or wait until it is ready`);
    }
    for (const [i, offer] of covering(offersOf(spec)).slice(0, ASKED).entries()) {
      const trouble = await rehearse(launchRequest({ spec, installation: 'check', resource: NOBODY, owner: 'berth' }, offer, image, undefined), once, spec);
      // Places and quotas change without the blueprint; a launch has other offers to try.
      if (trouble === undefined || trouble.then === 'another') continue;
      // The first one got through, so there is nothing wrong with the blueprint as far as was asked.
      if (trouble.then === 'again' && i > 0) return undefined;
      return told(trouble);
    }
    return undefined;
  } catch (error) {
    return told(troubleOf(error, spec));
  }
}

/** Undefined: it would be launched. */
async function rehearse(request: RunInstancesCommandInput, ec2: EC2Client, spec: BlueprintOf<'ec2'>): Promise<Trouble | undefined> {
  try {
    await ec2.send(new RunInstancesCommand({ ...request, DryRun: true }));
  } catch (error) {
    // "RunInstances", API Reference: the answer to a dry run that would work is this error.
    return error instanceof Error && error.name === 'DryRunOperation' ? undefined : troubleOf(error, spec);
  }
  throw new Error('EC2 answered a dry run as if it had launched something');
}

/** The first offers that have every type, every zone and subnet, and every market among them. */
function covering(offers: readonly Offer[]): Offer[] {
  const seen = new Set<string>();
  return offers.filter(({ type, zone, subnet, market }) => {
    const parts = [`type ${type}`, `zone ${zone} ${subnet}`, `market ${market}`];
    const fresh = parts.some((part) => !seen.has(part));
    for (const part of parts) seen.add(part);
    return fresh;
  });
}

function told({ field, then, sentence }: Trouble): Refusal {
  return refusal(field, then === 'again' ? `${sentence}. To save it without asking EC2, use --no-check (check: false)` : sentence);
}

function refusal(field: string, message: string): Refusal {
  return rejected('provider-refused', `EC2 would not launch hosts of it: ${message}`, [{ field, message }]);
}
