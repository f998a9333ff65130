import type { Provider } from './provider.js';
import type { Closable } from './ec2/provider.js';
import type { ImageTiming } from './ec2/timing.js';

export interface Ec2ProviderOptions {
  /** ms since 1970 */
  now?: () => number;
  /** gets a line when something waits for EC2 */
  log?: (line: string) => void;
  timing?: Partial<ImageTiming>;
}

/**
 * Images (AMIs) of Amazon EC2, or of what speaks its API. The SDK takes 0.4 s and 70 MB (measured with 3.1169.0), so it is loaded
 * when something is first asked of EC2: who has no such provider does not pay for it.
 */
export function ec2Provider(options: Ec2ProviderOptions = {}): Required<Provider> & Closable {
  let loading: Promise<Required<Provider> & Closable> | undefined;
  const loaded = (): Promise<Required<Provider> & Closable> => (loading ??= import('./ec2/provider.js').then(({ providerOf }) => providerOf(options)));
  return {
    check: async (account, provider, signal) => (await loaded()).check(account, provider, signal),
    find: async (account, provider, id, signal) => (await loaded()).find(account, provider, id, signal),
    seal: async (call) => (await loaded()).seal(call),
    push: async (call) => (await loaded()).push(call),
    remove: async (call) => (await loaded()).remove(call),
    abandon: async (call) => (await loaded()).abandon(call),
    close: async () => (await loading)?.close(),
  };
}
