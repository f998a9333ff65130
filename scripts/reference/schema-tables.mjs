// Schemas as tables for people.
import { uuid } from '../../libs/contracts/dist/index.js';
import { markdown } from './markdown.mjs';

/** What a schema says of itself, and its fields. */
export function described(schema) {
  return [...(schema.description ? [schema.description] : []), ...shapes(schema)];
}

/** One table, or one for each alternative. */
export function shapes(schema) {
  const alternatives = schema.oneOf ?? schema.anyOf;
  if (alternatives) return alternatives.flatMap((one, i) => [`${i === 0 ? 'Either' : 'Or'}:`, table(one)]);
  return Object.keys(schema.properties ?? {}).length === 0 ? ['No data.'] : [table(schema)];
}

/** The fields of one object. */
export function table(schema) {
  return markdown(['field', 'type', '', 'meaning'], rowsOf(schema, ''));
}

function rowsOf(schema, prefix) {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const needed = schema.required?.includes(name) ? 'required' : field.default === undefined ? 'optional' : `default \`${JSON.stringify(field.default)}\``;
    const meaning = field.format === 'uuid' && field.description === uuid.description ? '' : (field.description ?? '');
    return [[`\`${path}\``, typeOf(field), needed, meaning], ...inner(field, path)];
  });
}

/** Rows of what a field holds. */
function inner(field, path) {
  const alternatives = field.oneOf ?? field.anyOf;
  if (alternatives?.some((one) => one.properties)) {
    return alternatives.filter((one) => one.properties).flatMap((one) => {
      const [key, mark] = Object.entries(one.properties).find(([, value]) => value.const !== undefined) ?? [];
      const when = key === undefined ? '' : ` (${mark.const})`;
      return rowsOf({ ...one, properties: Object.fromEntries(Object.entries(one.properties).filter(([name]) => name !== key)) }, `${path}.`).map(([name, ...rest]) => [`${name}${when}`, ...rest]);
    });
  }
  if (field.type === 'array') return inner(field.items, `${path}[]`);
  if (field.type === 'object' && field.propertyNames) return inner(field.additionalProperties, `${path}.NAME`);
  return field.properties ? rowsOf(field, `${path}.`) : [];
}

function typeOf(field) {
  if (field.const !== undefined) return `\`${JSON.stringify(field.const)}\``;
  if (field.enum) return field.enum.map((value) => `\`${value}\``).join(', ');
  const alternatives = field.oneOf ?? field.anyOf;
  if (alternatives) {
    const marks = alternatives.flatMap((one) => Object.entries(one.properties ?? {}).filter(([, value]) => value.const !== undefined).map(([key, value]) => `\`${key}: ${value.const}\``));
    if (marks.length === alternatives.length) return `object with ${marks.join(', ')}`;
    return [...new Set(alternatives.map(typeOf))].join(' or ');
  }
  if (Array.isArray(field.type)) return field.type.map((type) => names[type] ?? type).join(' or ');
  if (field.type === 'array') return `list of ${typeOf(field.items)}`;
  if (field.type === 'object' && field.propertyNames) return `names to ${typeOf(field.additionalProperties)}`;
  if (field.format === 'uuid') return 'UUID';
  if (field.format === 'date-time') return 'RFC 3339 time';
  if (field.type === 'integer' || field.type === 'number') return `number${range(field)}`;
  return names[field.type] ?? 'anything';
}

const names = { string: 'text', number: 'number', integer: 'number', boolean: 'true or false', object: 'object', null: 'null' };

function range({ minimum, maximum, exclusiveMinimum }) {
  const from = minimum ?? (exclusiveMinimum === undefined ? undefined : exclusiveMinimum + 1);
  if (from === undefined) return '';
  return maximum === undefined ? `, at least ${from}` : `, ${from} to ${maximum}`;
}
