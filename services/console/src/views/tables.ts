import type { ProjectionName } from './columns.js';

// Ids and names are compared as bytes, so that an index on them serves "begins with" too.
const row = 'id text COLLATE "C" PRIMARY KEY, created timestamptz NOT NULL, modified timestamptz NOT NULL, position bigint NOT NULL, opened bigint NOT NULL';

const columns: Record<ProjectionName, string> = {
  machine: `name text COLLATE "C" NOT NULL, status text NOT NULL, address text NOT NULL, port int NOT NULL, login text NOT NULL, credential text NOT NULL, platform text NOT NULL,
    attributes jsonb NOT NULL, slots int NOT NULL, host_key text NOT NULL, folder text, facts jsonb NOT NULL, allow jsonb NOT NULL, removed timestamptz`,
  resource: `name text COLLATE "C" NOT NULL, type text NOT NULL, blueprint text NOT NULL, version int, status text NOT NULL, state text NOT NULL, owner text, attributes jsonb NOT NULL,
    capabilities jsonb NOT NULL, machine text COLLATE "C", address text, reachable boolean NOT NULL, error text, quarantined jsonb, held jsonb, draining text, reserved jsonb, health jsonb NOT NULL, slots int NOT NULL,
    leases jsonb NOT NULL, uses int NOT NULL, parent jsonb, members jsonb, path text, commit text, port int, uri text, facts jsonb NOT NULL, until timestamptz, activated timestamptz,
    destroyed timestamptz`,
  lease: `owner text NOT NULL, status text NOT NULL, type text NOT NULL, blueprint text, attributes jsonb NOT NULL, resource text COLLATE "C", slot int, token bigint, host_lease text, until timestamptz,
    reason text, error text, project text, ended text, prefer jsonb NOT NULL, blueprints jsonb NOT NULL, priority int NOT NULL, affinity text, wait text NOT NULL, wait_at_most bigint, ttl bigint,
    alive timestamptz, build text COLLATE "C", exclusive jsonb, acquired timestamptz, finished timestamptz`,
  build: `plan text NOT NULL, plan_version int NOT NULL, status text NOT NULL, percent int NOT NULL, activity text, error text, initiator text NOT NULL, host_lease text, working_copy_lease text,
    steps jsonb NOT NULL, artifacts jsonb NOT NULL, attempt int NOT NULL, cleaned_up boolean NOT NULL, problem text, project text, priority int NOT NULL, beneath text, weights jsonb, failure jsonb,
    ref text, commit text, url text, parent jsonb, hosts jsonb NOT NULL, generation int NOT NULL, generations jsonb NOT NULL, started timestamptz, finished timestamptz`,
  job: `task text NOT NULL, machine text COLLATE "C" NOT NULL, worker jsonb, status text NOT NULL, activity text, error jsonb, machine_outcome text, result jsonb, ticket jsonb, requester text NOT NULL,
    reason text, lent_to text, force boolean NOT NULL, cancelling text, lease text, soft_limit bigint NOT NULL, hard_limit bigint NOT NULL, escalation jsonb, attempts jsonb NOT NULL, started timestamptz,
    finished timestamptz`,
  image: `name text COLLATE "C" NOT NULL, description text NOT NULL, revision int NOT NULL, format text, source text, template jsonb, environment text, retention jsonb, rebuild jsonb, status text NOT NULL,
    revisions jsonb NOT NULL, living jsonb NOT NULL, removed timestamptz`,
  image_version: `image text COLLATE "C" NOT NULL, number int NOT NULL, revision int NOT NULL, status text NOT NULL, percent int NOT NULL, activity text, error text, imported boolean NOT NULL, cause text NOT NULL,
    asked_by text NOT NULL, reason text, labels jsonb NOT NULL, attributes jsonb NOT NULL, usage text NOT NULL, usage_reason text, revoked jsonb, parent jsonb, parent_version text COLLATE "C", os jsonb, targets jsonb NOT NULL,
    pushes jsonb NOT NULL, pushed text[] NOT NULL, shown boolean NOT NULL, manual jsonb NOT NULL, ended timestamptz`,
  channel: `name text COLLATE "C" NOT NULL, image text COLLATE "C" NOT NULL, channel text COLLATE "C" NOT NULL, version text COLLATE "C", managed boolean NOT NULL, test text, testing jsonb, last_test jsonb,
    history jsonb NOT NULL, removed timestamptz`,
  catalog_entry: `kind text NOT NULL, name text COLLATE "C" NOT NULL, spec jsonb NOT NULL, saved_by text NOT NULL, removed timestamptz`,
  replication: `name text COLLATE "C" NOT NULL, spec jsonb NOT NULL, checking boolean NOT NULL, last_check jsonb, removed timestamptz`,
  replica: `policy text COLLATE "C" NOT NULL, object text COLLATE "C" NOT NULL, state text NOT NULL, error text, removed timestamptz`,
};

