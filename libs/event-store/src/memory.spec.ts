import { describe } from 'vitest';
import { memoryStore } from './memory.js';
import { storeContract } from './store.contract.js';

describe('the event store in memory', () => {
  const store = memoryStore();
  storeContract(() => store);
});
