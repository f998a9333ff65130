import type { Provider, Providers } from './provider.js';

const mock: Provider = {
  check: async () => undefined,
  push: async ({ account, facts, attempt }) => {
    if (!facts['begun']) return { is: 'keep', facts: { begun: String(attempt) }, percent: 50, activity: 'half of it' };
    return account.name.endsWith('-failing') ? { is: 'failed', error: 'it is said to fail' } : { is: 'done', id: `mock-${account.name}-${attempt}` };
  },
  remove: async () => ({ is: 'gone', manual: [] }),
  find: async () => ({}),
};
export const providers = (): Providers => ({ ec2: mock, folder: mock, mock });
