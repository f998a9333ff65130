import { AsyncLocalStorage } from 'node:async_hooks';
import type { JobRight, JobTask, Role } from '@berth/contracts';
import type { Seen } from '../views/lists.js';
import { isAtLeast, permissionFor, permissionsOf, type Permission } from './permissions.js';

/** Somebody who was let in. */
export interface Principal {
  /** as the history says it: `token:NAME` or `user:EMAIL` */
  actor: string;
  /** as owner and initiator of what it asks for */
  name: string;
  role: Role;
  /** it sees and touches only what acts for one of these; null = all */
  projects: readonly string[] | null;
  permissions: ReadonlySet<Permission>;
  /** the session of a browser; absent when a token was shown */
  session?: { id: string; until: string };
  /** its permissions come from scopes of Taskcluster, and not from its role */
  scoped?: true;
}

/** @param jobs what it may ask for besides what its role may */
export function principal(actor: string, role: Role, projects: readonly string[] | null, jobs: readonly JobRight[] = []): Principal {
  return { actor, name: nameOf(actor), role, projects, permissions: new Set([...permissionsOf(role, projects), ...jobs.map(permissionFor)]) };
}

/** A command says who is behind it in so many letters. */
const MOST_ACTOR = 128;

/** A client of Taskcluster, whose scopes permit some tasks. It may look at jobs and do nothing else. */
export function taskclusterClient(client: string, tasks: readonly JobTask[]): Principal {
  const actor = `taskcluster:${client}`.slice(0, MOST_ACTOR);
  return { actor, name: nameOf(actor), role: 'viewer', projects: null, permissions: new Set<Permission>(tasks.length === 0 ? [] : ['jobs:read', ...tasks.map(permissionFor)]), scoped: true };
}

const nameOf = (actor: string): string => actor.slice(actor.indexOf(':') + 1);

/** What a thing says of whom it belongs to. */
export interface Belongs {
  project: string | null;
  /** owner of a lease, initiator of a build */
  owner: string;
}

/** Whether it may see a thing at all. */
export const sees = ({ projects }: Principal, { project }: Pick<Belongs, 'project'>): boolean => projects === null || (project !== null && projects.includes(project));

/** The same of a list: what acts for others is not among its rows, and does not count. */
export const seenBy = (who: Principal | null): Seen => ({ projects: who?.projects ?? undefined });

/** Whether it may touch a thing that it sees: an operator any, others what acts for their projects or is their own. */
export const owns = (who: Principal, thing: Belongs): boolean => sees(who, thing) && (isAtLeast(who.role, 'operator') || who.projects !== null || thing.owner === who.name);

/**
 * Who asks, for as long as a request is being answered. Every command says who is behind it, from however deep it is sent:
 * handed from call to call, the one that forgets would act for nobody.
 */
export const asking = new AsyncLocalStorage<Principal | null>();

/** Who asks, as the history says it; the console itself when nobody does. */
export const actorNow = (): string => asking.getStore()?.actor ?? 'console';
