import { hardwareSpec, type EscalationStep } from '@berth/contracts';
import { describe, expect, test } from 'vitest';
import { DriverFault } from '../drivers/driver.js';
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

const call: TaskContext['call'] = (ms) => ({ signal: AbortSignal.timeout(ms), secret: () => Promise.reject(new Error('no secret is needed')), heard: () => undefined });

describe('what has become of the machine is seen, not taken from how the methods ended', () => {
  const refused = () => Promise.reject(new DriverFault('no-secret', 'there is no such secret'));
  const run = (address: string, interfaces: object, ladder: EscalationStep[], fileTicket: TaskContext['fileTicket']) => {
    const known: ManagedMachine = { name: 'box', spec: hardwareSpec.parse({ name: 'box', address, interfaces }), groups: [] };
    const asked = { ...info, escalation: ladder };
    const context: Partial<TaskContext> = { info: asked, machine: known, attempts: new TestRecord(asked).process().attempts, driver: () => ({ reset: refused }), pastSoftLimit: () => false, note: () => Promise.resolve(), requester: 'ada', fileTicket, call };
    return reboot.run(context as TaskContext);
  };
  const filed = () => Promise.resolve({ tracker: 'webhook', id: '17', how: 'filed' as const });
  const noTracker = () => Promise.reject(new DriverFault('tracker', 'no tracker is configured'));
  const [reset, , ticket] = escalation as [EscalationStep, EscalationStep, EscalationStep];

  test.each([
    ['up, and a ticket is filed', '127.0.0.1', { ipmi }, [reset, ticket], filed, 'up', 'ticket-filed'],
    ['up, and no ticket could be', '127.0.0.1', { ipmi }, [reset, ticket], noTracker, 'up', 'tracker'],
    ['up, where no ticket is asked for', '127.0.0.1', { ipmi }, [reset], noTracker, 'up', 'all-failed'],
    ['down', '127.0.0.1', { ssh, ipmi }, [reset, ticket], filed, 'down', 'ticket-filed'],
    ['unknown, where it can not be told', 'no-such-host.invalid', { ipmi }, [reset, ticket], filed, 'unknown', 'ticket-filed'],
  ])('%s', async (_name, address, interfaces, ladder, fileTicket, is, code) => {
    expect(await run(address, interfaces, ladder, fileTicket)).toMatchObject({ kind: 'failed', machine: is, code });
  });
});

test('past the soft limit a reboot sees the method to its end that a process before this one began, and begins no other', async () => {
  const record = new TestRecord(info);
  const begun = record.process().attempts.try('ipmi_reset', 1000, async (going) => {
    await going.step('sent');
    throw new Died();
  });
  await expect(begun).rejects.toBeInstanceOf(Died);
  const context: Partial<TaskContext> = { info, machine, attempts: record.process().attempts, driver: () => ({ reset: () => Promise.resolve() }), pastSoftLimit: () => true, note: () => Promise.resolve(), call };
  expect(await reboot.run(context as TaskContext)).toMatchObject({ kind: 'failed', machine: 'down', code: 'timeout', error: expect.stringContaining('the last one: ipmi_reset: machine box did not come up') as unknown });
  expect(record.ends).toEqual(['stayed-down']);
});
