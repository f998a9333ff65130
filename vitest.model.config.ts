import { defineConfig } from 'vitest/config';
import main, { MODEL } from './vitest.config.ts';

/** The model suite: laws over random histories, the fuzz of the HTTP API, and lists over 100,000 rows. */
export default defineConfig({
  ...main,
  test: {
    ...main.test,
    include: MODEL,
    exclude: ['**/node_modules/**', '**/dist/**'],
  },
});
