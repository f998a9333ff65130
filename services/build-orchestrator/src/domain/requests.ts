import type { Attempt, EndedBuild, LiveBuild } from './build.js';
import type { Request } from './due.js';
import type { LeaseView } from './view.js';

/** The longest affinity that a lease takes. */
const MAX_AFFINITY = 256;

/**
 * The lease of an attempt's host. `served`: a build that nothing there could ever serve ends with the reason instead of
 * waiting for somebody to buy a machine. From the second attempt on a host that can be interrupted is not taken again,
 * unless the plan itself says which market it wants.
 */
export function requestHost({ about }: LiveBuild | EndedBuild, { hostLease, attempt }: Attempt): Request {
  const { repository } = about.workingCopy;
  return {
    to: 'lease',
    type: 'RequestLease',
    id: hostLease,
    after: 0,
    data: {
      type: 'host',
      ...holder(about),
      attributes: { remote: 'yes', ...(attempt > 1 && { market: '!spot' }), ...about.host },
      ...(repository !== undefined && { affinity: repository.slice(0, MAX_AFFINITY) }),
      wait: 'served',
    },
  };
}

export function requestCopy({ about }: LiveBuild | EndedBuild, hostLease: string, id: string, after: number): Request {
  return { to: 'lease', type: 'RequestLease', id, after, data: { type: 'working-copy', ...holder(about), host: { lease: hostLease }, workingCopy: about.workingCopy } };
}

const holder = ({ initiator, project, priority }: LiveBuild['about']) => ({ owner: initiator, ...(project !== undefined && { project }), ...(priority !== undefined && { priority }) });

/** The position that a command about a lease rests on. */
export const after = (lease: LeaseView | undefined): number => (lease && lease.status !== 'refused' ? lease.position : 0);
