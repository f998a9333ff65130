import { expect, it } from 'vitest';
import { catalogEntries } from '@berth/contracts';
import { openProviders } from './index.js';

it('there is a provider of each kind, and closing them twice harms nobody', async () => {
  const { providers, close } = openProviders();
  expect(Object.keys(providers).sort()).toEqual(catalogEntries.provider.options.map(({ shape }) => shape.kind.value).sort());
  await close();
  await close();
});
