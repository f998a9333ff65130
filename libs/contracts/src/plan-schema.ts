import { z } from 'zod';
import { plan } from './plan.js';
import { stepSchemas } from './steps.js';

type Json = Record<string, unknown>;

function schemaOf(schema: z.ZodType): Json {
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override({ jsonSchema }) {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  return json;
}

/**
 * What a plan may be as JSON Schema (draft 2020-12), for editors: as far as a schema can see. What its names and expressions
 * mean, and whether its steps need each other in a circle, only shows when all of it is read.
 */
export function planDocument(): Json {
  const whole = schemaOf(plan);
  const properties = whole['properties'] as Record<string, Json>;
  const kinds = Object.entries(stepSchemas).map(([kind, step]) => [kind, { title: kind === 'run-command' ? 'run: a command' : `uses: ${kind}`, ...schemaOf(step) }] as const);
  const uses = kinds.map(([kind]) => kind).filter((kind) => kind !== 'run-command');
  // Each kind by the name that a step gives itself, rather than any of thirteen: so editors say what is wrong with that kind.
  const step = {
    title: 'a step',
    type: 'object',
    required: ['name'],
    if: { required: ['uses'] },
    then: { properties: { uses: { enum: uses } }, allOf: uses.map((kind) => ({ if: { properties: { uses: { const: kind } } }, then: { $ref: `#/$defs/${kind}` } })) },
    else: { $ref: '#/$defs/run-command' },
  };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'urn:berth:plan',
    title: 'A build plan of Berth',
    description: 'What is built, on which hosts, in which steps.',
    ...whole,
    properties: { ...properties, steps: { ...properties['steps'], items: step } },
    $defs: Object.fromEntries(kinds),
  };
}
