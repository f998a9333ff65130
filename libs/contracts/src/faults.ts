import { z } from 'zod';
import { nearest } from './nearest.js';

type Issue = z.core.$ZodRawIssue;

const TYPES: Readonly<Record<string, string>> = { string: 'text', number: 'a number', int: 'a whole number', bigint: 'a whole number', boolean: 'true or false', array: 'a list', tuple: 'a list', object: 'an object', record: 'an object', null: 'null', date: 'a time' };
const FORMATS: Readonly<Record<string, string>> = {
  uuid: 'a UUID', url: 'an http or https URL', email: 'an address of e-mail', datetime: 'a time such as 2030-01-31T12:00:00Z', date: 'a day such as 2030-01-31', ipv4: 'an IPv4 address', ipv6: 'an IPv6 address', base64: 'base64',
};
const UNITS: Readonly<Record<string, readonly [one: string, more: string]>> = { string: ['character', 'characters'], array: ['entry', 'entries'], set: ['entry', 'entries'], map: ['entry', 'entries'], object: ['field', 'fields'], record: ['field', 'fields'], file: ['byte', 'bytes'] };

const quoted = (value: unknown): string => (typeof value === 'bigint' ? String(value) : JSON.stringify(value));
const counted = (count: number | bigint, origin: string): string => `${count} ${UNITS[origin]![Number(count) === 1 ? 0 : 1]}`;

/**
 * What is wrong with a value, as what may follow the name of its field: `must be one of "host", "service"`. For all that a schema has
 * no words of its own for; undefined for what this does not know either.
 */
export function faultOf(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? `is required (${TYPES[issue.expected] ?? issue.expected})` : `must be ${TYPES[issue.expected] ?? issue.expected}, not ${kindOf(issue.input)}`;
    case 'invalid_value':
      return outOf(issue.values, issue.input);
    case 'invalid_union':
      return issue.options ? outOf(issue.options as unknown[], isObject(issue.input) && issue.discriminator !== undefined ? issue.input[issue.discriminator] : issue.input) : undefined;
    case 'too_small':
      return size(issue.origin, issue.minimum, issue.exact ? 'exactly' : issue.inclusive ? 'at least' : 'more than');
    case 'too_big':
      return size(issue.origin, issue.maximum, issue.exact ? 'exactly' : issue.inclusive ? 'at most' : 'less than');
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return format(issue);
    default:
      return undefined;
  }
}

function outOf(values: readonly unknown[], input: unknown): string {
  const list = values.map(quoted).join(', ');
  if (input === undefined) return values.length === 1 ? `is required (${list})` : `is required (one of ${list})`;
  const meant = typeof input === 'string' ? nearest(input, values.filter((value) => typeof value === 'string')) : undefined;
  return `must be ${values.length === 1 ? '' : 'one of '}${list}${meant === undefined || values.length === 1 ? '' : `: did you mean ${quoted(meant)}?`}`;
}

function size(origin: string, limit: number | bigint, bound: string): string {
  if (!Object.hasOwn(UNITS, origin)) return `must be ${bound} ${limit}`;
  return bound === 'at least' && Number(limit) === 1 ? 'must not be empty' : `must have ${bound} ${counted(limit, origin)}`;
}

function format(issue: Extract<Issue, { code: 'invalid_format' }>): string {
  if (issue.format === 'starts_with') return `must start with ${quoted(issue['prefix'])}`;
  if (issue.format === 'ends_with') return `must end with ${quoted(issue['suffix'])}`;
  if (issue.format === 'includes') return `must contain ${quoted(issue['includes'])}`;
  if (issue.format === 'regex') return `must match ${String(issue.pattern)}`;
  return `must be ${FORMATS[issue.format] ?? issue.format}`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number' && !Number.isInteger(value)) return Number.isFinite(value) ? 'a number with a fraction' : String(value);
  return TYPES[typeof value] ?? typeof value;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

// For every schema of this process: what a schema says itself goes before it.
z.config({ customError: faultOf });
