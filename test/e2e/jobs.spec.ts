import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { derivedId, type BuildEvent, type CommandInput, type JobEvent, type LeaseEvent, type ResourceEvent } from '@berth/contracts';
import { startFleet, startTestSshd, type Fleet } from '../support/fleet.js';
import type { TestSshd } from '../support/sshd.js';
import { eventually } from '../support/wait.js';

const SOON = { timeoutMs: 20_000, everyMs: 50 };

describe('hardware jobs on machines that builds run on', () => {
  let fleet: Fleet;
  let sshd: TestSshd;
  beforeAll(async () => {
    [fleet, sshd] = await Promise.all([startFleet(), startTestSshd()]);
  });

  const of = async <E>(kind: 'job' | 'lease' | 'resource' | 'build', id: string) => (await fleet.events(kind)).filter((r) => r.id === id).flatMap((r) => r.commit.events as E[]);
  const jobEvents = (id: string) => of<JobEvent>('job', id);
  const manage = (name: string, more: Partial<CommandInput<'host-agent-gateway', 'SetHardware'>> = {}) => fleet.command('host-agent-gateway', 'SetHardware', { name, address: sshd.host, ...more });
  const ask = async (task: string, machine: string, more: Record<string, unknown> = {}) => {
    const id = randomUUID();
    const answer = await fleet.bus.command('host-agent-gateway', 'RequestJob', { task, machine, ...more } as CommandInput<'host-agent-gateway', 'RequestJob'>, { id });
    return { id, answer };
  };
  const job = async (task: string, machine: string, more: Record<string, unknown> = {}) => {
    const { id, answer } = await ask(task, machine, more);
    if (!answer.accepted) throw new Error(answer.message);
    return id;
  };
  const over = (id: string, status = 'COMPLETE') => fleet.bus.waitForStatus('job', id, [status], { timeoutMs: 20_000 });
  const machine = async (name: string, slots = 1) => {
    await fleet.addMachine(name, sshd, { slots, attributes: { pool: name } });
    await manage(name);
  };
  const lease = async (pool: string, more: Record<string, unknown> = {}) => {
    const id = await fleet.requestLease({ type: 'host', owner: 'ada', attributes: { pool }, ...more });
    return id;
  };
  const active = (id: string) => fleet.bus.waitForStatus('lease', id, ['active'], { timeoutMs: 20_000 });
  const destroyed = (id: string) => fleet.bus.waitForStatus('lease', id, ['destroyed'], { timeoutMs: 20_000 });
  const release = (id: string) => fleet.command('lease', 'ReleaseLease', { lease: id });
  const noted = (id: string, text: RegExp) => eventually(async () => expect((await jobEvents(id)).flatMap((event) => (event.type === 'JobNoted' ? [event.data.activity] : [])).join('\n')).toMatch(text), SOON);

  test('a job waits for the work on its machine, says for whose, and nobody gets in between', async () => {
    await machine('waited', 2);
    const [one, two] = [await lease('waited'), await lease('waited', { owner: 'bob' })];
    await Promise.all([active(one), active(two)]);
    const disabling = await job('disable', 'waited', { reason: 'a new disk' });
    await noted(disabling, /waits: machine waited is in use by ada \(lease .*\), bob \(lease .*\)/);
    // A slot comes free, and a request that would fit it waits behind.
    await release(one);
    await destroyed(one);
    const later = await lease('waited', { owner: 'eve' });
    await eventually(async () => expect((await of<LeaseEvent>('lease', later)).some((event) => event.type === 'LeaseWaiting' && event.data.explanation?.considered.some(({ code }) => code === 'reserved'))).toBe(true), SOON);
    expect((await jobEvents(disabling)).map(({ type }) => type)).not.toContain('JobStarted');
    await release(two);
    await over(disabling);
    const claims = (await fleet.events('resource')).flatMap((r) => r.commit.events as ResourceEvent[]).filter((event) => event.type === 'SlotClaimed' && [later, derivedId(disabling, 'lease')].includes(event.data.lease));
    expect(claims.map((event) => 'slot' in event.data && event.data.slot)).toEqual([2]);
    // It has given the machine back, which is out of service now.
    await destroyed(derivedId(disabling, 'lease'));
    await eventually(async () => expect((await of<LeaseEvent>('lease', later)).some((event) => event.type === 'LeaseWaiting' && event.data.explanation?.considered.some(({ reason }) => reason === 'draining: a new disk'))).toBe(true), SOON);
    await over(await job('enable', 'waited'));
    await active(later);
    await release(later);
  });

  test('by force a build is ended on the machine and passes on another, and what ran is gone', async () => {
    const flag = join(fleet.home, 'tries');
    await writeFile(flag, '');
    await fleet.addMachine('forced', sshd, { attributes: { pool: 'forced' } });
    await manage('forced');
    await fleet.applyPlan(`name: long\nhost: {pool: forced}\nsteps:\n  - {name: work, run: 'echo $$ >> ${flag}; if [ "$(wc -l < ${flag})" = 1 ]; then sleep 3600; fi'}\n`);
    const build = await fleet.build('long');
    await eventually(async () => expect(await readFile(flag, 'utf8')).toMatch(/^\d+\n$/), SOON);
    const patient = await job('disable', 'forced');
    await noted(patient, /is in use by/);
    await fleet.command('host-agent-gateway', 'CancelJob', { job: patient, reason: 'not today' });
    await over(patient, 'CANCELLED');
    await fleet.addMachine('spare', sshd, { attributes: { pool: 'forced' } });

    const pid = Number((await readFile(flag, 'utf8')).trim());
    const disabling = await job('disable', 'forced', { force: true });
    await over(disabling);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    const end = await fleet.ended(build);
    expect(end.data.status).toBe('passed');
    const events = await of<BuildEvent>('build', build);
    expect(events.filter(({ type }) => type === 'BuildPreparing')).toHaveLength(2);
    expect((await fleet.events('lease')).flatMap((r) => r.commit.events as LeaseEvent[]).filter((event) => event.type === 'LeaseBroken').map(({ data }) => data)).toEqual([{ error: expect.stringMatching(/^machine forced was taken by force for /) as unknown, evicted: true }]);
    expect(await fleet.leftovers(join(fleet.home, 'forced'))).toEqual([]);
  });

  test('two jobs of one task: the second is told the first; of two tasks the second waits', async () => {
    await machine('twice');
    const held = await lease('twice');
    await active(held);
    const first = await job('disable', 'twice');
    const second = await ask('disable', 'twice');
    expect(second.answer).toMatchObject({ accepted: false, code: 'job-live', errors: [{ field: 'task_id', message: first }] });
    const loan = await job('loan', 'twice', { to: 'bob' });
    await release(held);
    await over(first);
    await over(loan);
    await over(await job('return_loan', 'twice'));
    await over(await job('enable', 'twice'));
    const next = await lease('twice');
    await active(next);
    await release(next);
  });

  test('a loan keeps the machine from others until it is returned, and a person does its steps in their order', async () => {
    await fleet.command('host-agent-gateway', 'SetHardwareGroup', { name: 'lent', loanSteps: ['make an account', 'take the secrets off'] });
    await fleet.addMachine('lent', sshd, { attributes: { pool: 'lent' } });
    await manage('lent', { groups: ['lent'] });
    const lending = await job('loan', 'lent', { to: 'bob' });
    await fleet.bus.waitForStatus('hardware', 'lent', ['loan-pending'], { timeoutMs: 20_000 });
    const step = (n: number, done = true) => fleet.bus.command('host-agent-gateway', 'CompleteLoanStep', { machine: 'lent', step: n, done });
    expect(await step(1)).toMatchObject({ code: 'invalid-data', message: 'Step 0 comes first: make an account' });
    expect(await step(0)).toMatchObject({ accepted: true });
    expect(await step(0)).toMatchObject({ accepted: true });
    expect(await step(0, false)).toMatchObject({ code: 'invalid-data', message: 'A step that is done is not undone.' });
    await fleet.services['host-agent-gateway'].kill9();
    await fleet.services['host-agent-gateway'].start();
    expect(await step(1)).toMatchObject({ accepted: true });
    await over(lending);
    const waiting = await lease('lent');
    await eventually(async () => expect((await of<LeaseEvent>('lease', waiting)).some((event) => event.type === 'LeaseWaiting')).toBe(true), SOON);
    expect((await ask('loan', 'lent')).answer).toMatchObject({ code: 'unconfigured-task', message: expect.stringContaining('is on loan to bob') as unknown });
    await over(await job('return_loan', 'lent'));
    await active(waiting);
    await release(waiting);
  });

  test('a job whose lease is refused has failed, and does not wait for ever', async () => {
    await machine('odd');
    const id = randomUUID();
    // Owners of leases have no control characters; whoever asks for a job on the bus may.
    expect(await fleet.bus.command('host-agent-gateway', 'RequestJob', { task: 'disable', machine: 'odd' }, { id, actor: 'bell\u0007' })).toMatchObject({ accepted: true });
    await over(id, 'FAILED');
    expect((await jobEvents(id)).at(-1)).toMatchObject({ type: 'JobFailed', data: { code: 'lease', error: expect.stringContaining('the machine could not be asked for') as unknown } });
  });

  test('what can not be done is refused up front, with the reason', async () => {
    await manage('bare', { workers: [{ id: 'w-1', group: 'g' }, { id: 'w-2' }] });
    await manage('other', { workers: [{ id: 'w-2' }] });
    for (const [task, message] of [['ipmi_reset', 'has no interface ipmi'], ['ssh_reboot', 'is neither enrolled nor has an interface ssh'], ['disable', 'is not enrolled'], ['return_loan', 'is not on loan'], ['reboot', 'has nothing that any of'], ['reimage', 'neither an interface redfish nor ipmi']] as const) {
      expect((await ask(task, 'bare')).answer).toMatchObject({ accepted: false, code: 'unconfigured-task', errors: [{ field: 'data.machine', message: expect.stringContaining(message) as unknown }] });
    }
    expect((await ask('ping', 'nobody')).answer).toMatchObject({ code: 'unknown-hardware' });
    const worker = (id: string, more = {}) => fleet.bus.command('host-agent-gateway', 'RequestJob', { task: 'return_loan', worker: { id, ...more } });
    expect(await worker('w-9')).toMatchObject({ code: 'unknown-worker' });
    expect(await worker('w-1', { group: 'h' })).toMatchObject({ code: 'unmanaged-worker' });
    expect(await worker('w-2')).toMatchObject({ code: 'invalid-data', message: 'Worker w-2 runs on 2 machines.' });
    expect(await worker('w-1', { group: 'g' })).toMatchObject({ code: 'unconfigured-task' });
    expect(await fleet.bus.command('host-agent-gateway', 'SetHardware', { name: 'bare', address: sshd.host, groups: ['nobody'] })).toMatchObject({ code: 'unknown-hardware-group' });
    expect((await fleet.events('job')).filter(({ commit }) => commit.events.some((event) => event.type === 'JobRequested' && (event.data as { machine: string }).machine === 'bare'))).toEqual([]);
  });

  test('a machine that is not enrolled has its status told, and is not leased for it', async () => {
    await manage('outside', { interfaces: { ssh: { port: sshd.port, user: sshd.user, credential: `file:${sshd.privateKeyPath}`, hostKey: sshd.hostKeyPublic } } });
    const asked = await job('status', 'outside');
    await over(asked);
    expect((await jobEvents(asked)).at(-1)).toMatchObject({ type: 'JobCompleted', data: { machine: 'up', result: { up: true, enrolled: false, loan: null } } });
    expect((await fleet.events('lease')).filter(({ id }) => id === derivedId(asked, 'lease'))).toEqual([]);
  });

  test('an exclusive lease on a machine that is not enrolled is refused', async () => {
    const id = await fleet.requestLease({ type: 'host', exclusive: { machine: 'nobody' }, wait: 'always' });
    await destroyed(id);
    expect((await of<LeaseEvent>('lease', id)).find((event) => event.type === 'LeaseRefused')?.data).toMatchObject({ reason: 'machine nobody is not enrolled' });
  });
});
