import type { ActionSpec, AnyRecorded, HostAccess, LeaseEvent, ResourceEvent } from '@berth/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import { Grants } from './grants.js';

const access: HostAccess = { transport: 'ssh', address: '10.0.0.1', port: 22, user: 'ci', credential: 'agent', platform: 'linux', folder: '~/x' };
const run: ActionSpec = { kind: 'run-command', command: 'true', env: {} };
const remove: ActionSpec = { kind: 'remove-working-copy', copy: '00000000-0000-4000-8000-000000000000' };
const start: ActionSpec = { kind: 'start-service', service: '00000000-0000-4000-8000-000000000000', command: 'true', env: {}, timeoutMs: 1 };
const stop: ActionSpec = { kind: 'stop-service', service: '00000000-0000-4000-8000-000000000000', env: {}, timeoutMs: 1 };
const prepare: ActionSpec = { kind: 'prepare-working-copy', copy: '00000000-0000-4000-8000-000000000000' };

let grants: Grants;
let sequence: number;
beforeEach(() => {
  grants = new Grants();
  sequence = 0;
});
const commit = { id: 'c', at: '2030-01-01T00:00:00Z', actor: 'a', cause: 'c' };
const resource = (id: string, ...events: ResourceEvent[]) => (grants.apply({ kind: 'resource', id, sequence: ++sequence, commit: { ...commit, events } } as AnyRecorded), sequence);
const lease = (id: string, ...events: LeaseEvent[]) => grants.apply({ kind: 'lease', id, sequence: ++sequence, commit: { ...commit, events } } as AnyRecorded);

type Created = Extract<ResourceEvent, { type: 'ResourceCreated' }>['data'];
const created = (data: Partial<Created> = {}): ResourceEvent => ({ type: 'ResourceCreated', data: { type: 'host', blueprint: 'any name', name: 'box', attributes: {}, slots: 1, ...data } });
const activated = (data: object = {}): ResourceEvent => ({ type: 'ResourceActivated', data });
const claimed = (id: string): ResourceEvent => ({ type: 'SlotClaimed', data: { slot: 0, lease: id, owner: 'ada' } });
const broken: ResourceEvent = { type: 'ResourceBroken', data: { error: 'spot interruption' } };
const requested = (type: 'host' | 'working-copy' | 'service' | 'composite'): LeaseEvent => ({ type: 'LeaseRequested', data: { type, owner: 'ada', attributes: {}, prefer: [], blueprints: [], priority: 1, wait: 'always' } });
const active: LeaseEvent = { type: 'LeaseActivated', data: {} };

/** A launched host under lease `host`; the token is the claim's. */
function launched(): number {
  lease('host', requested('host'));
  resource('H', created());
  const token = resource('H', claimed('host'));
  resource('H', activated({ host: access }));
  lease('host', active);
  return token;
}

describe('a host that is launched', () => {
  it('is in service from when it is known how to get in', () => {
    resource('H', created());
    expect([...grants.hosts.keys()]).toEqual([]);
    resource('H', activated({ host: access }));
    expect(grants.hosts.get('H')).toMatchObject({ access, active: true, launched: true });
  });

  it('has no place for an action before', () => {
    lease('host', requested('host'));
    resource('H', created());
    const token = resource('H', claimed('host'));
    lease('host', active);
    expect(grants.check('host', token, run)).toMatchObject({ code: 'lease-not-active' });
    resource('H', activated({ host: access }));
    expect(grants.check('host', token, run)).toBeUndefined();
    expect(grants.place('host')).toMatchObject({ access, folder: { copy: 'host' } });
  });

  it.each([
    ['broken', [broken]],
    ['destroyed', [{ type: 'ResourceDestroyed', data: {} }]],
    ['broken and destroyed', [broken, { type: 'ResourceDestroyed', data: {} }]],
  ] as [string, ResourceEvent[]][])('is gone for all that stands on it once it is %s', (_, events) => {
    const token = launched();
    resource('C', created({ type: 'working-copy', parent: { lease: 'host', resource: 'H' } }), claimed('copy'));
    expect(grants.gone('copy')).toBeUndefined();
    resource('H', ...events);
    expect(grants.hosts.size).toBe(0);
    expect(grants.gone('copy')).toMatchObject({ launched: true });
    expect(grants.check('host', token, run)).toMatchObject({ code: 'machine-unreachable' });
  });
});

