import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plan as planSchema } from '@berth/contracts';
import { anyTemplate } from '../template/template.testing.js';
import { targets } from './index.js';

const kinds = Object.keys(targets) as (keyof typeof targets)[];

/** Each script there is, over all templates: values are in none. */
const scripts = new Set<string>();
const parts = ['base', 'packages', 'boot', 'files', 'command', 'password', 'lock', 'sbom', 'clean', 'disk', 'oci', 'seal'].map((part) => `sh bake/bake.sh ${part}`);

test.each(kinds)('%s: every template has faults that are told, or a plan', (kind) => {
  let planned = 0;
  fc.assert(
    fc.property(anyTemplate, (template) => {
      const faults = targets[kind].faults(template);
      for (const { field, message } of faults) expect([field, message]).not.toContain('');
      if (faults.length > 0) return;
      planned += 1;
      const { source, steps, seal } = targets[kind].plan({ image: template.name, revision: 1, template, plan: 'p' });
      const plan = planSchema.parse(JSON.parse(source));
      expect(new Set(steps.map(({ id }) => id)).size).toBe(steps.length);
      expect(plan.steps.map(({ id }) => id)).toEqual(steps.map(({ id }) => id));
      if (seal !== undefined) expect(plan.steps.some(({ id }) => id === seal)).toBe(true);
      for (const step of plan.steps) if ('run' in step) scripts.add(step.run);
    }),
    { numRuns: 500 },
  );
  expect(planned).toBeGreaterThan(20);
});

test('no value of a template stands in a script', () => {
  expect([...scripts].filter((script) => !parts.includes(script) && script !== ':' && !script.startsWith('set -eu\nif [ "$OUTCOME"'))).toEqual([]);
  expect(scripts.size).toBeLessThanOrEqual(parts.length + 2);
});
