import type { AnyRecorded, EventOf, Kind } from '@berth/contracts';
import { expect, test } from 'vitest';
import { action, BUILD, COPY, HOST } from './spec/examples.js';
import { Views } from './views.js';

const RESOURCE = '0b7d1c7e-5d55-4d0c-9b3e-1c2f6a2d7a10';

/** Views that follow a feed written by hand; a second lies between two commits. */
function following() {
  const views = new Views();
  let sequence = 0;
  const tell = (kind: Kind, id: string, type: string, data: object = {}) => {
    sequence++;
    const commit = { id: `c${sequence}`, at: new Date(sequence * 1000).toISOString(), actor: 'x', cause: 'x', events: [{ type, data } as EventOf<string, unknown>] };
    return views.apply({ kind, id, sequence, commit } as unknown as AnyRecorded);
  };
  return { views, tell };
}
const grant = { resource: RESOURCE, blueprint: 'working-copy', slot: 0, token: 5 };

test('a lease is followed from where its build names it until the build is cleaned up', () => {
  const { views, tell } = following();
  expect(tell('lease', COPY, 'LeaseRequested')).toEqual([]);
  expect(views.lease(COPY)).toBeUndefined();
  expect(tell('build', BUILD, 'BuildPreparing', { hostLease: HOST })).toEqual([BUILD]);
  tell('build', BUILD, 'BuildWorkingCopyRequested', { workingCopyLease: COPY });
  expect(tell('lease', COPY, 'LeaseRequested')).toEqual([BUILD]);
  expect(views.lease(COPY)).toEqual({ status: 'pending', position: 4 });
  tell('lease', COPY, 'LeaseWaiting', { reason: 'no slot' });
  expect(views.lease(COPY)).toEqual({ status: 'pending', position: 5, reason: 'no slot' });
  // The working copy may be ready before its lease has heard of it.
  tell('resource', RESOURCE, 'ResourceCreated', { type: 'working-copy' });
  tell('resource', RESOURCE, 'ResourceActivated', { path: '/w', commit: 'c0ffee' });
  tell('lease', COPY, 'LeaseAcquired', grant);
  expect(views.lease(COPY)).toEqual({ status: 'acquired', position: 8, token: 5, resource: RESOURCE });
  tell('lease', COPY, 'LeaseActivated');
  tell('lease', COPY, 'LeaseRenewed', { until: 'later' });
  expect(views.lease(COPY)).toEqual({ status: 'active', position: 9, token: 5, resource: RESOURCE, path: '/w', commit: 'c0ffee' });
  tell('lease', COPY, 'LeaseReleased', { reason: 'time', expired: true });
  expect(views.lease(COPY)).toEqual({ status: 'ending', position: 11, end: { how: 'expired', detail: 'time', at: 11_000 } });
  tell('lease', COPY, 'LeaseDestroyed');
  tell('resource', RESOURCE, 'ResourceDestroyed');
  expect(views.lease(COPY)).toEqual({ status: 'destroyed', position: 12, end: { how: 'expired', detail: 'time', at: 11_000 } });
  expect(tell('build', BUILD, 'BuildCleanedUp')).toEqual([BUILD]);
  expect(views.lease(COPY)).toBeUndefined();
  expect(tell('lease', COPY, 'LeaseRenewed')).toEqual([]);
  // Nothing is kept of what is over.
  for (const [name, kept] of Object.entries(views)) expect([name, (kept as Map<string, unknown>).size]).toEqual([name, 0]);
});

test('a refusal is known until the feed knows better', () => {
  const { views, tell } = following();
  tell('build', BUILD, 'BuildPreparing', { hostLease: HOST });
  views.refused('lease', HOST, { code: 'unavailable', message: 'no.' }, 0);
  expect(views.lease(HOST)).toEqual({ status: 'refused', code: 'unavailable', message: 'no.' });
  tell('lease', HOST, 'LeaseRequested');
  views.refused('lease', HOST, { code: 'unavailable', message: 'no.' }, 0);
  expect(views.lease(HOST)).toMatchObject({ status: 'pending' });
  views.refused('lease', COPY, { code: 'unavailable', message: 'no.' }, 0);
  expect(views.lease(COPY)).toBeUndefined();
});

