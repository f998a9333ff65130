import type { LeaseEvent } from '@berth/contracts';
import { because, lasting, pairs, short, time } from './text';
import type { Words } from './words';

export const leaseWords: Words<LeaseEvent> = {
  LeaseRequested: ({ type, owner, project, attributes, priority, until, waitAtMost, host, exclusive }) =>
    `${owner}${project === undefined ? '' : ` (${project})`} asks for a ${type}${Object.keys(attributes).length > 0 ? ` with ${pairs(attributes)}` : ''}` +
    `${host ? ` on the host of lease ${short(host.lease)}` : ''}${exclusive ? `, the whole of ${exclusive.machine}${exclusive.force ? ' by force' : ''}` : ''}, with priority ${priority}${until === undefined ? '' : `, until ${time(until)}`}${waitAtMost === undefined ? '' : `, and waits ${lasting(waitAtMost)} at most`}.`,
  LeaseWaiting: ({ reason }) => `Waits: ${reason}.`,
  PriorityChanged: ({ priority }) => `Its priority is ${priority} from now on.`,
  LeaseAcquired: ({ resource, blueprint, slot, token }) => `Gets slot ${slot} of resource ${short(resource)}, made by ${blueprint}; its fencing token is ${token}.`,
  LeaseActivated: () => 'Can be used.',
  LeaseRenewed: ({ until }) => `Lasts until ${time(until)} now.`,
  LeaseBeat: ({ alive }) => `Its holder was heard of; ends at ${time(alive)} unless that happens again.`,
  LeaseRefused: ({ reason }) => `Refused: ${reason}.`,
  LeaseReleased: ({ reason, expired }) => (expired ? `Its time is up${because(reason, ['expired'])}. What stands on it is being removed.` : `Given back${because(reason, ['released'])}. What stands on it is being removed.`),
  LeaseBroken: ({ error }) => `Over, because its resource failed: ${error}.`,
  LeaseDestroyed: () => 'Its slot is free again; nothing is left of it.',
};
