import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { HardwareDocumentInput } from '@berth/client';
import { hardwareGroupSpec, hardwareSpec, rejected, type Answer } from '@berth/contracts';
import { asker, problemOf, statusAndCode, type Asker } from '../access/access.testing.js';
import { scripted, type Scripted, type Sent } from '../scripted.testing.js';
import { LIVE, requested } from './jobs.testing.js';

let berth: Scripted;
let operator: Asker;
let viewer: Asker;

/** Stores what it is told, as the gateway does; machines and groups that are called `kept` stay. */
const keeps = (kind: 'hardware' | 'hardware-group', type: string) => async ({ id, data }: Sent): Promise<Answer> => {
  const name = String(data['name']);
  if (name === 'kept') return rejected('hardware-in-use', 'It is in use.');
  const stored = type === 'HardwareSet' ? hardwareSpec.parse(data) : type === 'HardwareGroupSet' ? hardwareGroupSpec.parse(data) : {};
  return { accepted: true, id, position: await berth.happen(kind, name, { type, data: stored }) };
};

beforeAll(async () => {
  berth = await scripted();
  operator = await asker(berth, 'operator', 'operator');
  viewer = await asker(berth, 'viewer', 'viewer');
});
beforeEach(() =>
  berth.script({
    SetHardware: keeps('hardware', 'HardwareSet'), RemoveHardware: keeps('hardware', 'HardwareRemoved'), SetHardwareGroup: keeps('hardware-group', 'HardwareGroupSet'), RemoveHardwareGroup: keeps('hardware-group', 'HardwareGroupRemoved'),
    CompleteLoanStep: ({ id }) => ({ accepted: true, id }),
  }),
);
const sent = () => berth.sent.map(({ type, data }) => [type, data['name'] ?? data]);

const ipmi = { address: '10.0.0.7', user: 'root', password: 'ipmi-password' };

