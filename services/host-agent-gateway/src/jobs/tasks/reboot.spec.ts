import { hardwareSpec, type EscalationStep } from '@berth/contracts';
import { expect, test } from 'vitest';
import type { JobInfo } from '../../domain/job.js';
import type { ManagedMachine } from '../machine.js';
import { Died, TestRecord } from '../record.testing.js';
import { reboot } from './reboot.js';
import type { TaskContext } from './task.js';

// Nobody listens there: it is down.
const ssh = { port: 1, user: 'ada', credential: 'agent', hostKey: 'ssh-ed25519 AAAA' };
const ipmi = { address: '127.0.0.1', user: 'admin', password: 'bmc' };
const machine: ManagedMachine = { name: 'box', spec: hardwareSpec.parse({ name: 'box', address: '127.0.0.1', interfaces: { ssh, ipmi } }), groups: [] };
const escalation: EscalationStep[] = (['ipmi_reset', 'ipmi_cycle', 'file_ticket'] as const).map((method) => ({ method, timeout: 1000, downWithin: 10, upWithin: 10 }));
const info: JobInfo = { task: 'reboot', machine: 'box', force: false, softLimit: 600_000, hardLimit: 1_200_000, escalation };

test('past the soft limit a reboot sees the method to its end that a process before this one began, and begins no other', async () => {
  const record = new TestRecord(info);
  const begun = record.process().attempts.try('ipmi_reset', 1000, async (going) => {
    await going.step('sent');
    throw new Died();
  });
  await expect(begun).rejects.toBeInstanceOf(Died);
  const context: Partial<TaskContext> = { info, machine, attempts: record.process().attempts, driver: () => ({ reset: () => Promise.resolve() }), pastSoftLimit: () => true, note: () => Promise.resolve() };
  expect(await reboot.run(context as TaskContext)).toMatchObject({ kind: 'failed', code: 'timeout', error: expect.stringContaining('the last one: ipmi_reset: machine box did not come up') as unknown });
  expect(record.ends).toEqual(['stayed-down']);
});
