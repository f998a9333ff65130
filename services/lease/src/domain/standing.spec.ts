import { describe, expect, test } from 'vitest';
import { leaseRequest, type CommandInput } from '@berth/contracts';
import type { Grant, Lease } from './lease.js';
import { checkStanding } from './standing.js';

const LEASE = '7f8c1d66-0000-5000-8000-000000000001';
const grant: Grant = { resource: 'r', blueprint: 'local', slot: 0, token: 1 };
const on = (type: 'host' | 'working-copy' | 'service', status: 'active' | 'acquired' = 'active'): Lease => ({ status, request: leaseRequest.parse({ type }), grant });
const ended: Lease = { status: 'destroyed', request: leaseRequest.parse({ type: 'host' }), how: 'released', detail: 'done' };
const host = { lease: LEASE };

describe('what a request may stand on', () => {
  test.each<[string, CommandInput<'lease', 'RequestLease'>, Lease | undefined]>([
    ['a host on nothing', { type: 'host' }, undefined],
    ['a working copy on a host of its own', { type: 'working-copy', workingCopy: { repository: '/r' } }, undefined],
    ['a service on a host of its own', { type: 'service' }, undefined],
    ['a composite on nothing', { type: 'composite' }, undefined],
    ['a working copy on a leased host', { type: 'working-copy', host }, on('host')],
    ['a service on a leased host', { type: 'service', host }, on('host')],
    ['a service on a working copy', { type: 'service', host }, on('working-copy')],
  ])('%s', (_what, request, lease) => expect(checkStanding(leaseRequest.parse(request), lease)).toBeUndefined());

  test.each<[string, CommandInput<'lease', 'RequestLease'>, Lease | undefined, string, string, string]>([
    ['a host on a lease', { type: 'host', host }, on('host'), 'invalid-data', 'data.host', 'goes with type working-copy or service'],
    ['a composite on a lease', { type: 'composite', host }, on('host'), 'invalid-data', 'data.host', 'goes with type working-copy or service'],
    ['a whole working copy', { type: 'working-copy', exclusive: { machine: 'box' } }, undefined, 'invalid-data', 'data.exclusive', 'goes with type host'],
    ['a host from repositories', { type: 'host', workingCopy: {} }, undefined, 'invalid-data', 'data.workingCopy', 'goes with type working-copy'],
    ['a service from repositories', { type: 'service', host, workingCopy: {} }, on('host'), 'invalid-data', 'data.workingCopy', 'goes with type working-copy'],
    ['a composite from repositories', { type: 'composite', workingCopy: {} }, undefined, 'invalid-data', 'data.workingCopy', 'goes with type working-copy'],
    ['a working copy on no lease', { type: 'working-copy', host }, undefined, 'unknown-lease', 'data.host.lease', 'is not the id of a lease'],
    ['a working copy on a working copy', { type: 'working-copy', host }, on('working-copy'), 'invalid-data', 'data.host.lease', 'is a lease of type working-copy, not host'],
    ['a service on a service', { type: 'service', host }, on('service'), 'invalid-data', 'data.host.lease', 'is a lease of type service, not host or working-copy'],
    ['a working copy on a host that is not ready', { type: 'working-copy', host }, on('host', 'acquired'), 'lease-not-active', 'data.host.lease', 'is acquired; it must be active'],
    ['a service on a working copy that is not ready', { type: 'service', host }, on('working-copy', 'acquired'), 'lease-not-active', 'data.host.lease', 'is acquired; it must be active'],
    ['a working copy on a host that is over', { type: 'working-copy', host }, ended, 'lease-not-active', 'data.host.lease', 'is destroyed; it must be active'],
  ])('%s is refused', (_what, request, lease, code, field, message) => expect(checkStanding(leaseRequest.parse(request), lease)).toMatchObject({ code, errors: [{ field, message }] }));
});
