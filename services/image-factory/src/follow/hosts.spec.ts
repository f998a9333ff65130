import { describe, expect, test } from 'vitest';
import { derivedId, type ResourceEvent } from '@berth/contracts';
import { Hosts } from './hosts.js';

const version = derivedId('spec', 'version');
const created = (attributes: Record<string, string>, booted?: { test?: boolean }): ResourceEvent => ({
  type: 'ResourceCreated',
  data: { type: 'host', blueprint: 'cloud', name: 'cloud-1', attributes, slots: 1, ...(booted && { booted: { image: 'web', version, number: 2, id: 'ami-1', ...booted } }) },
});
const destroyed: ResourceEvent = { type: 'ResourceDestroyed', data: {} };

describe('hosts, as the factory knows them', () => {
  test('are of a version by their attributes, until they are destroyed', () => {
    const hosts = new Hosts();
    hosts.applyResource('a', created({ image: 'web', imageVersion: '2' }));
    hosts.applyResource('b', { type: 'ResourceActivated', data: { attributes: { image: 'web', imageVersion: '2' } } });
    expect([hosts.has('web', 2), hosts.has('web', 1), hosts.has('other', 2)]).toEqual([true, false, false]);
    hosts.applyResource('a', destroyed);
    expect(hosts.has('web', 2)).toBe(true);
    hosts.applyResource('b', destroyed);
    expect(hosts.has('web', 2)).toBe(false);
  });

  test('follow a channel when they were launched with what it pointed at, and not for a test', () => {
    const hosts = new Hosts();
    hosts.applyResource('tested', created({}, { test: true }));
    expect(hosts.follow(version)).toBe(false);
    hosts.applyResource('kept', created({}, {}));
    expect(hosts.follow(version)).toBe(true);
    hosts.applyResource('kept', destroyed);
    expect(hosts.follow(version)).toBe(false);
  });

  test('are behind leases, by what their provider calls them', () => {
    const hosts = new Hosts();
    const [lease, resource] = [derivedId('spec', 'lease'), derivedId('spec', 'resource')];
    hosts.applyLease(lease, { type: 'LeaseAcquired', data: { resource, blueprint: 'cloud', slot: 0, token: 1 } });
    expect(hosts.instanceOf(lease)).toBeUndefined();
    hosts.applyResource(resource, { type: 'FactsKept', data: { facts: { instance: 'i-1' } } });
    expect(hosts.instanceOf(lease)).toBe('i-1');
    hosts.applyLease(lease, { type: 'LeaseDestroyed', data: {} });
    expect(hosts.instanceOf(lease)).toBeUndefined();
  });

  test('are behind leases, by the version that they were launched with', () => {
    const hosts = new Hosts();
    const [lease, resource] = [derivedId('spec', 'lease'), derivedId('spec', 'resource')];
    hosts.applyLease(lease, { type: 'LeaseAcquired', data: { resource, blueprint: 'cloud', slot: 0, token: 1 } });
    // Attributes alone say nothing of it.
    hosts.applyResource(resource, created({ image: 'web', imageVersion: '2' }));
    expect(hosts.launchedWith(lease)).toBeUndefined();
    for (const booted of [{}, { test: true }]) {
      hosts.applyResource(resource, created({}, booted));
      expect(hosts.launchedWith(lease)).toBe(version);
    }
  });
});
