import { describe, expect, test } from 'vitest';
import { events } from '@berth/contracts';
import { bytes, memory, pairs, shortened } from './text';
import { sentence } from './words';

const LEASE = '3f0a1b2c-0000-4000-8000-000000000001';

describe('events in words', () => {
  test.each([
    ['lease', 'LeaseRequested', { type: 'host', owner: 'ada', project: 'widgets', attributes: { os: 'linux', cpus: '>=8' }, priority: 100 }, 'ada (widgets) asks for a host with os=linux, cpus>=8, with priority 100.'],
    ['lease', 'LeaseRequested', { type: 'host', owner: 'ada', attributes: {}, priority: 100, exclusive: { machine: 'anvil', force: true } }, 'ada asks for a host, the whole of anvil by force, with priority 100.'],
    ['lease', 'LeaseWaiting', { reason: 'no slot is free.' }, 'Waits: no slot is free.'],
    ['lease', 'LeaseReleased', { reason: 'released', expired: false }, 'Given back. What stands on it is being removed.'],
    ['lease', 'LeaseReleased', { reason: 'done early', expired: false }, 'Given back: done early. What stands on it is being removed.'],
    ['resource', 'SlotClaimed', { slot: 2, lease: LEASE, owner: `build:${LEASE}` }, 'Slot 2 goes to build:3f0a1b2c, lease 3f0a1b2c.'],
    ['resource', 'ResourceActivated', { path: `/srv/copies/${LEASE}` }, `Can be used, in /srv/copies/${LEASE}.`],
    ['build', 'StepFinished', { step: 0, outcome: 'failed', durationMs: 61_000, exitCode: 3, error: 'exit code 3', again: true }, 'Step 1 failed after 1m, exit code 3: exit code 3; it is tried again.'],
    ['action', 'ActionRequested', { lease: LEASE, token: 7, spec: { kind: 'run-command', command: 'make\nmake test' } }, 'Asked to run `make` under lease 3f0a1b2c, token 7.'],
    ['machine', 'MachineChanged', { changed: ['address', 'slots'], user: 'ci', address: 'h', port: 22, slots: 2 }, 'Changed in address, slots: ci@h:22 with 2 slots from now on.'],
    ['machine', 'MachineRemoved', {}, 'No longer part of the fleet; its name is free.'],
    ['image', 'VersionRequested', { version: LEASE, number: 3, revision: 2, targets: ['raw', 'oci'], labels: {}, cause: 'asked', reason: 'a new kernel' }, 'Version 3 is to be built for raw, oci: a new kernel.'],
    ['image', 'TargetProgressed', { version: LEASE, target: 'raw', percent: 40, activity: 'installs packages' }, 'raw is at 40 %: installs packages.'],
    ['image', 'PushFailed', { version: LEASE, account: 'eu', attempt: 2, error: 'no such bucket' }, 'The push to eu has failed at try 2: no such bucket.'],
    ['image', 'Deleted', { version: LEASE, account: 'eu', manual: ['ami-1 of account eu'] }, 'What was pushed to eu is removed; to be removed by hand: ami-1 of account eu.'],
    ['image', 'VersionRevoked', { version: LEASE, at: '2030-01-01T00:00:00Z', reason: 'a hole', cascade: true, ancestor: { image: 'base', version: LEASE } }, 'Revoked from 2030-01-01 00:00:00 UTC on, with base that it is made of: a hole.'],
    ['image', 'ChannelAssigned', { channel: 'prod', version: LEASE, previous: null, by: 'rollback', reason: 'it is slow' }, 'Channel prod is rolled back to 3f0a1b2c: it is slow.'],
    ['image', 'ChannelAssigned', { channel: 'prod', version: null, previous: LEASE, by: 'revoke' }, 'Channel prod goes back from what is revoked, to nothing.'],
    ['catalog', 'CatalogEntryRemoved', { kind: 'account', name: 'eu' }, 'Account eu is no more; its name is free.'],
    ['replication', 'ReplicationCheckEnded', { sound: 4, repaired: 1, failed: 0 }, 'Every copy was looked at: 4 sound, 1 made anew, 0 failures.'],
    ['fleet', 'QuotaSet', { owners: {} }, 'Limits are set: none.'],
  ] as const)('%s %s', (kind, type, data, expected) => expect(sentence({ kind, type, data })).toBe(expected));

  test('one that this page does not know yet is told by its name', () => expect(sentence({ kind: 'lease', type: 'LeaseOfTomorrow', data: {} })).toBe('LeaseOfTomorrow'));

  test('there are words for every event there is', () => {
    const silent = Object.entries(events).flatMap(([kind, types]) =>
      Object.keys(types).filter((type) => {
        try {
          return sentence({ kind: kind as keyof typeof events, type, data: {} }) === type;
        } catch {
          return false; // It has words, which miss what an event of its type always says.
        }
      }),
    );
    expect(silent).toEqual([]);
  });
});

describe('small texts', () => {
  test.each([[0, '0 B'], [1023, '1023 B'], [1024, '1.0 KiB'], [15 * 1024 ** 3, '15 GiB']])('%i bytes', (n, text) => expect(bytes(n)).toBe(text));
  test.each([['24105MiB', '24 GiB'], ['512KiB', '512 KiB'], ['lots', 'lots'], [undefined, undefined]])('memory %s', (text, shown) => expect(memory(text)).toBe(shown));
  test('pairs', () => expect(pairs({ os: 'linux', cpus: '>=8', spot: '!yes' })).toBe('os=linux, cpus>=8, spot!yes'));
  test('an id in a path stays whole', () => expect(shortened(`lease ${LEASE} in /copies/${LEASE}/x and ${LEASE}.`)).toBe(`lease 3f0a1b2c in /copies/${LEASE}/x and 3f0a1b2c.`));
});
