import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';
import type { BuildRow } from './build.js';
import type { CatalogRow } from './catalogue.js';
import type { ChannelRow } from './image-channel.js';
import type { ImageVersionRow } from './image-version.js';
import type { ImageRow } from './image.js';
import type { JobRow } from './job.js';
import type { LeaseRow } from './lease.js';
import type { MachineRow } from './machine.js';
import type { ReplicaRow, ReplicationRow } from './replication.js';
import type { ResourceRow } from './resources.js';

const number = { to: (value: number | null) => value, from: (value: string | null) => (value === null ? null : Number(value)) };
const instant = { to: (value: string | null) => value, from: (value: Date | null) => (value === null ? null : value.toISOString()) };

const text = { type: 'text' } as const;
const maybeText = { type: 'text', nullable: true } as const;
const int = { type: 'int' } as const;
const maybeInt = { type: 'int', nullable: true } as const;
const maybeBigint = { type: 'bigint', nullable: true, transformer: number } as const;
const json = { type: 'jsonb' } as const;
const maybeJson = { type: 'jsonb', nullable: true } as const;
const maybeInstant = { type: 'timestamptz', nullable: true, transformer: instant } as const;

const rowColumns = {
  id: { type: 'text', primary: true },
  created: { type: 'timestamptz', transformer: instant },
  modified: { type: 'timestamptz', transformer: instant },
  position: { type: 'bigint', transformer: number },
  opened: { type: 'bigint', transformer: number },
} as const;

type Columns<R> = { [K in keyof R]: EntitySchemaColumnOptions };

const machine: Columns<MachineRow> = {
  ...rowColumns, name: text, status: text, address: text, port: int, user: { type: 'text', name: 'login' }, credential: text, platform: text, attributes: json, slots: int,
  hostKey: { type: 'text', name: 'host_key' }, folder: maybeText, facts: json, allow: json, removed: maybeInstant,
};

const resource: Columns<ResourceRow> = {
  ...rowColumns, name: text, type: text, blueprint: text, version: maybeInt, status: text, state: text, owner: maybeText, attributes: json, capabilities: json, machine: maybeText,
  address: maybeText, reachable: { type: 'boolean' }, error: maybeText, quarantined: maybeJson, held: maybeJson, draining: maybeText, reserved: maybeJson, health: json, slots: int, leases: json, uses: int,
  parent: maybeJson, members: maybeJson, path: maybeText, commit: maybeText, port: maybeInt, uri: maybeText, facts: json, until: maybeInstant, activated: maybeInstant, destroyed: maybeInstant,
};

const lease: Columns<LeaseRow> = {
  ...rowColumns, owner: text, status: text, type: text, blueprint: maybeText, attributes: json, resource: maybeText, slot: maybeInt, token: maybeBigint,
  hostLease: { ...maybeText, name: 'host_lease' }, until: maybeInstant, reason: maybeText, error: maybeText, project: maybeText, ended: maybeText, prefer: json, blueprints: json,
  priority: int, affinity: maybeText, wait: text, waitAtMost: { ...maybeBigint, name: 'wait_at_most' }, ttl: maybeBigint, alive: maybeInstant, build: maybeText,
  exclusive: maybeJson, acquired: maybeInstant, finished: maybeInstant,
};

const build: Columns<BuildRow> = {
  ...rowColumns, plan: text, planVersion: { type: 'int', name: 'plan_version' }, status: text, percent: int, activity: maybeText, error: maybeText, initiator: text,
  hostLease: { ...maybeText, name: 'host_lease' }, workingCopyLease: { ...maybeText, name: 'working_copy_lease' }, steps: json, artifacts: json, attempt: int,
  cleanedUp: { type: 'boolean', name: 'cleaned_up' }, problem: maybeText, beneath: maybeText, weights: maybeJson, failure: maybeJson, ref: maybeText, commit: maybeText, url: maybeText,
  parent: maybeJson, hosts: json, generation: int, generations: json, project: maybeText, priority: int, started: maybeInstant, finished: maybeInstant,
};

const job: Columns<JobRow> = {
  ...rowColumns, task: text, machine: text, worker: maybeJson, status: text, activity: maybeText, error: maybeJson, machineOutcome: { ...maybeText, name: 'machine_outcome' }, result: maybeJson, ticket: maybeJson,
  requester: text, reason: maybeText, to: { ...maybeText, name: 'lent_to' }, force: { type: 'boolean' }, cancelling: maybeText, lease: maybeText, softLimit: { type: 'bigint', name: 'soft_limit', transformer: number },
  hardLimit: { type: 'bigint', name: 'hard_limit', transformer: number }, escalation: maybeJson, attempts: json, started: maybeInstant, finished: maybeInstant,
};

const image: Columns<ImageRow> = {
  ...rowColumns, name: text, description: text, revision: int, format: maybeText, source: maybeText, template: maybeJson, environment: maybeText, retention: maybeJson, rebuild: maybeJson, status: text,
  revisions: json, living: json, removed: maybeInstant,
};

const imageVersion: Columns<ImageVersionRow> = {
  ...rowColumns, image: text, number: int, revision: int, status: text, percent: int, activity: maybeText, error: maybeText, imported: { type: 'boolean' }, cause: text, by: { type: 'text', name: 'asked_by' }, reason: maybeText,
  labels: json, attributes: json, use: { type: 'text', name: 'usage' }, useReason: { ...maybeText, name: 'usage_reason' }, revoked: maybeJson, parent: maybeJson, parentVersion: { ...maybeText, name: 'parent_version' }, os: maybeJson, targets: json,
  pushes: json, pushed: { type: 'text', array: true }, shown: { type: 'boolean' }, manual: json, ended: maybeInstant,
};

const channel: Columns<ChannelRow> = { ...rowColumns, name: text, image: text, channel: text, version: maybeText, managed: { type: 'boolean' }, test: maybeText, testing: maybeJson, lastTest: { ...maybeJson, name: 'last_test' }, history: json, removed: maybeInstant };

const catalogEntry: Columns<CatalogRow> = { ...rowColumns, kind: text, name: text, spec: json, by: { type: 'text', name: 'saved_by' }, removed: maybeInstant };

const replication: Columns<ReplicationRow> = { ...rowColumns, name: text, spec: json, checking: { type: 'boolean' }, lastCheck: { ...maybeJson, name: 'last_check' }, removed: maybeInstant };

const replica: Columns<ReplicaRow> = { ...rowColumns, policy: text, object: text, state: text, error: maybeText, removed: maybeInstant };

/** The tables of the projections, in a schema of one's choice: a rebuild fills the same tables elsewhere. */
export function projectionEntities(schema: string) {
  const table = <R extends object>(tableName: ProjectionName, columns: Columns<R>) => new EntitySchema<R>({ name: `${schema}.${tableName}`, tableName, schema, columns });
  return {
    machine: table('machine', machine), resource: table('resource', resource), lease: table('lease', lease), build: table('build', build), job: table('job', job), image: table('image', image),
    image_version: table('image_version', imageVersion), channel: table('channel', channel), catalog_entry: table('catalog_entry', catalogEntry), replication: table('replication', replication), replica: table('replica', replica),
  } as const;
}
export const projectionNames = ['machine', 'resource', 'lease', 'build', 'job', 'image', 'image_version', 'channel', 'catalog_entry', 'replication', 'replica'] as const;
export type ProjectionName = (typeof projectionNames)[number];
export type ProjectionEntities = ReturnType<typeof projectionEntities>;
