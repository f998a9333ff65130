import { randomUUID } from 'node:crypto';
import type { CommandInput, EscalationStep, JobEvent } from '@berth/contracts';
import { jetStreamStore } from '@berth/event-store';
import { beforeAll, describe, expect, test } from 'vitest';
import { atEndOfFile } from '../../../../test/support/cleanup.js';
import { startTestSshd } from '../../../../test/support/sshd.js';
import { eventually } from '../../../../test/support/wait.js';
import { startGateway, type TestGateway } from '../gateway.testing.js';
import { startIlo } from './drivers/ilo.testing.js';
import { startMachine, type Machine, type MachineOptions } from './drivers/machine.testing.js';
import { startRedfish } from './drivers/redfish.testing.js';
import { startXen } from './drivers/xen.testing.js';
import { SmtpSink } from './notify/smtp.testing.js';
import { BugzillaStandIn } from './tickets/bugzilla.testing.js';

const TRACKER_KEY = 'k3yOfTheTracker0123456789abcdefABCDEF012';
let gateway: TestGateway;
let bugzilla: BugzillaStandIn;
let mail: SmtpSink;
beforeAll(async () => {
  [bugzilla, mail] = await Promise.all([BugzillaStandIn.start({ key: TRACKER_KEY }), SmtpSink.start()]);
  atEndOfFile(async () => void (await Promise.all([bugzilla.stop(), mail.stop()])));
  gateway = await startGateway({
    tickets: { kind: 'bugzilla', url: bugzilla.url, product: 'Ops', component: 'Hardware', version: 'unspecified', machines: { product: 'Inventory', component: 'Machines' }, secret: 'zilla' },
    mail: { host: '127.0.0.1', port: mail.port, secure: false, from: 'berth@example.com' },
    publicUrl: 'https://berth.example',
  });
  await gateway.setSecret('zilla', TRACKER_KEY);
});

const LADDER: EscalationStep[] = (['ssh_reboot', 'ipmi_reset', 'ipmi_cycle', 'redfish_reset', 'snmp_reboot', 'file_ticket'] as const).map((method) => ({ method, timeout: 10_000, downWithin: 1200, upWithin: 5000 }));
/** Shorter than the limit of a test, so that what fails says what it saw. */
const SOON = { timeoutMs: 40_000, everyMs: 50 };

const told = async <T extends 'SetHardware' | 'SetHardwareGroup' | 'CancelJob' | 'ReportInstalled'>(type: T, data: CommandInput<'host-agent-gateway', T>): Promise<void> => {
  const answer = await gateway.bus.command('host-agent-gateway', type, data, { id: randomUUID(), actor: 'ops' });
  if (!answer.accepted) throw new Error(answer.message);
};
const manage = async (name: string, options: MachineOptions = {}, ladder: EscalationStep[] = LADDER): Promise<Machine> => {
  const machine = await startMachine({ bootMs: 1000, ...options });
  for (const [secret, value] of Object.entries(machine.secrets)) expect(await gateway.setSecret(secret, value)).toMatchObject({ accepted: true });
  await told('SetHardwareGroup', { name: `${name}-group`, escalation: ladder });
  await told('SetHardware', { name, address: '127.0.0.1', groups: [`${name}-group`], interfaces: machine.hardware });
  return machine;
};
const ask = async (task: string, machine: string, more: Record<string, unknown> = {}): Promise<string> => {
  const id = randomUUID();
  const answer = await gateway.bus.command('host-agent-gateway', 'RequestJob', { task, machine, ...more } as CommandInput<'host-agent-gateway', 'RequestJob'>, { id, actor: 'ops' });
  if (!answer.accepted) throw new Error(answer.message);
  return id;
};
const events = async (id: string): Promise<JobEvent[]> => (await jetStreamStore(gateway.connection).load<JobEvent>('job', id)).flatMap(({ commit }) => commit.events);
/** The first event of a job that is such. */
const first = (id: string, what: string, such: (event: JobEvent) => boolean): Promise<JobEvent> =>
  eventually(async () => {
    const all = await events(id);
    const found = all.find(such);
    if (!found) throw new Error(`job ${id} is not ${what}; there is only\n${all.map(({ type, data }) => `${type} ${JSON.stringify(data)}`).join('\n')}`);
    return found;
  }, SOON);
