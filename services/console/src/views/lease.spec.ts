import { describe, expect, test } from 'vitest';
import type { AnyRecorded, Explanation, LeaseEvent, LeaseRequest } from '@berth/contracts';
import type { ResourceView } from '@berth/client';
import { foldLease, leaseView, type LeaseRow } from './lease.js';
import { keptExplanation } from './waiting.js';

const id = '7f8c1d66-0000-5000-8000-000000000001';
const other = '7f8c1d66-0000-5000-8000-000000000002';
const at = (second: number) => `2030-01-01T00:00:${String(second).padStart(2, '0')}.000Z`;

/** Commits of one event each, at positions 11, 12, … and seconds 1, 2, … */
const commits = (...events: LeaseEvent[]): AnyRecorded[] =>
  events.map((event, i) => ({ kind: 'lease', id, sequence: 11 + i, commit: { id: `c${i}`, at: at(i + 1), actor: 'spec', cause: 'c', events: [event] } }) as AnyRecorded);
const lease = (...events: LeaseEvent[]): LeaseRow => commits(...events).reduce<LeaseRow | undefined>(foldLease, undefined)!;

const asked: LeaseRequest = {
  type: 'host', owner: 'ada', project: 'widgets', attributes: { os: 'linux', cpus: '>=8' }, prefer: [{ zone: 'a' }], blueprints: ['local'], priority: 7, affinity: 'repo',
  until: '2030-01-01T02:00:00+01:00', ttl: 30_000, wait: 'served', waitAtMost: 60_000,
};
const request: LeaseEvent = { type: 'LeaseRequested', data: asked };
const acquired: LeaseEvent = { type: 'LeaseAcquired', data: { resource: other, blueprint: 'local', slot: 0, token: 9 } };
const why: Explanation = { verdict: 'wait', reason: 'all busy', next: 'the first slot that is free', ahead: 1, considered: [], more: 0 };
const nothing = { path: null, port: null, uri: null, members: null };

