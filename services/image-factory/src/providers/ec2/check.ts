import type { AccountSpec, ProviderSpec } from '@berth/contracts';
import type { Provider } from '../provider.js';
import { Trouble } from '../trouble.js';
import { imagesBy } from './images.js';
import { ec2Of } from './site.js';
import { siteOf, type Work } from './work.js';

/** No image is called so: what counts is whether the question is answered. */
const NOBODY = 'berth-checks-the-account';

export async function check(account: AccountSpec, provider: ProviderSpec, signal: AbortSignal, work: Work): Promise<string | undefined> {
  try {
    await imagesBy(await siteOf(work, { account, provider, signal }), 'name', NOBODY);
    if (provider.target === 'raw') await (await work.buckets.of(account, ec2Of(provider))).check(signal);
    return undefined;
  } catch (error) {
    if (error instanceof Trouble) return error.message;
    throw error;
  }
}

/** @throws {Trouble} when EC2 can't be asked, or the image can't be used now */
export async function find(account: AccountSpec, provider: ProviderSpec, id: string, signal: AbortSignal, work: Work): ReturnType<Provider['find']> {
  if (!/^ami-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id)) return undefined;
  const [found] = await imagesBy(await siteOf(work, { account, provider, signal }), 'image-id', id, []);
  if (found === undefined) return undefined;
  if (found.State !== 'available') throw new Trouble(`the image ${id} in account ${account.name} is ${found.State ?? 'in no state'}: it can be used once it is available`, false);
  const arch = found.Architecture === 'arm64' ? 'aarch64' : found.Architecture;
  return { os: /^windows$/i.test(found.Platform ?? '') ? 'windows' : 'linux', ...(arch !== undefined && { arch }), ...(found.Name !== undefined && { name: found.Name }) };
}
