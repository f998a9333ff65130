import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { CommandInput, JobEvent } from '@berth/contracts';
import { startMachine, type Machine, type MachineOptions } from '../../services/host-agent-gateway/src/jobs/drivers/machine.testing.js';
import { startFleet, type Fleet } from '../support/fleet.js';
import { eventually } from '../support/wait.js';

/** Shorter than the limit of a test, so that what fails says what it saw. */
const SOON = { timeoutMs: 40_000, everyMs: 50 };

describe('machines that builds run on are rebooted', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await startFleet();
  });

  /** A simulated machine, enrolled and managed. */
  const machine = async (name: string, pool: string, options: MachineOptions = {}): Promise<Machine> => {
    const own = await startMachine({ bootMs: 1500, ...options });
    for (const [secret, value] of Object.entries(own.secrets)) await fleet.setSecret(secret, value);
    const { address, port, user, credential } = own.ssh;
    await fleet.addMachine(name, { host: address!, port: port!, user, privateKeyPath: credential.replace('file:', '') }, { attributes: { pool } });
    const { ssh: _, ...interfaces } = own.hardware;
    await fleet.command('host-agent-gateway', 'SetHardwareGroup', { name: `${name}-ladder`, escalation: (['ssh_reboot', 'ipmi_reset', 'ipmi_cycle', 'file_ticket'] as const).map((method) => ({ method, timeout: 20_000, downWithin: 1500, upWithin: 20_000 })) });
    await fleet.command('host-agent-gateway', 'SetHardware', { name, address: '127.0.0.1', groups: [`${name}-ladder`], interfaces });
    return own;
  };
  const events = async (id: string): Promise<JobEvent[]> => (await fleet.events('job')).filter((r) => r.id === id).flatMap((r) => r.commit.events as JobEvent[]);
  const tells = (id: string, what: RegExp) =>
    eventually(async () => {
      const all = (await events(id)).map((event) => (event.type === 'JobNoted' ? event.data.activity : event.type === 'AttemptStep' ? event.data.step : event.type));
      if (!all.some((one) => what.test(one))) throw new Error(`job ${id} tells nothing like ${what}, only: ${all.join(', ')}`);
    }, SOON);
  const ask = async (task: string, name: string, more: Record<string, unknown> = {}): Promise<string> => {
    const id = randomUUID();
    const answer = await fleet.bus.command('host-agent-gateway', 'RequestJob', { task, machine: name, ...more } as CommandInput<'host-agent-gateway', 'RequestJob'>, { id });
    if (!answer.accepted) throw new Error(answer.message);
    return id;
  };
  const over = (id: string) => fleet.bus.waitForStatus('job', id, ['COMPLETE', 'FAILED', 'CANCELLED'], SOON);

  test('a reboot waits for the build on its machine, and the next build runs on the machine that came back', async () => {
    const own = await machine('patient', 'patient');
    const go = join(fleet.home, 'go');
    await fleet.applyPlan(`name: patient\nhost: {pool: patient}\nsteps:\n  - {name: work, run: 'echo begun > ${go}.begun; while [ ! -e ${go} ]; do sleep 0.1; done'}\n`);
    const build = await fleet.build('patient');
    await eventually(() => existsSync(`${go}.begun`), SOON);
    const job = await ask('reboot', 'patient');
    await tells(job, new RegExp(`is in use by build:${build}`));
    expect(own.events).toEqual([]);
    await writeFile(go, '');
    expect((await fleet.ended(build)).data.status).toBe('passed');
    expect((await over(job)).data).toMatchObject({ status: 'COMPLETE' });
    expect(own.events).toEqual(['ssh reboot', 'down', 'up']);
    const next = await fleet.build('patient');
    expect((await fleet.ended(next)).data.status).toBe('passed');
    await own.stop();
  });

  test('by force the build begins again on another machine and passes', async () => {
    const own = await machine('forced', 'forced');
    const tries = join(fleet.home, 'tries');
    await writeFile(tries, '');
    await fleet.applyPlan(`name: forced\nhost: {pool: forced}\nsteps:\n  - {name: work, run: 'echo $$ >> ${tries}; if [ "$(wc -l < ${tries})" = 1 ]; then sleep 3600; fi'}\n`);
    const build = await fleet.build('forced');
    await eventually(async () => expect(await readFile(tries, 'utf8')).toMatch(/^\d+\n$/), SOON);
    const other = await machine('spare', 'forced');
    const job = await ask('reboot', 'forced', { force: true });
    expect((await over(job)).data).toMatchObject({ status: 'COMPLETE' });
    expect((await fleet.ended(build)).data.status).toBe('passed');
    expect(own.events).toEqual(['ssh reboot', 'down', 'up']);
    expect(other.events).toEqual([]);
    await Promise.all([own.stop(), other.stop()]);
  });

  test('a gateway that is killed while the power is off: the next one switches it on, and nothing is sent twice', async () => {
    const own = await machine('killed', 'killed', { ignoresSsh: true, ignoresReset: true });
    const job = await ask('reboot', 'killed');
    await tells(job, /^off$/);
    await fleet.services['host-agent-gateway'].kill9();
    await fleet.services['host-agent-gateway'].start();
    expect((await over(job)).data).toMatchObject({ status: 'COMPLETE' });
    expect((await events(job)).flatMap((event) => (event.type === 'AttemptEnded' ? [event.data.fault ?? event.data.outcome] : []))).toEqual(['refused', 'stayed-up', 'succeeded']);
    for (const what of ['ssh reboot', 'reset', 'shutdown']) expect(own.events.filter((event) => event === what)).toHaveLength(1);
    expect(own.events.filter((event) => event === 'power off').length).toBeLessThanOrEqual(1);
    expect(own.isUp()).toBe(true);
    const kept = JSON.stringify(await fleet.events()) + (await readFile(join(fleet.home, 'host-agent-gateway.log'), 'utf8'));
    for (const secret of Object.values(own.secrets)) expect(kept).not.toContain(secret);
    await own.stop();
  });
});
