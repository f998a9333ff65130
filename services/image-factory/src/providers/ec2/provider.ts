import { Connections } from '@berth/ec2';
import { patiently } from '../patience.js';
import type { Call, Provider, RemoveStep, Step } from '../provider.js';
import { Transfers } from '../transfers.js';
import { Trouble } from '../trouble.js';
import type { Ec2ProviderOptions } from '../ec2.js';
import { Buckets } from './bucket.js';
import { check, find } from './check.js';
import { copy } from './copy.js';
import { importDisk } from './import.js';
import { abandon, remove } from './remove.js';
import { seal } from './seal.js';
import { defaultTiming } from './timing.js';
import type { Work } from './work.js';

export interface Closable {
  close(): Promise<void>;
}

/** The provider itself; `ec2.ts` loads it with the SDK when it is needed. */
export function providerOf({ now = Date.now, log = () => undefined, timing: given = {} }: Ec2ProviderOptions): Required<Provider> & Closable {
  const timing = { ...defaultTiming, ...given };
  const work: Work = { timing, now, log, connections: new Connections(timing, (clients) => clients), buckets: new Buckets(), transfers: new Transfers(timing.pollFrom) };

  /** What has failed first leaves nothing behind; its reason is kept meanwhile, as the fact `failure`. */
  const making = async (call: Call, take: () => Promise<Step>): Promise<Step> => {
    const { failure, name, troubleSince } = call.facts;
    if (failure !== undefined) return cleared(failure, await patiently(call, work, () => abandon(call, work, call.facts['unsure'] === undefined)));
    const step = await patiently(call, work, take);
    if (step.is !== 'failed' || name === undefined) return step;
    return { is: 'keep', facts: { failure: step.error, troubleSince: null, ...(troubleSince !== undefined && { unsure: 'yes' }) } };
  };
  return {
    check: (account, provider, signal) => check(account, provider, signal, work),
    find: (account, provider, id, signal) => find(account, provider, id, signal, work),
    seal: (call) => making(call, () => seal(call, work)),
    push: (call) => making(call, () => push(call, work)),
    remove: (call) => patiently(call, work, () => remove(call, work)),
    abandon: (call) => patiently(call, work, () => abandon(call, work, false)),
    async close() {
      await work.transfers.close();
      work.connections.close();
      work.buckets.close();
    },
  };
}

async function push(call: Parameters<Provider['push']>[0], work: Work): Promise<Step> {
  const { object, from, boot } = call;
  if (call.provider.target === 'raw') {
    if (object === undefined) throw new Trouble(`there is no disk of ${call.image} ${call.number} to upload: build it for the target raw`, false);
    // It would be an image that no instance starts of, found out when the first one does not.
    if (boot === 'none') throw new Trouble(`the disk of ${call.image} ${call.number} does not boot, so EC2 can't start it: set targets.raw.boot to uefi, and build it again`, false);
    return importDisk({ ...call, object }, work);
  }
  if (from === undefined) throw new Trouble(`there is no image of ${call.image} ${call.number} at a provider to copy: build it for the target ec2`, false);
  return copy({ ...call, from }, work);
}

function cleared(failure: string, step: RemoveStep): Step {
  switch (step.is) {
    case 'keep':
    case 'wait':
      return step;
    case 'gone':
      return { is: 'failed', error: step.manual.length === 0 ? failure : `${failure}. To be removed by hand: ${step.manual.join('; ')}` };
    case 'failed':
      // The same keeps both from being done: it is told once.
      return { is: 'failed', error: step.error === failure ? failure : `${failure}. What was made for it could not be removed: ${step.error}` };
  }
}
