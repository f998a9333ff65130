import type { EndingBuild, LiveBuild, Place } from './build/build.js';
import type { Request } from './due.js';
import type { LeaseView } from './view.js';

/** The longest affinity that a lease takes. */
const MAX_AFFINITY = 256;

/**
 * The lease of a host. `served`: a build that nothing there could ever serve ends with the reason instead of waiting for
 * somebody to buy a machine. From the second attempt on a host that can be interrupted is not taken again, unless the plan
 * itself says which market it wants.
 */
export function requestHost(build: LiveBuild | EndingBuild, { host, hostLease, attempt }: Place): Request {
  const { about } = build;
  const { repository } = about.workingCopy;
  const before = 'before' in build ? build.before : undefined;
  const machine = before?.machines[host];
  const failed = 'failures' in build ? build.failures.length > 0 : attempt > 1;
  return {
    to: 'lease',
    type: 'RequestLease',
    id: hostLease,
    after: 0,
    data: {
      type: 'host',
      ...holder(about),
      attributes: { remote: 'yes', ...(failed && { market: '!spot' }), ...(machine !== undefined && before?.where === 'other' && { machine: `!${machine}` }), ...about.hosts[host] },
      ...(machine !== undefined && before?.where === 'same' && { prefer: [{ machine }] }),
      ...(repository !== undefined && { affinity: repository.slice(0, MAX_AFFINITY) }),
      wait: 'served',
      ...(about.queueTimeout !== undefined && { waitAtMost: about.queueTimeout }),
    },
  };
}

export function requestCopy({ about }: LiveBuild | EndingBuild, hostLease: string, id: string, after: number): Request {
  return { to: 'lease', type: 'RequestLease', id, after, data: { type: 'working-copy', ...holder(about), host: { lease: hostLease }, workingCopy: about.workingCopy } };
}

/** Whose leases they are. */
export const holder = ({ initiator, project, priority }: LiveBuild['about']) => ({ owner: initiator, ...(project !== undefined && { project }), ...(priority !== undefined && { priority }) });

/** The position that a command about a lease rests on. */
export const after = (lease: LeaseView | undefined): number => (lease && lease.status !== 'refused' ? lease.position : 0);
