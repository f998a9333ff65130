import { defineConfig } from 'vitest/config';
import main, { FAULTS } from './vitest.config.ts';

/** The fault suite: real processes killed, cut and frozen, one fault a test. */
export default defineConfig({
  ...main,
  test: {
    ...main.test,
    include: ['test/faults/**/*.spec.ts', ...FAULTS],
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 90_000,
  },
});