const over = (id: string) => first(id, 'over', ({ type }) => /^Job(Completed|Failed|Cancelled)$/.test(type));
const machineIs = (what: string, machine: Machine, so: () => boolean): Promise<void> =>
  eventually(() => {
    if (!so()) throw new Error(`the machine is not ${what}; it has seen only ${machine.events.join(', ')}`);
  }, SOON);
/** Each attempt as `method outcome`. */
const attempts = async (id: string): Promise<string[]> => {
  const all = await events(id);
  const method = (n: number) => all.flatMap((event) => (event.type === 'AttemptStarted' && event.data.attempt === n ? [event.data.method] : []))[0];
  return all.flatMap((event) => (event.type === 'AttemptSkipped' ? [`${event.data.method} skipped`] : event.type === 'AttemptEnded' ? [`${method(event.data.attempt)} ${event.data.fault ?? event.data.outcome}`] : []));
};

describe('a reboot climbs the ladder of its group', () => {
  test.each<[string, MachineOptions, string[], { type: string; machine: string; result?: unknown }]>([
    ['the operating system obeys', {}, ['ssh_reboot succeeded'], { type: 'JobCompleted', machine: 'up', result: { method: 'ssh_reboot' } }],
    ['it does not, and the reset button works', { ignoresSsh: true }, ['ssh_reboot refused', 'ipmi_reset succeeded'], { type: 'JobCompleted', machine: 'up', result: { method: 'ipmi_reset' } }],
    ['ssh fails, ipmi_reset leaves it up, ipmi_cycle works', { ignoresSsh: true, ignoresReset: true }, ['ssh_reboot refused', 'ipmi_reset stayed-up', 'ipmi_cycle succeeded'], { type: 'JobCompleted', machine: 'up', result: { method: 'ipmi_cycle' } }],
    ['there is no controller, and the outlet works', { ignoresSsh: true, interfaces: ['pdu'] }, ['ssh_reboot refused', 'ipmi_reset skipped', 'ipmi_cycle skipped', 'redfish_reset skipped', 'snmp_reboot succeeded'], { type: 'JobCompleted', machine: 'up', result: { method: 'snmp_reboot' } }],
  ])('%s', async (what, options, expected, end) => {
    const name = `m-${what.replaceAll(/\W+/g, '-').slice(0, 40)}`;
    const machine = await manage(name, options);
    const job = await ask('reboot', name);
    const { type, ...data } = end;
    expect(await over(job)).toMatchObject({ type, data });
    expect(await attempts(job)).toEqual(expected);
    expect((await events(job)).map((event) => event.type)).not.toContain('TicketTold');
    expect(machine.isUp()).toBe(true);
    const all = JSON.stringify(await events(job));
    for (const secret of Object.values(machine.secrets)) expect(all).not.toContain(secret);
    await machine.stop();
  });

  /** Behind one other controller, with an SSH server that goes down and comes back with the machine. Nobody logs in to it: `reboot` there would be that of this machine. */
  test.each([
    ['redfish_reset', 'redfish', startRedfish], ['redfish_cycle', 'redfish', startRedfish], ['xenapi_reboot', 'xen', startXen], ['ilo_reboot', 'ilo', startIlo],
  ] as const)('by %s, after rungs that the machine lacks', async (method, kind, start) => {
    const sshd = await startTestSshd();
    let work = Promise.resolve();
    const controller = await start({ bootMs: 1500, up: () => void (work = work.then(() => sshd.restart())), down: () => void (work = work.then(() => sshd.stop())) });
    atEndOfFile(() => controller.stop());
    expect(await gateway.setSecret(controller.at().password, controller.login.password)).toMatchObject({ accepted: true });
    const name = `by-${method}`.replaceAll('_', '-');
    await told('SetHardwareGroup', { name, escalation: (['ipmi_reset', method, 'snmp_reboot', 'file_ticket'] as const).map((one) => ({ method: one, timeout: 20_000, downWithin: 3000, upWithin: 20_000 })) });
    await told('SetHardware', { name, address: '127.0.0.1', groups: [name], interfaces: { [kind]: controller.at(), ssh: { port: sshd.port, user: sshd.user, credential: 'agent', hostKey: sshd.hostKeyPublic } } });
    const job = await ask('reboot', name);
    expect(await over(job)).toMatchObject({ type: 'JobCompleted', data: { machine: 'up', result: { method } } });
    expect(await attempts(job)).toEqual(['ipmi_reset skipped', `${method} succeeded`]);
    expect(JSON.stringify(await events(job))).not.toContain(controller.login.password);
    await work;
  });

  test('a machine that goes down and does not come back is tried by the next rung', async () => {
    const machine = await manage('dead', { ignoresReset: true, bootMs: 4000 }, [{ method: 'ssh_reboot', timeout: 10_000, downWithin: 3000, upWithin: 1000 }, { method: 'snmp_reboot', timeout: 10_000, downWithin: 3000, upWithin: 20_000 }, { method: 'file_ticket', timeout: 1000, downWithin: 1, upWithin: 1 }]);
    const job = await ask('reboot', 'dead');
    expect(await over(job)).toMatchObject({ type: 'JobCompleted', data: { result: { method: 'snmp_reboot' } } });
    expect(await attempts(job)).toEqual(['ssh_reboot stayed-down', 'snmp_reboot succeeded']);
    await machine.stop();
  });

  test('at its end a person is told: a ticket is filed, once, and the job has failed', async () => {
    const machine = await manage('hopeless', { ignoresSsh: true, interfaces: [] });
    const job = await ask('reboot', 'hopeless');
    expect(await over(job)).toMatchObject({ type: 'JobFailed', data: { machine: 'up', code: 'ticket-filed', error: expect.stringMatching(/no method brought machine hopeless back.*ticket 1001 was filed/) as unknown } });
    expect(await attempts(job)).toEqual(['ssh_reboot refused', 'ipmi_reset skipped', 'ipmi_cycle skipped', 'redfish_reset skipped', 'snmp_reboot skipped', 'file_ticket succeeded']);
    expect((await events(job)).find(({ type }) => type === 'TicketTold')?.data).toEqual({ tracker: 'bugzilla', id: '1001', url: `${bugzilla.url}/show_bug.cgi?id=1001`, how: 'filed' });
    const again = await ask('reboot', 'hopeless');
    expect(await over(again)).toMatchObject({ type: 'JobFailed', data: { code: 'ticket-filed' } });
    const problems = bugzilla.bugs.all.filter(({ product }) => product === 'Ops');
    expect(problems).toMatchObject([{ summary: 'problem with hopeless: it could not be brought back' }]);
    expect(problems[0]!.comments).toHaveLength(2);
    expect(JSON.stringify([bugzilla.bugs.all, await events(job)])).not.toContain(TRACKER_KEY);
    await machine.stop();
  });

  test('who asked, and who looks after the group, is told by mail before and after', async () => {
    await told('SetHardwareGroup', { name: 'told', mail: ['racks@example.com'] });
    await told('SetHardware', { name: 'loud', address: '127.0.0.1', groups: ['told'] });
    const id = randomUUID();
    await gateway.bus.command('host-agent-gateway', 'RequestJob', { task: 'status', machine: 'loud' }, { id, actor: 'ada@example.com' });
    await over(id);
    await eventually(() => expect(mail.mails.filter(({ to }) => to.includes('ada@example.com') && to.includes('racks@example.com'))).toHaveLength(2), SOON);
    expect(mail.mails.map(({ raw }) => /^Subject: (.*)\r$/m.exec(raw)?.[1])).toEqual(expect.arrayContaining(['status of loud begins', expect.stringMatching(/^status of loud /) as unknown]));
    expect(mail.mails.every(({ raw }) => raw.includes(`https://berth.example/jobs/${id}`))).toBe(true);
  });
});

