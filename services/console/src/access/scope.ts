import type { DataSource } from 'typeorm';
import { unreachable, uuid, type AnyRecorded, type Kind } from '@berth/contracts';
import { HttpProblem, notFound } from '../http/problem.js';
import type { Reads } from '../views/reads.js';
import { LIVE_SCHEMA } from '../views/schema.js';
import type { Permission } from './permissions.js';
import { isAtLeast } from './permissions.js';
import { owns, sees, type Belongs, type Principal } from './principal.js';

/** A thing that acts for a project, or the action under one. */
export interface Thing {
  kind: 'lease' | 'build' | 'action';
  id: string;
}

/** What somebody must have to read the events of a kind in the feed and in histories, beside `event:read`. */
const readable = {
  machine: 'fleet:read',
  blueprint: 'fleet:read',
  fleet: 'fleet:read',
  resource: 'fleet:read',
  lease: 'lease:read',
  action: 'lease:read',
  plan: 'plan:read',
  build: 'build:read',
  token: 'tokens:read',
  access: 'audit:read',
  webhook: 'webhooks:read',
  secret: 'secrets:read',
  hardware: 'jobs:read',
  'hardware-group': 'jobs:read',
  job: 'jobs:read',
  catalog: 'images:read',
  image: 'images:read',
  replication: 'images:read',
} as const satisfies Record<Kind, Permission>;

const things = { leases: 'lease', builds: 'build', actions: 'action' } as const;
const words = { lease: ['unknown-lease', '/api/v1/leases'], build: ['unknown-build', '/api/v1/builds'], action: ['unknown-action', 'the history of its lease'] } as const;
const isRead = (permission: Permission): boolean => permission.endsWith(':read');

/** The thing that a route is about, by its path: all that stands below a lease, a build or an action is about it. */
export function thingOf(route: string, params: unknown): Thing | undefined {
  const [, of] = /^\/api\/v1\/(leases|builds|actions)\/:id(?:\/|$)/.exec(route) ?? [];
  return of === undefined ? undefined : { kind: things[of as keyof typeof things], id: (params as { id: string }).id };
}

const unknown = ({ kind, id }: Thing): HttpProblem => {
  const [code, where] = words[kind];
  return notFound(code, `${kind} ${JSON.stringify(id)}`, where);
};

/**
 * What can be the id of nothing is told before a write becomes a command, which would complain of a field that nobody has written.
 * @throws {HttpProblem}
 */
export function refuseStrange(thing: Thing, permission: Permission): void {
  if (!isRead(permission) && !uuid.safeParse(thing.id).success) throw unknown(thing);
}

/** Which things somebody sees and may touch. */
export class Scope {
  /** projects of leases and builds, so that a feed need not look up each event anew */
  private readonly known = new Map<string, Belongs>();

  constructor(
    private readonly reads: Pick<Reads, 'lease' | 'build' | 'action'>,
    private readonly database: DataSource,
  ) {}

  /**
   * What somebody does not see is not there; what somebody sees and may not touch is forbidden. Of a thing that is not there
   * nothing is said here: the route does that.
   * @throws {HttpProblem}
   */
  async check(who: Principal, permission: Permission, thing: Thing): Promise<void> {
    if (who.projects === null && (isRead(permission) || isAtLeast(who.role, 'operator'))) return;
    const belongs = await this.belongs(thing);
    if (!belongs) return;
    if (!sees(who, belongs)) throw unknown(thing);
    if (isRead(permission) || owns(who, belongs)) return;
    throw new HttpProblem('forbidden', `The ${thing.kind} is ${belongs.owner}'s: you are ${who.name}, and a ${who.role} without projects may touch only what is its own.`, [{ field: 'id', message: `is that of ${belongs.owner}` }]);
  }

  /** Whether somebody may read a commit. */
  mayRead(who: Principal, recorded: AnyRecorded): boolean | Promise<boolean> {
    if (!who.permissions.has(readable[recorded.kind])) return false;
    return who.projects === null || this.actsFor(who, recorded);
  }

  private async actsFor(who: Principal, recorded: AnyRecorded): Promise<boolean> {
    switch (recorded.kind) {
      case 'lease':
      case 'build':
      case 'action': {
        const belongs = await this.cached({ kind: recorded.kind, id: recorded.id });
        return belongs !== undefined && sees(who, belongs);
      }
      case 'resource': {
        // Who holds a slot is theirs to know.
        const leases = recorded.commit.events.flatMap((event) => (event.type === 'SlotClaimed' || event.type === 'SlotFreed' ? [event.data.lease] : []));
        const all = await Promise.all(leases.map((id) => this.cached({ kind: 'lease', id })));
        return all.every((belongs) => belongs !== undefined && sees(who, belongs));
      }
      case 'fleet':
        return false; // shares and reservations of all owners
      case 'machine':
      case 'blueprint':
      case 'plan':
      case 'token':
      case 'access':
      case 'webhook':
      case 'secret':
      case 'hardware':
      case 'hardware-group':
      case 'job':
      case 'catalog':
      case 'image':
      case 'replication':
        return true;
      default:
        return unreachable(recorded);
    }
  }

  /** Of leases that hold slots, those that somebody sees; undefined when that is all of them. */
  async visibleLeases(who: Principal | null): Promise<ReadonlySet<string> | undefined> {
    if (!who || who.projects === null) return undefined;
    const rows = await this.database.query<{ id: string }[]>(`SELECT id FROM ${LIVE_SCHEMA}.lease WHERE project = ANY($1) AND status <> 'destroyed'`, [[...who.projects]]);
    return new Set(rows.map(({ id }) => id));
  }

  private async cached(thing: Thing): Promise<Belongs | undefined> {
    const key = `${thing.kind} ${thing.id}`;
    const known = this.known.get(key);
    if (known) return known;
    const found = await this.belongs(thing);
    if (!found) return undefined;
    if (this.known.size >= 10_000) this.known.delete(this.known.keys().next().value!);
    this.known.set(key, found);
    return found;
  }

  /** Whose it is; undefined when there is no such thing. */
  private async belongs({ kind, id }: Thing): Promise<Belongs | undefined> {
    switch (kind) {
      case 'lease':
        return this.reads.lease(id);
      case 'build': {
        const row = await this.reads.build(id);
        return row && { project: row.project, owner: row.initiator };
      }
      case 'action': {
        const row = await this.reads.action(id);
        return row && this.belongs({ kind: 'lease', id: row.lease });
      }
      default:
        return unreachable(kind);
    }
  }
}
