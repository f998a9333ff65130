import { z } from 'zod';
import { nearest, type FieldError } from '@berth/contracts';
import { MAX_ERRORS, type Path, type Places } from './places.js';

type Finding = z.core.$ZodIssue;

/**
 * What a schema finds wrong with a value, as sentences with their places: one for each key or value.
 * @param base where in the document the schema begins
 */
export function tell(source: Places, finding: Finding, base: Path, schema: z.ZodType): FieldError[] {
  const path = [...base, ...finding.path];
  switch (finding.code) {
    case 'unrecognized_keys':
      return finding.keys.slice(0, MAX_ERRORS).map((key) => source.tell([...path, key], 'key', unknownKey(key, keysAt(schema, finding.path))));
    case 'invalid_key':
      return [source.tell(path, 'key', `${JSON.stringify(String(path.at(-1)))} can't be a name here: ${finding.issues[0]?.message ?? finding.message}`)];
    case 'invalid_union': {
      const closer = finding.errors.find((branch) => branch.some((inner) => !isOfOtherType(inner)));
      if (closer) return closer.flatMap((inner) => tell(source, { ...inner, path: [...finding.path, ...inner.path] } as Finding, base, schema));
      return [source.tell(path, 'value', `must be ${typesOf(finding).join(' or ')}`)];
    }
    case 'invalid_type':
      if (!source.has(path)) return [source.tell(path, 'key', 'is required')];
      return [source.tell(path, 'value', `${source.isEmpty(path) ? 'is empty: it ' : ''}must be ${typeNames[finding.expected] ?? finding.expected}`)];
    case 'too_small':
    case 'too_big': {
      const bound = finding.code === 'too_small' ? `at least ${finding.minimum}` : `at most ${finding.maximum}`;
      if (finding.origin === 'number' || finding.origin === 'int') return [source.tell(path, 'value', `must be ${bound}`)];
      return [source.tell(path, 'value', `must have ${bound} ${finding.origin === 'string' ? 'characters' : 'entries'}`)];
    }
    case 'invalid_value':
      return [source.tell(path, 'value', `must be ${finding.values.map(String).join(' or ')}`)];
    default:
      return [source.tell(path, 'value', finding.message)];
  }
}

/** Every branch of a union, and of the unions in it, wanted a value of another type: then the types are all there is to say. */
const isOfOtherType = (finding: Finding): boolean => finding.code === 'invalid_type' || (finding.code === 'invalid_union' && finding.errors.every((branch) => branch.every(isOfOtherType)));

const typesOf = (finding: Finding): string[] => {
  if (finding.code === 'invalid_type') return [typeNames[finding.expected] ?? finding.expected];
  return finding.code === 'invalid_union' ? finding.errors.flatMap((branch) => branch.flatMap(typesOf)) : [];
};

const typeNames: Record<string, string> = { string: 'text', number: 'a number', int: 'a whole number', boolean: 'true or false', array: 'a list', object: 'a mapping', record: 'a mapping' };

/** Which key was probably meant, or which there are. */
export function unknownKey(key: string, keys: readonly string[]): string {
  const meant = nearest(key, keys);
  return `unknown key ${JSON.stringify(key)}: ${meant ? `did you mean ${JSON.stringify(meant)}?` : `the keys here are ${keys.join(', ')}`}`;
}

/** The keys that a schema knows at a path. */
function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  let here: z.core.$ZodType | undefined = schema;
  for (const part of [...path, undefined]) {
    while (here instanceof z.ZodDefault || here instanceof z.ZodOptional) here = here.unwrap();
    if (!(here instanceof z.ZodObject)) return [];
    const shape: Record<string, z.core.$ZodType> = here.shape;
    if (part === undefined) return Object.keys(shape);
    here = shape[String(part)];
  }
  return [];
}
