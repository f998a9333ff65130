import { describe, expect, test } from 'vitest';
import { leaseRequest } from '@berth/contracts';
import { dueFor, type Surroundings } from './due.js';
import type { Grant, Lease } from './lease.js';

const request = leaseRequest.parse({ type: 'host' });
const grant = (token: number): Grant => ({ resource: `r${token}`, blueprint: 'ec2', slot: 0, token });
const pending: Lease = { status: 'pending', request };
const acquired: Lease = { status: 'acquired', request, grant: grant(1) };
const active: Lease = { status: 'active', request, grant: grant(1) };
const released: Lease = { status: 'released', request, grant: grant(1), reason: 'x', expired: false };
const broken: Lease = { status: 'broken', request, grant: grant(1), error: 'x' };
const destroyed: Lease = { status: 'destroyed', request, how: 'released', detail: 'x' };
const held: Surroundings = { claims: [grant(1)], resource: { active: true }, isActive: () => true, groundless: undefined, carries: false };
const gone = 'its host lease ended';

describe('what is due for a lease', () => {
  test.each<[string, Lease, Partial<Surroundings>, ReturnType<typeof dueFor>]>([
    ['that is not there', { status: 'none' }, {}, undefined],
    ['that waits without a claim', pending, { claims: [] }, undefined],
    ['that was claimed: the first claim is the claim', pending, { claims: [grant(1), grant(2)] }, { type: 'Claim', grant: grant(1), ready: true }],
    ['whose resource is still in the making', pending, { isActive: () => false }, { type: 'Claim', grant: grant(1), ready: false }],
    ['whose first claim was given back', pending, { claims: [grant(2)] }, { type: 'Claim', grant: grant(2), ready: true }],
    ['that waits on what ended', pending, { groundless: gone }, { type: 'Release', reason: gone }],
    ['whose resource became ready', acquired, {}, { type: 'Ready', resource: 'r1' }],
    ['whose resource is not ready', acquired, { resource: { active: false } }, undefined],
    ['whose resource failed', acquired, { resource: { active: false, error: 'no disk' } }, { type: 'Break', resource: 'r1', error: 'no disk' }],
    ['that is used', active, {}, undefined],
    ['that is used, claimed by others besides', active, { claims: [grant(1), grant(2)] }, undefined],
    ['that is used, its resource failed', active, { resource: { active: false, error: 'no disk' } }, { type: 'Break', resource: 'r1', error: 'no disk' }],
    ['that is used, its slot given back', active, { claims: [grant(2)] }, { type: 'Break', resource: 'r1', error: 'its slot was given back' }],
    ['that is used on what ended', active, { groundless: gone }, { type: 'Release', reason: gone }],
    ['that is over and holds its slot', released, {}, undefined],
    ['that is over, its slot given back', released, { claims: [] }, { type: 'Freed', token: 1 }],
    ['that is over, a claim too many not yet given back', released, { claims: [grant(2)] }, { type: 'Freed', token: 1 }],
    ['that is over, and only a claim too many was given back', released, { claims: [grant(1)] }, undefined],
    ['that is over under others', released, { claims: [], carries: true }, undefined],
    ['that broke, its slot given back', broken, { claims: [] }, { type: 'Freed', token: 1 }],
    ['of which nothing is left', destroyed, {}, undefined],
  ])('%s', (_what, lease, around, due) => expect(dueFor(lease, { ...held, ...around })).toEqual(due));
});
