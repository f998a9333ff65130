import type { EntityManager, SelectQueryBuilder } from 'typeorm';
import type { BuildView, LeaseView, ResourceState, ResourceView } from '@berth/client';
import { imageStatus, jobStatus, jobTask, platform, resourceType } from '@berth/contracts';
import type { ProjectionEntities, ProjectionName } from './columns.js';
import { COUNTED, type FilterForm, type KeyForm, type Listed, type ListForm, type ListQuery } from './list-query.js';
import type { Row } from './row.js';

/** Makes a parameter of a value; gives the text that stands for it. */
type Bind = (value: unknown) => string;
/** A filter of rows: what it may be given, and the condition that it makes. Names are columns of the row. */
interface Filter {
  form: FilterForm;
  sql: (values: readonly string[], bind: Bind, sort: string, projects: readonly string[] | undefined) => string;
}
/** Projections that are listed a page at a time. The others are read as a whole, or beside what is listed. */
export const listedNames = ['machine', 'resource', 'lease', 'build', 'job', 'image', 'image_version', 'channel'] as const satisfies readonly ProjectionName[];
export type ListedName = (typeof listedNames)[number];
interface RowList {
  filters: Record<string, Filter>;
  /** columns by which it can be sorted, with an index on each */
  sorts: Record<string, KeyForm>;
  order: string;
  /** what is left out unless a filter asks for it */
  unless?: { given?: string; sql: string };
}

const anyOf = (column: string): Filter['sql'] => (values, bind) => `${column} = ANY(${bind(values)})`;
const text = (column: string): Filter => ({ form: 'text', sql: anyOf(column) });
const words = (column: string, oneOf: readonly string[]): Filter => ({ form: { oneOf }, sql: anyOf(column) });
/** Pure: what is LIKE all that begins with a text. */
export const prefix = (value: string): string => `${value.replace(/[\\%_]/g, '\\$&')}%`;
// About the time that the list is sorted by: a range of one time in the order of the other would be looked for from the far end on.
const timeOf = (sort: string): string => (sort === 'modified' ? 'row.modified' : 'row.created');
const since: Filter = { form: 'instant', sql: ([value], bind, sort) => `${timeOf(sort)} >= ${bind(value)}` };
const until: Filter = { form: 'instant', sql: ([value], bind, sort) => `${timeOf(sort)} < ${bind(value)}` };
/** Each of the attributes; of one that is named several times one of the values. */
const attr = (column: string): Filter => ({
  form: 'attribute',
  sql: (values, bind) => {
    const pairs = values.map((one) => [one.slice(0, one.indexOf(':')), one.slice(one.indexOf(':') + 1)] as const);
    const has = (name: string) => pairs.filter((pair) => pair[0] === name).map((pair) => `row.${column} @> CAST(${bind(JSON.stringify(Object.fromEntries([pair])))} AS jsonb)`);
    return [...new Set(pairs.map(([name]) => name))].map((name) => `(${has(name).join(' OR ')})`).join(' AND ');
  },
});
/** Begins with it: ids as they are, names in small letters. */
const q = (...names: string[]): Filter => ({
  form: 'text',
  sql: (values, bind) => `(${values.flatMap((value) => [`row.id LIKE ${bind(prefix(value))}`, ...names.map((name) => `lower(${name}) LIKE ${bind(prefix(value.toLowerCase()))}`)]).join(' OR ')})`,
});

/** The states that a word for a resource means: it may be a status, which several states are. */
const statesOf: Record<ResourceState | ResourceView['status'], readonly ResourceState[]> = {
  pending: ['booting'], booting: ['booting'], released: ['ending'], ending: ['ending'], broken: ['broken'], destroyed: ['destroyed'],
  active: ['active', 'unreachable', 'held', 'quarantined', 'draining'], unreachable: ['unreachable'], held: ['held'], quarantined: ['quarantined'], draining: ['draining'],
};
const states = (words: readonly string[]): string[] => [...new Set(words.flatMap((word) => statesOf[word as ResourceState]))];
const stateWords = Object.keys(statesOf);
const leaseStatuses = ['pending', 'acquired', 'active', 'released', 'broken', 'destroyed'] as const satisfies readonly LeaseView['status'][];
const buildStatuses = ['pending', 'preparing', 'building', 'paused', 'passed', 'failed', 'aborted', 'error'] as const satisfies readonly BuildView['status'][];
const times = { created: 'instant', modified: 'instant' } as const;

