import { z } from 'zod';

export type JsonSchema = Record<string, unknown>;

/** What a transform of a schema that is stored gives. */
const stored: Record<string, string> = { String: 'string', anyOf: 'string', durationMs: 'integer' };

/**
 * A schema as JSON Schema (draft 2020-12), without its dialect: `input` = what an asker may write, `output` = what is stored
 * or answered. Schemas that are among `names` are told as `{$ref: '#/$defs/NAME'}` with `$defs` beside.
 */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output', names?: Readonly<Record<string, z.ZodType>>): JsonSchema {
  const metadata = z.registry<{ id: string }>();
  for (const [id, named] of Object.entries(names ?? {})) metadata.add(named, { id });
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    ...(names && { metadata: metadata as unknown as typeof z.globalRegistry }),
    override({ zodSchema, jsonSchema: made }) {
      // Descriptions are in another registry than the names that are made here.
      const description = names && z.globalRegistry.get(zodSchema)?.description;
      if (description !== undefined) made.description = description;
      const { def } = zodSchema._zod;
      // What is read as text, whatever was written, is stored as text; a duration as milliseconds.
      if (io === 'output' && def.type === 'pipe' && def.out._zod.def.type === 'transform') {
        const { transform } = def.out._zod.def as z.core.$ZodTransformDef;
        const type = stored[transform.name];
        if (type === undefined) throw new Error(`a schema of an event transforms with ${transform.name}: say here what it is stored as`);
        made.type = type as 'string';
      }
      // The formats say it shorter than their patterns.
      if (made.format === 'uuid' || made.format === 'date-time') delete made.pattern;
      if (made.maximum === Number.MAX_SAFE_INTEGER) delete made.maximum;
      if (made.minimum === Number.MIN_SAFE_INTEGER) delete made.minimum;
      // An event or an answer may grow: its readers must not refuse what they don't know.
      if (io === 'output' && made.additionalProperties === false) delete made.additionalProperties;
    },
  });
  return json;
}