/** What each list is filtered by and sorted by has an index; see `lists.ts`. */
const indexes: Record<ProjectionName, readonly string[]> = {
  machine: ['(created, opened)', '(modified, opened)', '(platform, opened)', '(lower(name) text_pattern_ops)', 'USING gin (attributes jsonb_path_ops)', '(name, opened) WHERE removed IS NULL'],
  resource: [
    '(created, opened)', '(modified, opened)', '(state, opened)', '(blueprint, opened)', '(type, opened)', '(machine, opened)', '(owner, opened)', '(lower(name) text_pattern_ops)',
    'USING gin (attributes jsonb_path_ops)',
    // Far more have ended than live, and nearly every list is of those that live.
    `(name, opened) WHERE state <> 'destroyed'`, '(name, opened)', ended('destroyed'),
  ],
  lease: [
    '(created, opened)', '(modified, opened)', '(priority, opened)', '(status, opened)', '(owner, opened)', '(project, opened)', '(blueprint, opened)', '(type, opened)', '(resource, opened)', '(build, opened)',
    'USING gin (attributes jsonb_path_ops)', ended('finished'),
  ],
  build: [
    '(created, opened)', '(modified, opened)', '(status, opened)', '(plan, opened)', '(initiator, opened)', '(project, opened)', '(ref, opened)', '(lower(plan) text_pattern_ops)',
    'USING gin (hosts jsonb_path_ops)', ended('finished'),
  ],
  job: [
    '(created, opened)', '(modified, opened)', '(status, opened)', '(task, opened)', '(machine, opened)', `((worker ->> 'id'), opened)`, '(requester, opened)', '(lower(machine) text_pattern_ops)',
  ],
  image: ['(created, opened)', '(modified, opened)', '(status, opened)', '(environment, opened)', '(lower(name) text_pattern_ops)', '(name, opened) WHERE removed IS NULL'],
  image_version: [
    '(created, opened)', '(modified, opened)', '(status, opened)', '(image, opened)', '(lower(image) text_pattern_ops)', '(parent_version)', 'USING gin (labels jsonb_path_ops)', 'USING gin (pushed)',
    // Far more are removed than are there, and nearly every list is of those that are there.
    '(created, opened) WHERE shown', '(modified, opened) WHERE shown', `(image, number) WHERE status <> 'DELETED'`, `(created, opened) WHERE status <> 'DELETED'`,
    // Of objects of the warehouse.
    'USING gin (attributes jsonb_path_ops)',
  ],
  channel: ['(created, opened)', '(modified, opened)', '(image, opened)', '(channel)', '(version)', '(lower(name) text_pattern_ops)', '(name, opened) WHERE removed IS NULL'],
  catalog_entry: ['(kind, name) WHERE removed IS NULL', `((spec ->> 'region')) WHERE removed IS NULL`],
  replication: ['(name) WHERE removed IS NULL'],
  replica: ['(object) WHERE removed IS NULL', '(policy, state)'],
};

/** What had not ended by some time: of that alone usage and timelines are made. */
function ended(column: string): string {
  return `(COALESCE(${column}, 'infinity'))`;
}

/** Columns whose values are sets: it takes more of them to tell how many rows have one, and so which index leads to few. */
const sets: Partial<Record<ProjectionName, readonly string[]>> = { machine: ['attributes'], resource: ['attributes'], lease: ['attributes'], build: ['hosts'], image_version: ['labels', 'attributes'] };

/** The statements that make the table of a projection. */
export const tableOf = (schema: string, name: ProjectionName): string[] => [
  `CREATE TABLE "${schema}".${name} (${row}, ${columns[name]})`,
  ...(sets[name] ?? []).map((column) => `ALTER TABLE "${schema}".${name} ALTER COLUMN ${column} SET STATISTICS 1000`),
];

/** The statements that make its indexes: a rebuild makes them once the rows are there. */
export const indexesOf = (schema: string, name: ProjectionName): string[] => [
  `CREATE UNIQUE INDEX ${name}_opened ON "${schema}".${name} (opened)`,
  ...indexes[name].map((what, i) => `CREATE INDEX ${name}_${i + 1} ON "${schema}".${name} ${what}`),
];