describe('a host that is enrolled', () => {
  it('is told from a launched one when it breaks: it may come back with all that is on it', () => {
    resource('H', created({ host: access }), activated());
    resource('H', claimed('host'));
    resource('H', broken);
    expect(grants.gone('host')).toEqual({ launched: false, error: 'spot interruption' });
  });

  it('takes a new address when it is activated with one', () => {
    resource('H', created({ host: access }), activated({ host: { ...access, address: 'other' } }));
    expect(grants.hosts.get('H')).toMatchObject({ launched: false, access: { address: 'other' } });
  });
});

describe('what stands on leases', () => {
  it('is followed to the host, whichever was claimed first', () => {
    // A service leased a working copy for itself, which leased a host: neither was known when they were created.
    lease('service', requested('service'));
    resource('S', created({ type: 'service', parent: { lease: 'copy', own: true } }));
    const token = resource('S', claimed('service'));
    expect(grants.check('service', token, start)).toMatchObject({ code: 'lease-not-active' });
    expect(grants.gone('service')).toMatchObject({ launched: true });
    resource('C', created({ type: 'working-copy', parent: { lease: 'host', own: true } }), claimed('copy'));
    launched();
    resource('C', activated({ path: '/copies/C' }));
    expect(grants.gone('service')).toBeUndefined();
    expect(grants.check('service', token, start)).toBeUndefined();
    expect(grants.place('service')).toMatchObject({ host: { id: 'H' }, folder: { path: '/copies/C' } });
  });

  it('works in the folder of the lease when a service stands on a host', () => {
    launched();
    resource('S', created({ type: 'service', parent: { lease: 'host' } }), claimed('service'));
    expect(grants.place('service').folder).toEqual({ copy: 'service' });
  });

  it('never loops', () => {
    resource('A', created({ type: 'service', parent: { lease: 'b' } }), claimed('a'));
    resource('B', created({ type: 'service', parent: { lease: 'a' } }), claimed('b'));
    expect(grants.gone('a')).toMatchObject({ error: 'it stands on no host' });
  });

  it('has no host when it is a composite', () => {
    lease('all', requested('composite'), active);
    const token = resource('X', created({ type: 'composite', members: {} }), claimed('all'));
    expect(grants.check('all', token, run)).toMatchObject({ code: 'lease-not-active', message: expect.stringContaining('composite') });
  });
});

describe('kinds of actions', () => {
  it.each([
    ['before the lease is active', [], { run: 'lease-not-active', prepare: undefined, start: undefined, remove: undefined, stop: undefined }],
    ['when it is active', [active], { run: undefined, prepare: undefined, start: undefined, remove: undefined, stop: undefined }],
    ['when it was released', [active, { type: 'LeaseReleased', data: { reason: 'r', expired: false } }], { run: 'lease-not-active', prepare: 'lease-not-active', start: 'lease-not-active', remove: undefined, stop: undefined }],
    ['when it broke', [active, { type: 'LeaseBroken', data: { error: 'e' } }], { run: 'lease-not-active', prepare: 'lease-not-active', start: 'lease-not-active', remove: undefined, stop: undefined }],
    ['when it was refused', [{ type: 'LeaseRefused', data: { reason: 'r' } }], { run: 'lease-not-active', prepare: 'lease-not-active', start: 'lease-not-active', remove: undefined, stop: undefined }],
    ['whatever else is told of it', [active, { type: 'LeaseBeat', data: { alive: '2030-01-01T00:00:00Z' } }, { type: 'PriorityChanged', data: { priority: 1 } }], { run: undefined, prepare: undefined, start: undefined, remove: undefined, stop: undefined }],
  ] as [string, LeaseEvent[], Record<string, string | undefined>][])('%s', (_, events, codes) => {
    resource('H', created({ host: access }), activated());
    lease('L', requested('host'));
    const token = resource('H', claimed('L'));
    lease('L', ...events);
    const specs = { run, prepare, start, remove, stop };
    expect(Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, grants.check('L', token, spec)?.code]))).toEqual(codes);
    expect(grants.check('L', token - 1, stop)).toMatchObject({ code: 'stale-token' });
  });
});

it('knows whose folders are somebody’s', () => {
  lease('L', requested('host'));
  resource('C', created({ type: 'working-copy' }));
  expect([grants.owned('L'), grants.owned('C'), grants.owned('X')]).toEqual([true, true, false]);
  lease('L', { type: 'LeaseDestroyed', data: {} });
  resource('C', { type: 'ResourceDestroyed', data: {} });
  expect([grants.owned('L'), grants.owned('C')]).toEqual([false, false]);
});