/** The lists that are read from rows. Each filter and each sort has an index in `tables.ts`. */
const lists = (schema: string): Record<ListedName, RowList> => {
  const host = (condition: string) => `EXISTS (SELECT 1 FROM ${schema}.resource host WHERE host.machine = row.name AND host.type = 'host' AND host.state <> 'destroyed' AND ${condition})`;
  // Whoever does not see a lease must not find out by asking who it is that holds a slot.
  const holder: Filter = {
    form: 'text',
    sql: (values, bind, _sort, projects) =>
      projects ? `EXISTS (SELECT 1 FROM ${schema}.lease held WHERE held.resource = row.id AND held.status <> 'destroyed' AND held.owner = ANY(${bind(values)}) AND held.project = ANY(${bind(projects)}))` : `row.owner = ANY(${bind(values)})`,
  };
  return {
    machine: {
      filters: {
        status: { form: { oneOf: [...stateWords.filter((word) => word !== 'destroyed'), 'removed'] }, sql: (values, bind) => (values.includes('removed') ? `(row.removed IS NOT NULL OR ${host(`host.state = ANY(${bind(states(values.filter((one) => one !== 'removed')))})`)})` : `row.removed IS NULL AND ${host(`host.state = ANY(${bind(states(values))})`)}`) },
        blueprint: { form: 'text', sql: (values, bind) => host(`host.blueprint = ANY(${bind(values)})`) },
        platform: words('row.platform', platform.options), attr: attr('attributes'), q: q('row.name'), since, until,
      },
      sorts: { name: 'text', ...times }, order: 'name', unless: { given: 'status', sql: 'row.removed IS NULL' },
    },
    resource: {
      filters: {
        status: { form: { oneOf: stateWords }, sql: (values, bind) => `row.state = ANY(${bind(states(values))})` },
        blueprint: text('row.blueprint'), type: words('row.type', resourceType.options), machine: text('row.machine'), owner: holder, attr: attr('attributes'), q: q('row.name'), since, until,
      },
      sorts: { name: 'text', ...times }, order: 'name', unless: { given: 'status', sql: `row.state <> 'destroyed'` },
    },
    lease: {
      filters: {
        status: words('row.status', leaseStatuses), owner: text('row.owner'), project: text('row.project'), type: words('row.type', resourceType.options), blueprint: text('row.blueprint'),
        resource: text('row.resource'), build: text('row.build'), attr: attr('attributes'), q: q(), since, until,
        machine: { form: 'text', sql: (values, bind) => `row.resource IN (SELECT id FROM ${schema}.resource WHERE machine = ANY(${bind(values)}))` },
        plan: { form: 'text', sql: (values, bind) => `row.build IN (SELECT id FROM ${schema}.build WHERE plan = ANY(${bind(values)}))` },
      },
      sorts: { ...times, priority: 'number' }, order: '-created',
    },
    build: {
      filters: {
        status: words('row.status', buildStatuses), plan: text('row.plan'), initiator: text('row.initiator'), project: text('row.project'), ref: text('row.ref'), q: q('row.plan'), since, until,
        machine: { form: 'text', sql: (values, bind) => `(${values.map((name) => `row.hosts @> CAST(${bind(JSON.stringify([{ machine: name }]))} AS jsonb)`).join(' OR ')})` },
      },
      sorts: times, order: '-created',
    },
    job: {
      filters: {
        status: words('row.status', jobStatus.options), task: words('row.task', jobTask.options), machine: text('row.machine'), worker: text(`row.worker ->> 'id'`), requester: text('row.requester'), q: q('row.machine'), since, until,
      },
      sorts: times, order: '-created',
    },
    image: {
      filters: { status: words('row.status', imageStatus.options), environment: text('row.environment'), q: q('row.name'), since, until },
      sorts: { name: 'text', ...times }, order: 'name', unless: { sql: 'row.removed IS NULL' },
    },
    image_version: {
      filters: {
        image: text('row.image'), status: words('row.status', imageStatus.options), label: attr('labels'), q: q('row.image'), since, until,
        channel: { form: 'text', sql: (values, bind) => `row.id IN (SELECT version FROM ${schema}.channel WHERE removed IS NULL AND (channel = ANY(${bind(values)}) OR id = ANY(${bind(values)})))` },
        account: { form: 'text', sql: (values, bind) => `row.pushed && CAST(${bind(values)} AS text[])` },
        region: { form: 'text', sql: (values, bind) => `row.pushed && ARRAY(SELECT name FROM ${schema}.catalog_entry WHERE kind = 'account' AND removed IS NULL AND spec ->> 'region' = ANY(${bind(values)}))` },
        all: { form: { oneOf: ['true', 'false'] }, sql: (values) => (values.includes('true') ? 'true' : 'row.shown') },
      },
      sorts: times, order: '-created', unless: { given: 'all', sql: 'row.shown' },
    },
    channel: {
      filters: { image: text('row.image'), q: q('row.name'), since, until },
      sorts: { name: 'text', ...times }, order: 'name', unless: { sql: 'row.removed IS NULL' },
    },
  };
};

