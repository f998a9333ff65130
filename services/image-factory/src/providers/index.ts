import { ec2Provider, type Ec2ProviderOptions } from './ec2.js';
import { folderProvider } from './folder.js';
import { mockProvider } from './mock.js';
import type { Providers } from './provider.js';

/** Every kind of provider, and the end of what they hold open. */
export interface OpenProviders {
  readonly providers: Providers;
  /** What is being copied ends; it begins anew with the next step. */
  close(): Promise<void>;
}

export function openProviders(options: Pick<Ec2ProviderOptions, 'now' | 'log'> = {}): OpenProviders {
  const ec2 = ec2Provider(options);
  const folder = folderProvider(options);
  const mock = mockProvider();
  return {
    providers: { ec2, folder, mock } satisfies Providers,
    close: async () => void (await Promise.all([ec2.close(), folder.close()])),
  };
}