describe('hardware', () => {
  test('is set, shown with its defaults, listed, and forgotten', async () => {
    const response = await operator.ask('PUT', 'hardware/mac-1', { address: '10.0.0.1', workers: [{ id: 'tc-1', group: 'g' }], groups: ['macs'], interfaces: { ipmi } });
    expect([response.status, response.headers.get('location')]).toEqual([201, '/api/v1/hardware/mac-1']);
    await operator.berth.hardware.set('mac-2', { address: '10.0.0.2' });
    expect(await viewer.berth.hardware.get('mac-1')).toEqual({
      name: 'mac-1', address: '10.0.0.1', platform: 'linux', workers: [{ id: 'tc-1', group: 'g' }], groups: ['macs'], interfaces: { ipmi: { ...ipmi, port: 623, interface: 'lanplus', level: 'ADMINISTRATOR' } },
      enrolled: false, loan: null, job: null, set: expect.any(String) as string, by: 'spec',
    });
    const names = async (query: object) => (await viewer.berth.hardware.list(query)).items.map(({ name }) => name);
    expect(await names({})).toEqual(['mac-1', 'mac-2']);
    expect(await names({ sort: '-name', limit: 1 })).toEqual(['mac-2']);
    expect(await names({ group: 'macs' })).toEqual(['mac-1']);
    expect(await names({ worker: 'tc-1' })).toEqual(['mac-1']);
    expect(await names({ interface: 'ipmi,ssh' })).toEqual(['mac-1']);
    expect(await names({ status: 'lent' })).toEqual([]);
    expect(await names({ q: 'TC-' })).toEqual(['mac-1']);
    expect(await statusAndCode(viewer.ask('GET', 'hardware?interface=fax'))).toEqual([422, 'invalid-data']);
    expect((await operator.ask('DELETE', 'hardware/mac-2')).status).toBe(202);
    expect(await statusAndCode(viewer.ask('GET', 'hardware/mac-2'))).toEqual([404, 'unknown-hardware']);
    expect(await statusAndCode(operator.ask('DELETE', 'hardware/kept'))).toEqual([409, 'hardware-in-use']);
    expect(await statusAndCode(operator.ask('DELETE', 'hardware/a%20b'))).toEqual([404, 'unknown-hardware']);
    expect((await problemOf(operator.ask('PUT', 'hardware/mac-1', { name: 'other', address: 'x' }))).errors[0]!.field).toBe('name');
    for (const [method, path] of [['PUT', 'hardware/mac-1'], ['DELETE', 'hardware/mac-1'], ['POST', 'hardware/import']] as const) expect(await statusAndCode(viewer.ask(method, path, {}))).toEqual([403, 'forbidden']);
  });

  test('is enrolled when a machine of its name is', async () => {
    await operator.berth.hardware.set('both', { address: '10.0.0.3' });
    await berth.happen('machine', 'both', { type: 'MachineAdded', data: { name: 'both', address: '10.0.0.3', port: 22, user: 'x', credential: 'agent', platform: 'linux', attributes: {}, slots: 1, hostKey: 'ssh-ed25519 AAAA', facts: {} } });
    await expect.poll(async () => (await viewer.berth.hardware.get('both')).enrolled).toBe(true);
  });

  test('is lent step by step, and comes back', async () => {
    await operator.berth.hardware.set('lent', { address: '10.0.0.4' });
    const happens = async (...events: Parameters<Scripted['happen']>[2][]) => viewer.berth.hardware.get('lent', { after: await berth.happen('hardware', 'lent', ...events) });
    expect((await happens({ type: 'LoanRequested', data: { job: LIVE, to: 'ada', steps: ['unplug', 'label'], lease: LIVE } })).loan).toMatchObject({ job: LIVE, to: 'ada', status: 'PENDING', lease: LIVE, activated: null, steps: [{ text: 'unplug', done: null, by: null }, { text: 'label', done: null }] });
    expect((await happens({ type: 'LoanStepDone', data: { step: 0 } })).loan!.steps).toEqual([{ text: 'unplug', done: expect.any(String) as string, by: 'spec' }, { text: 'label', done: null, by: null }]);
    expect((await happens({ type: 'LoanStepDone', data: { step: 1 } }, { type: 'LoanActivated', data: {} })).loan).toMatchObject({ status: 'ACTIVE', activated: expect.any(String) as string });
    expect((await viewer.berth.hardware.list({ status: 'lent' })).items.map(({ name }) => name)).toEqual(['lent']);
    expect((await happens({ type: 'LoanReturned', data: {} })).loan).toBeNull();
  });

  test('has its newest job beside it, from when it is asked for until it has ended', async () => {
    await operator.berth.hardware.set('worked', { address: '10.0.0.5' });
    const [first, second] = ['aaaaaaaa-2222-4333-8444-555555555555', 'bbbbbbbb-2222-4333-8444-555555555555'];
    const after = async (id: string, ...events: Parameters<Scripted['happen']>[2][]) => (await viewer.berth.hardware.get('worked', { after: await berth.happen('job', id, ...events) })).job;
    expect(await after(first, requested({ machine: 'worked' }))).toEqual({ id: first, task: 'reboot', status: 'QUEUED', modified: expect.any(String) as string });
    expect(await after(first, { type: 'JobStarted', data: {} }, { type: 'JobNoted', data: { activity: 'reboots it' } })).toMatchObject({ id: first, status: 'RUNNING' });
    expect(await after(second, requested({ machine: 'worked', task: 'ping' }))).toMatchObject({ id: second, task: 'ping', status: 'QUEUED' });
    // The older one ends later, and is not the newest for that.
    expect(await after(first, { type: 'JobFailed', data: { machine: 'down', code: 'timeout', error: 'it took too long' } })).toMatchObject({ id: second, status: 'QUEUED' });
    expect(await after(second, { type: 'JobCancelled', data: { reason: 'enough' } })).toMatchObject({ id: second, status: 'CANCELLED' });
    await operator.berth.hardware.remove('worked');
  });

  test('a step of a loan is done by whoever may lend', async () => {
    expect((await operator.ask('POST', 'hardware/lent/loan/steps/1', { done: true })).status).toBe(202);
    expect(berth.sent.map(({ data }) => data)).toEqual([{ done: true, machine: 'lent', step: 1 }]);
    expect(await statusAndCode(operator.ask('POST', 'hardware/lent/loan/steps/first', {}))).toEqual([422, 'invalid-data']);
    expect(await statusAndCode(viewer.ask('POST', 'hardware/lent/loan/steps/1', {}))).toEqual([403, 'forbidden']);
  });
});

test('groups are set, shown with their machines, and forgotten', async () => {
  expect((await operator.ask('PUT', 'hardware-groups/macs', { escalation: [{ method: 'ssh_reboot', timeout: '30s' }], loanSteps: ['unplug'] })).status).toBe(201);
  expect(await viewer.berth.hardwareGroups.get('macs')).toEqual({ name: 'macs', escalation: [{ method: 'ssh_reboot', timeout: 30_000, downWithin: 60_000, upWithin: 300_000 }], loanSteps: ['unplug'], mail: [], machines: ['mac-1'], set: expect.any(String) as string, by: 'spec' });
  expect((await viewer.berth.hardwareGroups.list({ q: 'm' })).items.map(({ name }) => name)).toEqual(['macs']);
  await operator.berth.hardwareGroups.set('old', {});
  expect((await operator.ask('DELETE', 'hardware-groups/old')).status).toBe(202);
  expect(await statusAndCode(viewer.ask('GET', 'hardware-groups/old'))).toEqual([404, 'unknown-hardware-group']);
  expect(await statusAndCode(operator.ask('DELETE', 'hardware-groups/kept'))).toEqual([409, 'hardware-in-use']);
  expect((await problemOf(operator.ask('PUT', 'hardware-groups/macs', { name: 'x' }))).errors[0]!.field).toBe('name');
});