/** What can be asked of the list of a projection. */
export function listForm(name: ListedName): ListForm {
  const { filters, sorts, order } = lists('')[name];
  return { filters: Object.fromEntries(Object.entries(filters).map(([filter, { form }]) => [filter, form])), sorts, tie: 'number', order };
}

/** What is looked at from outside the query: whom the asker may see. */
export interface Seen {
  /** of leases and builds only those of these projects, and of those who hold a resource only these; all when absent */
  projects?: readonly string[] | undefined;
}

/** Reads one page of a list from the rows of a schema. */
export async function readList<R extends Row>(manager: EntityManager, schema: string, entities: ProjectionEntities, name: ListedName, query: ListQuery, { projects }: Seen = {}): Promise<Listed<R>> {
  const { rows, count } = selection(manager, schema, entities, name, query, projects);
  const found = (await rows.getMany()) as R[];
  const items = found.slice(0, query.limit);
  const last = items.at(-1) as (R & Record<string, string | number>) | undefined;
  return { items, next: last && found.length > query.limit ? { key: last[query.sort]!, tie: last.opened } : null, total: query.total ? await count() : undefined };
}

/** The statement behind a page, for whoever wants to see how it is carried out. */
export const listStatement = (manager: EntityManager, schema: string, entities: ProjectionEntities, name: ListedName, query: ListQuery): [string, unknown[]] =>
  selection(manager, schema, entities, name, query, undefined).rows.getQueryAndParameters();

function selection(manager: EntityManager, schema: string, entities: ProjectionEntities, name: ListedName, { where, sort, descending, limit, after }: ListQuery, projects: readonly string[] | undefined) {
  const { filters, unless } = lists(schema)[name];
  const parameters: Record<string, unknown> = {};
  const bind: Bind = (value) => {
    const key = `p${Object.keys(parameters).length}`;
    parameters[key] = value;
    return `:${key}`;
  };
  const conditions = Object.entries(where).map(([filter, values]) => filters[filter]!.sql(values, bind, sort, projects));
  if (unless && (unless.given === undefined || !Object.hasOwn(where, unless.given))) conditions.push(unless.sql);
  if (projects && (name === 'lease' || name === 'build')) conditions.push(`row.project = ANY(${bind(projects)})`);
  const among = <Q extends SelectQueryBuilder<Row>>(builder: Q): Q => {
    for (const condition of conditions) builder.andWhere(condition);
    return builder.setParameters(parameters);
  };
  const column = `row.${sort}`;
  const direction = descending ? 'DESC' : 'ASC';
  const of = () => manager.getRepository<Row>(entities[name]).createQueryBuilder('row');
  const whole = of().select('1').limit(COUNTED + 1);
  const count = async (): Promise<number> => {
    const [sql, values] = among(whole).getQueryAndParameters();
    const [found] = await manager.query<{ count: string }[]>(`SELECT count(*) AS count FROM (${sql}) counted`, values);
    return Number(found!.count);
  };
  const rows = among(of());
  // Rows that are alike in what they are sorted by come in the order in which they began: no page misses or repeats one.
  if (after) rows.andWhere(`(${column}, row.opened) ${descending ? '<' : '>'} (:afterKey, :afterTie)`, { afterKey: after.key, afterTie: after.tie });
  return { rows: rows.orderBy(column, direction).addOrderBy('row.opened', direction).limit(limit + 1), count };
}
