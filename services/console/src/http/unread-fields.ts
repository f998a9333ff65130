import { z } from 'zod';

/** A field that a schema does not know. */
export interface UnreadField {
  /** such as `workingCopy.reff` */
  field: string;
  /** what there is beside it */
  known: readonly string[];
}

/**
 * The fields of a value that its schema does not know and would leave out without a word. A schema that refuses them itself is
 * left to do so, and so is whatever is not of the right type.
 */
export function unreadFields(schema: z.ZodType, value: unknown, path = ''): UnreadField[] {
  const inner = insideOf(schema);
  if (inner) return unreadFields(inner, value, path);
  if (schema instanceof z.ZodArray) return Array.isArray(value) ? value.flatMap((one, i) => unreadFields(schema.element as z.ZodType, one, `${path}[${i}]`)) : [];
  if (!isObject(value)) return [];
  if (schema instanceof z.ZodRecord) return Object.entries(value).flatMap(([key, one]) => unreadFields(schema.valueType as z.ZodType, one, join(path, key)));
  if (schema instanceof z.ZodUnion) return ofUnion(schema, value, path);
  return schema instanceof z.ZodObject ? ofObject(schema, value, path) : [];
}

function ofObject({ shape, def }: z.ZodObject, value: Record<string, unknown>, path: string): UnreadField[] {
  const known = shape as Record<string, z.ZodType>;
  return Object.entries(value).flatMap(([key, one]) => {
    if (Object.hasOwn(known, key)) return unreadFields(known[key]!, one, join(path, key));
    return def.catchall === undefined ? [{ field: join(path, key), known: Object.keys(known) }] : [];
  });
}

/** By the branch that the value says it is; where none says so, by the one that knows most of it. */
function ofUnion({ options, def }: z.ZodUnion, value: Record<string, unknown>, path: string): UnreadField[] {
  const { discriminator } = def as { discriminator?: string };
  const branches = (options as readonly z.ZodType[]).filter((one) => (discriminator === undefined ? hasFields(one) : says(one, discriminator, value[discriminator])));
  return branches.map((one) => unreadFields(one, value, path)).sort((a, b) => a.length - b.length)[0] ?? [];
}

function hasFields(schema: z.ZodType): boolean {
  const inner = insideOf(schema);
  return inner ? hasFields(inner) : schema instanceof z.ZodObject || schema instanceof z.ZodRecord || schema instanceof z.ZodUnion;
}

const says = (branch: z.ZodType, discriminator: string, value: unknown): boolean => branch instanceof z.ZodObject && (branch.shape[discriminator] as z.ZodType).safeParse(value).success;

/** What a schema only stands around. */
function insideOf(schema: z.ZodType): z.ZodType | undefined {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodReadonly) return schema.unwrap() as z.ZodType;
  if (schema instanceof z.ZodPipe) return (schema.in instanceof z.ZodTransform ? schema.out : schema.in) as z.ZodType;
  return schema instanceof z.ZodLazy ? (schema.unwrap() as z.ZodType) : undefined;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const join = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);
