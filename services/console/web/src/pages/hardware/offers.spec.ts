import { describe, expect, test } from 'vitest';
import type { HardwareGroupView, HardwareView, JobTaskView } from '@berth/client';
import { hardwareGroupSpec, hardwareSpec, jobNeeds, jobTasks, type RebootMethod } from '@berth/contracts';
import { ladderOf, offersOf } from './offers';
import { reachOf } from './reach';

const ipmi = { address: '10.1.0.7', user: 'root', password: 'ipmi-macs' };
const machine = (more: Partial<HardwareView> = {}, said: object = {}): HardwareView => ({
  ...hardwareSpec.parse({ name: 'box', address: '10.0.0.7', ...said }), enrolled: false, loan: null, job: null, set: '2030-01-01T00:00:00Z', by: 'ops', ...more,
});
const group = (name: string, ladder?: readonly RebootMethod[]): HardwareGroupView => ({ ...hardwareGroupSpec.parse({ name, ...(ladder && { escalation: ladder.map((method) => ({ method })) }) }), machines: [], set: '2030-01-01T00:00:00Z', by: 'ops' });
const loan: NonNullable<HardwareView['loan']> = { job: 'j', to: 'ada', status: 'ACTIVE', steps: [], lease: null, requested: '2030-01-01T00:00:00Z', activated: null };
const told = (unpublished: readonly string[] = [], forbidden: readonly string[] = []): JobTaskView[] =>
  jobTasks.map((task) => ({ task, title: task, description: '', effect: 'changes', permission: `jobs:${task}`, least: 'operator', published: !unpublished.includes(task), may: !forbidden.includes(task), needs: jobNeeds[task].map((one) => [...one]) }));
const names = (of: HardwareView, tasks = told(), groups: HardwareGroupView[] = []) => offersOf(tasks, of, groups).offered.map(({ task }) => task);
const why = (task: string, of: HardwareView, tasks = told(), groups: HardwareGroupView[] = []) => offersOf(tasks, of, groups).withheld.find((one) => one.task.task === task)?.why;

describe('what can be asked for on a machine', () => {
  test('is what it has the means for', () => {
    expect(names(machine())).toEqual(['ping', 'status', 'loan', 'file_ticket']);
    expect(names(machine({}, { interfaces: { ipmi } }))).toEqual(['ping', 'status', 'reboot', 'ipmi_off', 'ipmi_on', 'ipmi_cycle', 'ipmi_reset', 'ipmi_list', 'loan', 'file_ticket']);
    expect(names(machine({ enrolled: true, loan }))).toEqual(['ping', 'status', 'reboot', 'ssh_reboot', 'disable', 'enable', 'return_loan', 'file_ticket']);
    expect(names(machine({ enrolled: true }, { interfaces: { ipmi } }))).toContain('reimage');
    expect(names(machine({}, { interfaces: { ipmi } }))).not.toContain('reimage');
  });

  test('is nothing for whoever may ask for nothing, and nothing is told of it', () => expect(offersOf(told([], jobTasks), machine(), [])).toEqual({ offered: [], withheld: [] }));

  test('what is not, is told with the reason', () => {
    expect(why('ping', machine(), told(['ping']))).toBe('is not published here: BERTH_JOB_TASKS says what is');
    expect(why('ping', machine(), told(['ping'], ['ping']))).toBeUndefined();
    expect(why('reimage', machine())).toBe('needs the interface redfish or the interface ipmi, and to be enrolled or the interface ssh');
    expect(why('return_loan', machine())).toBe('needs to be on loan');
    expect(why('loan', machine({ loan }))).toBe('needs not to be on loan');
  });

  test('a reboot goes by the ladder of the first group that has one', () => {
    const groups = [group('plain'), group('outlets', ['snmp_reboot', 'file_ticket']), group('others', ['ipmi_cycle'])];
    const of = (...own: string[]) => machine({}, { groups: own, interfaces: { ipmi } });
    expect(ladderOf(of('plain', 'outlets', 'others'), groups)?.group).toBe('outlets');
    expect(ladderOf(of('plain'), groups)).toBeUndefined();
    expect(names(of('others', 'outlets'), told(), groups)).toContain('reboot');
    expect(why('reboot', of('outlets', 'others'), told(), groups)).toBe('needs what one of snmp_reboot does');
    // That its methods are no tasks for whoever looks, or here at all, changes nothing.
    expect(names(of('others'), told(['ipmi_cycle'], ['ipmi_cycle']), groups)).toContain('reboot');
  });
});

test('interfaces are told with the names of their secrets', () => {
  const hostKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3vRmFXnqYZ3P9nT4gGm8vY2v8f4jzR5kQm3vY2v8f4';
  expect(reachOf(machine({}, { interfaces: { ssh: { user: 'root', credential: 'agent', hostKey }, ipmi, pdu: { address: '10.1.0.8', family: 'oid', outlet: '7', community: 'pdu', oid: { outlet: '1.3.6.1', on: 1, off: 2 } }, wake: { mac: '00:11:22:33:44:55' } } }))).toEqual([
    { kind: 'ssh', at: '10.0.0.7:22', user: 'root', secret: 'agent', rest: `hostKey=${hostKey}` },
    { kind: 'ipmi', at: '10.1.0.7:623', user: 'root', secret: 'ipmi-macs', rest: 'interface=lanplus, level=ADMINISTRATOR' },
    { kind: 'pdu', at: '10.1.0.8:161', user: '', secret: 'pdu', rest: 'family=oid, outlet=7, oid=outlet 1.3.6.1 on 1 off 2' },
    { kind: 'wake', at: '255.255.255.255:9', user: '', secret: '', rest: 'mac=00:11:22:33:44:55' },
  ]);
});
