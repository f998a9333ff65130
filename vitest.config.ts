import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

// Workspace packages resolve to their TypeScript source, so that no test ever runs against an old build.
// Not `module`: Node itself can't load what bundlers are given (the AWS SDK has such files).
const conditions = ['berth-source', ...defaultServerConditions.filter((condition) => condition !== 'module')];

/** What takes long because it tries very much, or makes something big: `npm run test:model`. */
export const MODEL = ['{libs,services}/**/src/**/*.{property,fuzz,large}.spec.ts', 'test/e2e/**/*.large.spec.ts'];

/** What takes long because something is broken, cut or switched off: `npm run test:faults` has these too. */
export const FAULTS = ['services/**/src/**/*.faults.spec.ts'];

/** The main suite: everything but the fault, browser and model tests. */
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
    exclude: ['**/node_modules/**', '**/dist/**', ...MODEL, ...FAULTS],
    // A folder that holds nothing yet must not fail the run.
    passWithNoTests: true,
    pool: 'forks',
    maxWorkers: 2,
    // A process for each file loads the same packages anew, which was a fifth of all the time that a run took. Files share what
    // is loaded, never what they start: each ends with nothing pending and nothing left (`leak-check.ts`).
    isolate: false,
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
