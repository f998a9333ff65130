import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

// Workspace packages resolve to their TypeScript source, so that no test ever runs against an old build.
// Not `module`: Node itself can't load what bundlers are given (the AWS SDK has such files).
const conditions = ['berth-source', ...defaultServerConditions.filter((condition) => condition !== 'module')];

/** The main suite: everything but the fault tests. */
export default defineConfig({
  // NestJS's decorators on parameters exist in the older decorator language only.
  oxc: { decorator: { legacy: true } },
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  // Where vitest runs its global setup.
  environments: { __vitest__: { resolve: { conditions } } },
  test: {
    include: [
      'libs/**/src/**/*.spec.ts',
      'services/**/src/**/*.spec.ts',
      'infra/**/src/**/*.spec.ts',
      'test/{e2e,support}/**/*.spec.ts',
      'scripts/*.spec.mjs',
    ],
    exclude: ['**/node_modules/**', '**/dist/**'],
    // A folder that holds nothing yet must not fail the run.
    passWithNoTests: true,
    pool: 'forks',
    maxWorkers: 2,
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/leak-check.ts', 'test/support/seed.ts'],
    // Integration tests start real servers; the first start on a machine fetches them.
    testTimeout: 20_000,
    hookTimeout: 90_000,
    teardownTimeout: 20_000,
    // Slower tests are printed by name.
    slowTestThreshold: 1_000,
    reporters: ['default'],
  },
});