describe('an import', () => {
  let before: HardwareDocumentInput;
  const change = (name: string, change: string, paths: string[] = [], error: unknown = null) => ({ name, change, paths, error });

  beforeAll(async () => {
    berth.script({ SetHardware: keeps('hardware', 'HardwareSet'), RemoveHardware: keeps('hardware', 'HardwareRemoved') });
    for (const name of ['both', 'lent']) await operator.berth.hardware.remove(name);
    await operator.berth.hardware.set('mac-3', { address: '10.0.0.3' });
    before = await viewer.berth.hardware.export();
  });

  test('of what was exported changes nothing, and sends nothing', async () => {
    expect(before.hardware!.map(({ name }) => name)).toEqual(['mac-1', 'mac-3']);
    expect(await operator.berth.hardware.import(before, { prune: true })).toEqual({ dryRun: false, groups: [change('macs', 'same')], hardware: [change('mac-1', 'same'), change('mac-3', 'same')] });
    expect(sent()).toEqual([]);
  });

  const wanted = (): HardwareDocumentInput => ({
    groups: [{ name: 'macs', escalation: [{ method: 'ssh_reboot', timeout: '31s' }], loanSteps: ['unplug', 'label'] }, { name: 'new' }],
    hardware: [{ name: 'mac-1', address: '10.0.0.9', workers: [{ id: 'tc-1' }], groups: ['macs'], interfaces: { ipmi: { ...ipmi, port: 624 }, wake: { mac: '00:11:22:33:44:55' } } }, { name: 'mac-9', address: 'x' }],
  });
  const changes = { groups: [change('macs', 'changed', ['escalation[0].timeout', 'loanSteps']), change('new', 'added')], hardware: [change('mac-1', 'changed', ['address', 'interfaces.ipmi.port', 'interfaces.wake', 'workers[0].group']), change('mac-9', 'added')] };

  test('as a dry run tells what differs, and changes nothing', async () => {
    expect(await operator.berth.hardware.import(wanted(), { dryRun: true })).toEqual({ dryRun: true, ...changes });
    expect(await operator.berth.hardware.import(wanted(), { dryRun: true, prune: true })).toEqual({ dryRun: true, groups: changes.groups, hardware: [changes.hardware[0], change('mac-3', 'removed'), changes.hardware[1]] });
    expect(sent()).toEqual([]);
    expect(await viewer.berth.hardware.export()).toEqual(before);
  });

  test('is carried out, groups first; a second time there is nothing to do; what is not in it goes with prune alone', async () => {
    expect(await operator.berth.hardware.import(wanted())).toEqual({ dryRun: false, ...changes });
    expect(sent().map(([type]) => type)).toEqual(['SetHardwareGroup', 'SetHardwareGroup', 'SetHardware', 'SetHardware']);
    expect((await operator.berth.hardware.import(wanted())).hardware.map(({ change }) => change)).toEqual(['same', 'same']);
    expect((await viewer.berth.hardware.export()).hardware.map(({ name }) => name)).toEqual(['mac-1', 'mac-3', 'mac-9']);
    expect(await operator.berth.hardware.import({ hardware: wanted().hardware! }, { prune: true })).toMatchObject({ groups: [change('macs', 'removed'), change('new', 'removed')], hardware: [{ change: 'same' }, change('mac-3', 'removed'), { change: 'same' }] });
    expect(await viewer.berth.hardware.export()).toMatchObject({ groups: [], hardware: [{ name: 'mac-1' }, { name: 'mac-9' }] });
  });

  test('tells of each that is refused, and does the others', async () => {
    const { hardware } = await operator.berth.hardware.import({ hardware: [{ name: 'kept', address: 'x' }, { name: 'done', address: 'x' }] });
    expect(hardware).toEqual([change('done', 'added'), change('kept', 'added', [], { code: 'hardware-in-use', message: 'It is in use.' })]);
    expect((await viewer.berth.hardware.get('done')).address).toBe('x');
  });

  test('that cannot be read does nothing, and says where', async () => {
    const errors = async (body: unknown) => (await problemOf(operator.ask('POST', 'hardware/import', body))).errors;
    expect(await errors({ hardware: [{ name: 'a', address: '; echo foo' }, { name: 'b', address: 'x', boat: 1 }] })).toEqual([
      { field: 'hardware[0].address', message: 'use a host name or an IP address' }, { field: 'hardware[1]', message: 'unknown key "boat": remove it or correct its spelling' },
    ]);
    expect((await errors({ hardware: [{ name: 'a', address: 'x' }, { name: 'a', address: 'y' }] }))[0]!.field).toBe('hardware[1].name');
    expect((await errors({ machines: [] }))[0]!.message).toContain('unknown key "machines"');
    expect(sent()).toEqual([]);
  });
});
