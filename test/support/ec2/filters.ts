import type { Parameters } from './parameters.js';
import { Ec2Refusal } from './refusal.js';

/** The values that something has under the name of a filter. */
export type FilterValues = (name: string) => readonly string[];

/**
 * `Filter.N` of a call: whether something passes. Filters are joined by "and", the values of one by "or".
 * @throws Ec2Refusal when a filter is none of `names` and not about tags
 */
export function readFilters(parameters: Parameters, names: readonly string[]): (values: FilterValues, tags: Readonly<Record<string, string>>) => boolean {
  const filters = parameters.groups('Filter').map((filter) => ({ name: filter.required('Name'), patterns: filter.list('Value') }));
  for (const { name, patterns } of filters) {
    if (!names.includes(name) && name !== 'tag-key' && !name.startsWith('tag:')) throw new Ec2Refusal('InvalidParameterValue', `The filter '${name}' is invalid`);
    if (patterns.length === 0) throw new Ec2Refusal('InvalidParameterValue', `The filter '${name}' has no value`);
  }
  // "Using filtering" (Developer Guide): at most 200 values.
  if (filters.flatMap(({ patterns }) => patterns).length > 200) throw new Ec2Refusal('FilterLimitExceeded', 'The maximum number of filter values is 200');
  return (values, tags) => filters.every(({ name, patterns }) => (tagValues(name, tags) ?? values(name)).some((value) => patterns.some((pattern) => like(value, pattern))));
}

/** For `tag:KEY` and `tag-key`, which everything with tags has; undefined for other filters. */
function tagValues(name: string, tags: Readonly<Record<string, string>>): readonly string[] | undefined {
  if (name === 'tag-key') return Object.keys(tags);
  if (!name.startsWith('tag:')) return undefined;
  const value = tags[name.slice('tag:'.length)];
  return value === undefined ? [] : [value];
}

/** `*` stands for any text and `?` for one character, unless a backslash is before it. Capital letters count. */
function like(value: string, pattern: string): boolean {
  const source = pattern.replace(/\\([*?\\])|[\s\S]/g, (text: string, literal: string | undefined) => {
    if (literal !== undefined) return `\\${literal}`;
    return text === '*' ? '[\\s\\S]*' : text === '?' ? '[\\s\\S]' : text.replace(/[.+^${}()|[\]\\/-]/, '\\$&');
  });
  return new RegExp(`^${source}$`).test(value);
}

/** What `MaxResults` may be, and whether the call names ids: then it may not be there at all. */
export interface PageLimits {
  readonly least: number;
  readonly most: number;
  readonly idsGiven: boolean;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextToken: string | undefined;
}

/** One page of `all` and the token of the next one ("Pagination", Developer Guide). */
export function page<T extends { readonly id: string }>(parameters: Parameters, all: readonly T[], limits: PageLimits): Page<T> {
  const size = parameters.whole('MaxResults', limits.least, limits.most);
  const token = parameters.text('NextToken');
  if (limits.idsGiven && size !== undefined) throw new Ec2Refusal('InvalidParameterCombination', 'The parameter instancesSet cannot be used with the parameter maxResults');
  const request = parameters.fingerprint('NextToken', 'MaxResults');
  const start = token === undefined ? 0 : after(token, request, all);
  const items = all.slice(start, size === undefined ? undefined : start + size);
  const last = items.at(-1);
  const more = last !== undefined && start + items.length < all.length;
  return { items, nextToken: more ? Buffer.from(JSON.stringify({ request, last: last.id })).toString('base64') : undefined };
}

/** @throws Ec2Refusal when the token is not one of this request */
function after(token: string, request: string, all: readonly { readonly id: string }[]): number {
  const refusal = new Ec2Refusal('InvalidNextToken', 'The specified NextToken is not valid.');
  let content: { request?: unknown; last?: unknown };
  try {
    content = JSON.parse(Buffer.from(token, 'base64').toString()) as typeof content;
  } catch {
    throw refusal;
  }
  const at = all.findIndex(({ id }) => id === content.last);
  if (content.request !== request || at < 0) throw refusal;
  return at + 1;
}