test('an action takes from when it was asked for to its end', () => {
  const { views, tell } = following();
  tell('build', BUILD, 'StepStarted', { action: action(0) });
  tell('action', action(0), 'ActionRequested');
  expect(views.action(action(0))).toEqual({ status: 'requested' });
  expect(views.runningFor(action(0), 9000)).toBe(7000);
  tell('action', action(0), 'ActionStarted');
  expect(views.action(action(0))).toEqual({ status: 'requested', startedAt: 3000 });
  expect(views.runningFor(action(0), 9000)).toBe(7000);
  tell('action', action(0), 'CancelRequested', { reason: 'x' });
  tell('action', action(0), 'ActionFailed', { code: 'exit', error: 'it failed', exitCode: 2 });
  expect(views.action(action(0))).toMatchObject({ status: 'failed', code: 'exit', started: true, durationMs: 3000, at: 5000, position: 5, result: { exitCode: 2 } });
});

test('a request that can not be served is refused for good', () => {
  const { views, tell } = following();
  tell('build', BUILD, 'BuildPreparing', { hostLease: HOST });
  tell('lease', HOST, 'LeaseRequested');
  tell('lease', HOST, 'PriorityChanged', { priority: 7 });
  tell('lease', HOST, 'LeaseRefused', { reason: 'there is no mac' });
  tell('lease', HOST, 'LeaseDestroyed');
  expect(views.lease(HOST)).toEqual({ status: 'refused', code: 'unservable', message: 'there is no mac' });
});

test('a host is followed as long as it lives, and its end concerns whoever is on it', () => {
  const { views, tell } = following();
  tell('resource', RESOURCE, 'ResourceCreated', { type: 'host', host: { address: 'x' } });
  expect(views.host(RESOURCE)).toEqual({ launched: false });
  tell('resource', RESOURCE, 'ResourceDestroyed');
  tell('resource', RESOURCE, 'ResourceCreated', { type: 'host' });
  tell('resource', RESOURCE, 'ResourceActivated', { host: { address: 'x' } });
  expect(views.host(RESOURCE)).toEqual({ launched: true });
  tell('build', BUILD, 'BuildPreparing', { hostLease: HOST });
  expect(tell('resource', RESOURCE, 'ResourceReachable')).toEqual([]);
  tell('lease', HOST, 'LeaseRequested');
  tell('lease', HOST, 'LeaseAcquired', { ...grant, blueprint: 'ec2' });
  expect(tell('resource', RESOURCE, 'SlotClaimed')).toEqual([]);
  expect(tell('resource', RESOURCE, 'ResourceUnreachable', { error: 'x' })).toEqual([]);
  expect(tell('resource', RESOURCE, 'ResourceReachable')).toEqual([BUILD]);
  expect(views.host(RESOURCE)).toEqual({ launched: true, answered: 11 });
  tell('resource', RESOURCE, 'ResourceHeld', { until: 'noon', reason: 'x' });
  expect(views.host(RESOURCE)).toMatchObject({ heldUntil: 'noon' });
  tell('resource', RESOURCE, 'HoldEnded');
  expect(tell('resource', RESOURCE, 'ResourceBroken', { error: 'interrupted' })).toEqual([BUILD]);
  expect(views.host(RESOURCE)).toEqual({ launched: true, answered: 11, broken: { error: 'interrupted', at: 14_000 } });
  tell('resource', RESOURCE, 'ResourceDestroyed');
  expect(views.host(RESOURCE)).toBeUndefined();
});

test('the answer to a hold is known until the build is cleaned up', () => {
  const { views, tell } = following();
  tell('build', BUILD, 'BuildPreparing', { hostLease: HOST });
  views.held(BUILD, 'hold', { accepted: true });
  expect(views.hold('hold')).toEqual({ accepted: true });
  tell('build', BUILD, 'BuildCleanedUp');
  views.held(BUILD, 'hold', { accepted: true });
  for (const [name, kept] of Object.entries(views)) expect([name, (kept as Map<string, unknown>).size]).toEqual([name, 0]);
});

test('a refusal of an action is known from when it came', () => {
  const { views, tell } = following();
  tell('build', BUILD, 'StepStarted', { action: action(0) });
  views.refused('action', action(0), { code: 'stale-token', message: 'no.' }, 77);
  expect(views.action(action(0))).toEqual({ status: 'refused', code: 'stale-token', message: 'no.', at: 77 });
});
