import type { Permission } from '@berth/client';
import { jobTasks, role, type JobRight, type JobTask, type Role } from '@berth/contracts';
import { jobTaskWords, leastFor } from './job-tasks.js';

/** Who has a permission. */
interface Rule {
  /** every role from this one on */
  least: Role;
  /**
   * What it reaches. `projects`: things that act for a project, of which a token with projects has its own; of all else it
   * sees what everybody may. `all`: what acts for nobody in particular, so a token with projects does not have it.
   */
  reach: 'projects' | 'all';
  what: string;
}

/** To ask for hardware jobs: a permission for each task, and none that is good for all. A machine is nobody's in particular. */
const ofTasks = Object.fromEntries(
  jobTasks.map((task) => [`jobs:${task}`, { least: leastFor(task), reach: 'all', what: `ask for the hardware job ${task}, and cancel it: ${jobTaskWords[task].title.toLowerCase()}` }]),
) as Record<`jobs:${JobTask}`, Rule>;

/** Every permission: one line each. What each route needs is said at the route (`@Needs`). */
export const permissions = {
  'fleet:read': { least: 'viewer', reach: 'projects', what: 'see machines, blueprints, resources, capacity, limits, orphans' },
  'lease:read': { least: 'viewer', reach: 'projects', what: 'see leases, actions and what they printed' },
  'build:read': { least: 'viewer', reach: 'projects', what: 'see builds, their logs and artifacts' },
  'plan:read': { least: 'viewer', reach: 'projects', what: 'see plans, and have one checked' },
  'event:read': { least: 'viewer', reach: 'projects', what: 'read histories and follow the feed of events' },
  'usage:read': { least: 'viewer', reach: 'all', what: 'see who has used how much' },
  'metrics:read': { least: 'viewer', reach: 'all', what: 'read /metrics' },
  'jobs:read': { least: 'viewer', reach: 'projects', what: 'see machines as hardware, their groups, and hardware jobs' },
  'images:read': { least: 'viewer', reach: 'projects', what: 'see images, what is built and pushed of them, channels, the catalogue and the warehouse' },
  'lease:write': { least: 'builder', reach: 'projects', what: 'request leases; renew, hold and release them' },
  'lease:exec': { least: 'builder', reach: 'projects', what: 'run commands, move files and restart services under a lease' },
  'lease:terminal': { least: 'builder', reach: 'projects', what: 'open terminals and forwards under a lease' },
  'build:write': { least: 'builder', reach: 'projects', what: 'request builds; control them, send them messages, add and pin artifacts' },
  'images:build': { least: 'builder', reach: 'all', what: 'build images, and label what is built' },
  // A plan is everybody's who builds it, and runs with the secrets that it names.
  'plan:write': { least: 'operator', reach: 'all', what: 'save plans' },
  'fleet:write': { least: 'operator', reach: 'all', what: 'add and remove machines and blueprints; take hosts out of service and back' },
  'hardware:write': { least: 'operator', reach: 'all', what: 'say how machines are managed and driven; import it' },
  'images:write': { least: 'operator', reach: 'all', what: 'save, push, import and remove images; move channels; revoke versions; environments, catalogs and replication' },
  ...ofTasks,
  'jobs:installed': { least: 'operator', reach: 'all', what: 'report that an installation has finished' },
  'deadletters:read': { least: 'operator', reach: 'all', what: 'see commands that could not be carried out' },
  'deadletters:write': { least: 'operator', reach: 'all', what: 'retry and drop them' },
  'doctor:read': { least: 'operator', reach: 'all', what: 'have looked what is wrong with the installation' },
  'projections:write': { least: 'operator', reach: 'all', what: 'have the tables made anew' },
  'quota:write': { least: 'admin', reach: 'all', what: 'set the limits across blueprints' },
  'tokens:read': { least: 'admin', reach: 'all', what: 'see tokens, not their secrets' },
  'tokens:write': { least: 'admin', reach: 'all', what: 'make and revoke tokens' },
  'secrets:read': { least: 'admin', reach: 'all', what: 'see the names of secrets, not their values' },
  'secrets:write': { least: 'admin', reach: 'all', what: 'set and remove secrets' },
  'providers:write': { least: 'admin', reach: 'all', what: 'say where images are pushed to, and with which credentials' },
  'webhooks:read': { least: 'admin', reach: 'all', what: 'see webhooks and their deliveries' },
  'webhooks:write': { least: 'admin', reach: 'all', what: 'add, change and remove webhooks' },
  'audit:read': { least: 'admin', reach: 'all', what: 'see who did what and who was refused what' },
} as const satisfies Record<Permission, Rule>;
export type { Permission };

/** The permission of a task; or of what else a token may be given. */
export const permissionFor = <T extends JobRight>(task: T): `jobs:${T}` => `jobs:${task}`;

/** What a route needs: a permission; that of the task which is asked for, as the route itself finds out; that somebody is signed in, whoever it is; or nothing. */
export type Need = Permission | typeof OF_TASK | 'signed-in' | 'anyone';
export const OF_TASK = 'jobs:TASK';

export const isNeed = (text: unknown): text is Need => text === 'anyone' || text === 'signed-in' || text === OF_TASK || (typeof text === 'string' && Object.hasOwn(permissions, text));

/** Whether a role is another one or more than it. */
export const isAtLeast = (one: Role, least: Role): boolean => role.options.indexOf(one) >= role.options.indexOf(least);

/** What a role may do, over everything or over some projects only. */
export function permissionsOf(of: Role, projects: readonly string[] | null): Permission[] {
  return (Object.keys(permissions) as Permission[]).filter((permission) => {
    const { least, reach }: Rule = permissions[permission];
    return isAtLeast(of, least) && (projects === null || reach === 'projects');
  });
}