describe('a lease row', () => {
  test('has all that was asked for', () => {
    const row = lease(request, { type: 'LeaseWaiting', data: { reason: 'all busy', explanation: why } });
    expect(leaseView(row, undefined)).toEqual({
      id, owner: 'ada', project: 'widgets', status: 'pending', ended: null, type: 'host', blueprint: null, attributes: { os: 'linux', cpus: '>=8' }, prefer: [{ zone: 'a' }],
      blueprints: ['local'], priority: 7, affinity: 'repo', wait: 'served', waitAtMost: 60_000, ttl: 30_000, alive: null, resource: null, slot: null, token: null, hostLease: null, exclusive: null,
      until: '2030-01-01T01:00:00.000Z', reason: 'all busy', error: null, ...nothing, build: null, acquired: null, finished: null, created: at(1), modified: at(2), position: 12,
    });
  });

  test('says which machine it takes as a whole, and whether by force', () => {
    expect(lease({ type: 'LeaseRequested', data: { ...asked, exclusive: { machine: 'anvil', force: true } } }).exclusive).toEqual({ machine: 'anvil', force: true });
  });

  test('of an older version it waited, whatever there was', () => {
    const old = { type: 'host', owner: 'ada', attributes: {} } as unknown as LeaseRequest;
    expect(lease({ type: 'LeaseRequested', data: old }, { type: 'LeaseWaiting', data: { reason: 'all busy' } })).toMatchObject({
      project: null, prefer: [], blueprints: [], priority: 100, affinity: null, wait: 'always', waitAtMost: null, ttl: null, alive: null, ended: null, reason: 'all busy',
    });
  });

  test('knows the build that asked for it, and when it had its slot', () => {
    const asked = (actor: string) => foldLease(undefined, { kind: 'lease', id, sequence: 1, commit: { id: 'c', at: at(1), actor, cause: 'c', events: [request] } } as AnyRecorded)!.build;
    expect([asked(`build:${other}`), asked('ada'), asked('build:')]).toEqual([other, null, null]);
    expect(lease(request, acquired, { type: 'LeaseReleased', data: { reason: 'done', expired: false } })).toMatchObject({ acquired: at(2), finished: null });
    expect(lease(request, acquired, { type: 'LeaseBroken', data: { error: 'gone' } }, { type: 'LeaseDestroyed', data: {} })).toMatchObject({ acquired: at(2), finished: at(4) });
    expect(lease(request, { type: 'LeaseRefused', data: { reason: 'none' } })).toMatchObject({ acquired: null, finished: at(2) });
  });

  test('through its life', () => {
    expect(lease(request, acquired, { type: 'LeaseActivated', data: {} })).toMatchObject({ status: 'active', resource: other, token: 9, slot: 0, blueprint: 'local', reason: null });
    expect(lease(request, { type: 'LeaseRenewed', data: { until: '2031-01-01T00:00:00Z' } }).until).toBe('2031-01-01T00:00:00.000Z');
    expect(lease(request, { type: 'LeaseBeat', data: { alive: '2030-01-01T02:00:00+01:00' } }).alive).toBe('2030-01-01T01:00:00.000Z');
    expect(lease(request, { type: 'PriorityChanged', data: { priority: 900 } }).priority).toBe(900);
  });

  test('says how it ended', () => {
    const destroyed: LeaseEvent = { type: 'LeaseDestroyed', data: {} };
    expect(lease(request)).toMatchObject({ status: 'pending', ended: null });
    expect(lease(request, acquired, { type: 'LeaseBroken', data: { error: 'disk' } }, destroyed)).toMatchObject({ status: 'destroyed', ended: 'broken', error: 'disk' });
    expect(lease(request, acquired, { type: 'LeaseReleased', data: { reason: 'done', expired: false } })).toMatchObject({ status: 'released', ended: 'released', reason: 'done' });
    expect(lease(request, acquired, { type: 'LeaseReleased', data: { reason: 'its time was up', expired: true } }, destroyed)).toMatchObject({ status: 'destroyed', ended: 'expired' });
    const refused: LeaseEvent = { type: 'LeaseRefused', data: { reason: 'nothing has it', explanation: { ...why, verdict: 'never' } } };
    expect(lease(request, refused)).toMatchObject({ status: 'destroyed', ended: 'refused', reason: 'nothing has it' });
    expect(lease(request, refused, destroyed)).toMatchObject({ status: 'destroyed', ended: 'refused', reason: 'nothing has it' });
  });

  test('a commit of two events is one change', () => {
    const commit = { id: 'c', at: at(2), actor: 'spec', cause: 'c', events: [{ type: 'LeaseReleased', data: { reason: 'done', expired: false } }, { type: 'LeaseDestroyed', data: {} }] };
    expect(foldLease(lease(request), { kind: 'lease', id, sequence: 20, commit } as AnyRecorded)).toMatchObject({ status: 'destroyed', reason: 'done', position: 20, modified: at(2) });
  });

  test('is shown with what its resource gives', () => {
    const resource = { path: '/srv', port: 20_000, uri: 'http://h:20000/', members: { a: other } } as unknown as ResourceView;
    expect(leaseView(lease(request, acquired), resource)).toMatchObject({ path: '/srv', port: 20_000, uri: 'http://h:20000/', members: { a: other } });
  });
});

describe('why a lease waited', () => {
  const events = commits(request, { type: 'LeaseWaiting', data: { reason: 'older' } }, { type: 'LeaseWaiting', data: { reason: why.reason, explanation: why } }, acquired);

  test('the last that was written, by position or by time', () => {
    expect(keptExplanation(events, undefined)).toEqual({ at: at(3), position: 13, reason: 'all busy', explanation: why });
    expect(keptExplanation(events, { position: 13 })).toEqual({ at: at(3), position: 13, reason: 'all busy', explanation: why });
    expect(keptExplanation(events, { position: 12 })).toEqual({ at: at(2), position: 12, reason: 'older', explanation: null });
    expect(keptExplanation(events, { time: Date.parse(at(2)) + 999 })).toMatchObject({ reason: 'older' });
    expect(keptExplanation(events, { time: Date.parse(at(1)) })).toBeUndefined();
    expect(keptExplanation(events.slice(0, 1), undefined)).toBeUndefined();
  });
});
