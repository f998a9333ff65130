import { BugzillaError, type Bugs, type StoredBug } from './bugzilla-bugs.testing.js';

/** Fields of a custom search have the names that they have in the database, others than those of the REST API. */
const fields: Record<string, (bug: StoredBug) => readonly string[]> = {
  alias: ({ alias }) => alias,
  blocked: ({ blocks }) => blocks.map(String),
  dependson: ({ depends_on: on }) => on.map(String),
  status_whiteboard: ({ whiteboard }) => [whiteboard],
  short_desc: ({ summary }) => [summary],
  bug_status: ({ status }) => [status],
  product: ({ product }) => [product],
};
const operators: Record<string, (has: readonly string[], value: string) => boolean> = {
  equals: (has, value) => has.includes(value),
  notequals: (has, value) => !has.includes(value),
  substring: (has, value) => has.some((one) => one.toLowerCase().includes(value.toLowerCase())),
  isempty: (has) => has.every((one) => one === ''),
};
const simple: Record<string, (bug: StoredBug, value: string) => boolean> = {
  product: ({ product }, value) => product === value,
  component: ({ component }, value) => component === value,
  // "---" is what the search has for no resolution.
  resolution: ({ resolution }, value) => resolution === (value === '---' ? '' : value),
};
const SHOWN = ['id', 'summary', 'status', 'is_open', 'blocks', 'depends_on', 'whiteboard', 'alias', 'product', 'component', 'resolution'];

/** Bugs by the parameters of `GET /rest/bug`; all of them hold. What it does not know it refuses, where Bugzilla would find everything. */
export function search(bugs: Bugs, query: URLSearchParams): StoredBug[] {
  let found = [...bugs.all];
  for (const [key, value] of query) {
    const custom = /^f(\d+)$/.exec(key);
    if (custom) {
      const field = fields[value];
      const operator = operators[query.get(`o${custom[1]}`) ?? ''];
      if (!field) throw new BugzillaError(108, `Can't use ${value} as a field name.`);
      if (!operator) throw new BugzillaError(108, `The search type '${query.get(`o${custom[1]}`)}' is not known.`);
      found = found.filter((bug) => operator(field(bug), query.get(`v${custom[1]}`) ?? ''));
    } else if (simple[key]) found = found.filter((bug) => simple[key]!(bug, value));
    else if (!/^[ov]\d+$|^(include_fields|limit)$/.test(key) && !(key === 'order' && value === 'bug_id')) throw new BugzillaError(108, `Can't use ${key} as a field name.`);
  }
  return found.slice(0, Number(query.get('limit') ?? 10));
}

/** A bug with the fields that were asked for, and no others. */
export function shown(bug: StoredBug, include: string | null): Record<string, unknown> {
  const wanted = include?.split(',') ?? SHOWN;
  const stray = wanted.find((field) => !SHOWN.includes(field));
  if (stray !== undefined) throw new BugzillaError(108, `Can't use ${stray} as a field name.`);
  return Object.fromEntries(wanted.map((field) => [field, bug[field as keyof StoredBug]]));
}
