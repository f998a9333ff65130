import type { LeaseRequest } from '@berth/contracts';

/** Whom something is for: any of these; both empty = everybody. */
export interface Allowed {
  readonly projects: readonly string[];
  readonly owners: readonly string[];
}
type Requester = Pick<LeaseRequest, 'owner' | 'project'>;

/** Is it for some only? */
export const isRestricted = ({ projects, owners }: Allowed): boolean => projects.length + owners.length > 0;

/** May somebody use what is for these? */
export const permits = (allow: Allowed, { owner, project }: Requester): boolean =>
  !isRestricted(allow) || allow.owners.includes(owner) || (project !== undefined && allow.projects.includes(project));

/** Names whom something is for: the same for things that are for the same; undefined when it is for everybody. Never a name of anything. */
export const doorOf = (allow: Allowed | undefined): string | undefined => (allow && isRestricted(allow) ? JSON.stringify([[...allow.projects].sort(), [...allow.owners].sort()]) : undefined);

/** Whom it is for, in words. */
export function whom({ projects, owners }: Allowed): string {
  const named = (what: string, names: readonly string[]) => (names.length === 0 ? [] : [`${what}${names.length === 1 ? '' : 's'} ${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`]);
  return [...named('project', projects), ...named('owner', owners)].join(' or ');
}
