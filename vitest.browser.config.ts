import { defineConfig } from 'vitest/config';
import main from './vitest.config.ts';

/** The dashboard in a real browser, on a whole Berth. */
export default defineConfig({
  ...main,
  test: {
    ...main.test,
    include: ['test/browser/**/*.spec.ts'],
    testTimeout: 60_000,
    // A whole Berth starts, on a machine that may be busy with much else.
    hookTimeout: 240_000,
  },
});
