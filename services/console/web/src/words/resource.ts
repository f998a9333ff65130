import type { ResourceEvent } from '@berth/contracts';
import { because, count, pairs, short, time } from './text';
import type { Words } from './words';

export const resourceWords: Words<ResourceEvent> = {
  ResourceCreated: ({ type, blueprint, name, slots, machine, parent }) =>
    `${blueprint} makes the ${type} ${name} with ${count(slots, 'slot')}${machine === undefined ? '' : `, for machine ${machine}`}${parent ? `, on what lease ${short(parent.lease)} holds` : ''}.`,
  FactsKept: ({ facts }) => `Its blueprint notes ${Object.entries(facts).map(([key, value]) => (value === null ? `no ${key} any more` : `${key} ${typeof value === 'string' || typeof value === 'number' ? value : JSON.stringify(value)}`)).join(', ')}.`,
  ResourceActivated: ({ attributes, path, commit, port }) =>
    `Can be used${path === undefined ? '' : `, in ${path}`}${commit === undefined ? '' : `, at commit ${commit.slice(0, 12)}`}${port === undefined ? '' : `, at port ${port}`}${attributes && Object.keys(attributes).length > 0 ? `; found: ${pairs(attributes)}` : ''}.`,
  ResourceBroken: ({ error }) => `Broken: ${error}.`,
  ResourceUnreachable: ({ error }) => `Out of reach: ${error}. No new leases until it answers.`,
  ResourceReachable: () => 'Answers again.',
  HealthFailed: ({ error, failures }) => `Its check failed, ${failures === 1 ? 'once' : `${failures} times in a row`}: ${error}.`,
  HealthPassed: () => 'Its check passes again.',
  ResourceQuarantined: ({ until, reason, count: times }) => `Quarantined until ${time(until)}${times > 1 ? `, ${times} times in a row` : ''}: ${reason}.`,
  QuarantineEnded: ({ reason }) => `No longer quarantined${because(reason)}.`,
  ResourceHeld: ({ until, reason }) => `Kept as it is until ${time(until)}: ${reason}.`,
  HoldEnded: () => 'No longer held; what was kept is cleaned up.',
  DrainBegan: ({ reason }) => `Takes no new leases${because(reason, ['draining'])}.`,
  DrainEnded: () => 'Takes leases again.',
  ResourceReserved: ({ lease }) => `Taken as a whole by lease ${short(lease)}: no new leases until that is over.`,
  ReservationEnded: () => 'Not taken as a whole any more.',
  SlotClaimed: ({ slot, lease, owner }) => `Slot ${slot} goes to ${owner}, lease ${short(lease)}.`,
  SlotFreed: ({ slot, lease }) => `Slot ${slot} is free again; lease ${short(lease)} had it.`,
  ResourceReleased: ({ reason }) => `Ends once its last lease is over${because(reason, ['released'])}.`,
  ResourceDestroyed: () => 'Nothing is left of it.',
};