describe('a gateway that is killed in the middle', () => {
  test('goes on with the attempt that was under way, and repeats nothing', async () => {
    const machine = await manage('killed', { ignoresSsh: true, ignoresReset: true, bootMs: 3000 }, LADDER.map((rung) => ({ ...rung, upWithin: 20_000 })));
    const job = await ask('reboot', 'killed');
    await first(job, 'at the step "on"', (event) => event.type === 'AttemptStep' && event.data.step === 'on');
    await gateway.restart();
    expect(await over(job)).toMatchObject({ type: 'JobCompleted', data: { machine: 'up', result: { method: 'ipmi_cycle' } } });
    expect(await attempts(job)).toEqual(['ssh_reboot refused', 'ipmi_reset stayed-up', 'ipmi_cycle succeeded']);
    expect(machine.events.filter((event) => event === 'ssh reboot' || event === 'reset')).toHaveLength(2);
    // The controller is asked once each way.
    for (const what of ['shutdown', 'power off']) expect(machine.events.filter((event) => event === what).length).toBeLessThanOrEqual(1);
    await machine.stop();
  });
});

describe('the other tasks', () => {
  test('off, status, list, on, and a ping', async () => {
    const machine = await manage('switched');
    expect(await over(await ask('ipmi_off', 'switched'))).toMatchObject({ type: 'JobCompleted', data: { machine: 'down' } });
    await machineIs('down', machine, () => !machine.isUp());
    expect(await over(await ask('status', 'switched'))).toMatchObject({ data: { machine: 'down', result: { up: false, power: { ipmi: 'off', pdu: 'on' } } } });
    expect(await over(await ask('ipmi_list', 'switched'))).toMatchObject({ type: 'JobCompleted' });
    expect(await over(await ask('ipmi_on', 'switched'))).toMatchObject({ type: 'JobCompleted' });
    await machineIs('up', machine, () => machine.isUp());
    expect(await over(await ask('ssh_reboot', 'switched'))).toMatchObject({ type: 'JobCompleted', data: { machine: 'up' } });
    await machine.stop();
  });

  test('a machine that is reimaged is known by its new key, which is pinned on purpose', async () => {
    const machine = await manage('reimaged', { reinstalls: true });
    const before = machine.ssh.hostKey;
    const job = await ask('reimage', 'reimaged');
    expect(await over(job)).toMatchObject({ type: 'JobCompleted', data: { machine: 'up' } });
    expect(machine.events).toContain('boot pxe');
    expect(machine.ssh.hostKey).not.toBe(before);
    expect((await events(job)).some((event) => event.type === 'AttemptEnded' && event.data.output?.includes('pinned'))).toBe(true);
    // The new key is what the next job knows it by.
    expect(await over(await ask('ssh_reboot', 'reimaged'))).toMatchObject({ type: 'JobCompleted' });
    await machine.stop();
  });

  test('a job that is cancelled while its machine shuts down ends when that has its power again', async () => {
    const machine = await manage('cancelled', { ignoresSsh: true, ignoresReset: true, shutdownMs: 1500 });
    const job = await ask('reboot', 'cancelled');
    await machineIs('told to shut down', machine, () => machine.events.includes('shutdown'));
    await told('CancelJob', { job, reason: 'enough' });
    expect(await over(job)).toMatchObject({ type: 'JobCancelled', data: { reason: 'enough' } });
    expect(machine.isOn()).toBe(true);
    // On before it was off would be nothing to it.
    expect(machine.events).toEqual(['ssh reboot', 'reset', 'shutdown', 'down', 'power on']);
    await machine.stop();
  });

  test('after its soft limit a job begins no further method, and no ticket is filed', async () => {
    const machine = await manage('soft', { ignoresReset: true }, [{ method: 'ipmi_reset', timeout: 5000, downWithin: 4000, upWithin: 500 }, { method: 'snmp_reboot', timeout: 5000, downWithin: 500, upWithin: 5000 }, { method: 'file_ticket', timeout: 1000, downWithin: 1, upWithin: 1 }]);
    const job = await ask('reboot', 'soft', { softLimit: 3000 });
    expect(await over(job)).toMatchObject({ type: 'JobFailed', data: { code: 'timeout', error: expect.stringMatching(/^no further method was tried after 3 s; the last one: ipmi_reset: machine soft did not go down/) as unknown } });
    expect(await attempts(job)).toEqual(['ipmi_reset stayed-up']);
    await machine.stop();
  });

  test('a job that takes too long has failed', async () => {
    const machine = await manage('slow', { ignoresSsh: true, interfaces: [] }, [{ method: 'ssh_reboot', timeout: 1000, downWithin: 60_000, upWithin: 60_000 }, { method: 'file_ticket', timeout: 1000, downWithin: 1, upWithin: 1 }]);
    const job = await ask('reboot', 'slow', { hardLimit: 50, softLimit: 10 });
    expect(await over(job)).toMatchObject({ type: 'JobFailed', data: { code: 'timeout' } });
    await machine.stop();
  });
});
