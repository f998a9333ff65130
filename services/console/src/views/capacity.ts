import type { CapacityView, ResourceState, SlotCounts } from '@berth/client';
import type { Blueprints } from './blueprints.js';
import { stateOf, type ResourceRow } from './resources.js';

/** What an unclaimed slot counts as, by the state of its resource. */
const unclaimed: Record<Exclude<ResourceState, 'destroyed'>, Exclude<keyof SlotCounts, 'total' | 'busy'>> = {
  active: 'free', booting: 'booting', held: 'held', quarantined: 'quarantined', draining: 'draining', ending: 'draining', unreachable: 'unreachable', broken: 'broken',
};

const none = (): SlotCounts => ({ total: 0, free: 0, busy: 0, booting: 0, held: 0, quarantined: 0, draining: 0, unreachable: 0, broken: 0 });

/** Slots of resources, each counted once. */
export function countSlots(resources: Iterable<ResourceRow>, now: number): SlotCounts {
  const counts = none();
  for (const resource of resources) {
    const state = stateOf(resource, now);
    if (state === 'destroyed') continue;
    const busy = resource.leases.length;
    counts.total += resource.slots;
    counts.busy += busy;
    counts[unclaimed[state]] += Math.max(0, resource.slots - busy);
  }
  return counts;
}

/** Slots of hosts per blueprint, and with `by` per value of an attribute. */
export function capacity(resources: Iterable<ResourceRow>, blueprints: Blueprints, by: string | null, now: number): CapacityView {
  const hosts = [...resources].filter(({ type }) => type === 'host');
  const ofBlueprint = grouped(hosts, ({ blueprint }) => blueprint);
  // A blueprint without a host yet has room too, and hosts may outlive what they were made by.
  const offering = blueprints.names().filter((name) => blueprints.type(name) === 'host');
  const names = [...new Set([...offering, ...ofBlueprint.keys()])].sort();
  const values = by === null ? [] : [...grouped(hosts, ({ attributes }) => (Object.hasOwn(attributes, by) ? attributes[by]! : null))];
  return {
    total: countSlots(hosts, now),
    blueprints: names.map((blueprint) => ({ blueprint, enabled: blueprints.enabled(blueprint), ...countSlots(ofBlueprint.get(blueprint) ?? [], now) })),
    by,
    values: values.map(([value, own]) => ({ value, ...countSlots(own, now) })).sort((a, b) => (a.value === null ? 1 : b.value === null ? -1 : a.value < b.value ? -1 : 1)),
  };
}

function grouped<K>(resources: readonly ResourceRow[], key: (resource: ResourceRow) => K): Map<K, ResourceRow[]> {
  const groups = new Map<K, ResourceRow[]>();
  for (const resource of resources) {
    const of = key(resource);
    const group = groups.get(of);
    if (group) group.push(resource);
    else groups.set(of, [resource]);
  }
  return groups;
}
