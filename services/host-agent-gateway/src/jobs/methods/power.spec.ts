import { hardwareSpec } from '@berth/contracts';
import { describe, expect, test } from 'vitest';
import { DriverFault, type Call, type Driver, type Power } from '../drivers/driver.js';
import type { ManagedMachine } from '../machine.js';
import { Died, TestRecord } from '../record.testing.js';
import { createPool } from '../../transports/pool.js';
import { cycle, reset } from './power.js';

const times = { softOff: 15, hardOff: 15, without: 1, poll: 1 };
const machine: ManagedMachine = { name: 'box', spec: hardwareSpec.parse({ name: 'box', address: '10.0.0.1' }), groups: [] };

/** A machine behind an interface, with what was sent to it. `soft`: its operating system obeys. */
class Behind implements Driver {
  state: Power = 'on';
  readonly sent: string[] = [];
  constructor(private readonly how: { soft?: boolean; hard?: boolean; onFails?: number } = {}) {}

  power(): Promise<Power> {
    return Promise.resolve(this.state);
  }
  off(_call: Call, hard: boolean): Promise<void> {
    this.sent.push(hard ? 'hard' : 'soft');
    if (hard ? (this.how.hard ?? true) : (this.how.soft ?? true)) this.state = 'off';
    return Promise.resolve();
  }
  on({ signal }: Call): Promise<void> {
    this.sent.push('on');
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    if (this.how.onFails !== undefined && this.how.onFails-- > 0) return Promise.reject(new DriverFault('unreachable', 'no answer'));
    this.state = 'on';
    return Promise.resolve();
  }
  reset(): Promise<void> {
    this.sent.push('reset');
    return Promise.resolve();
  }
}

const tools = (driver: Driver) => ({ machine, pool: createPool(), driver: () => driver });
const carryOut = (record: TestRecord, driver: Driver, method = cycle('ipmi', true, times), signal?: AbortSignal) =>
  record.process(signal).attempts.try('ipmi_cycle', 1000, async (going) => {
    await method.act(tools(driver), going, 1000);
    return undefined;
  });

describe('a power cycle', () => {
  test('asks the operating system first', async () => {
    const [record, driver] = [new TestRecord(), new Behind()];
    expect(await carryOut(record, driver)).toEqual({ outcome: 'succeeded' });
    expect(driver.sent).toEqual(['soft', 'on']);
    expect(record.steps).toEqual(['soft-off', 'off', 'on']);
  });

  test('cuts the power when that does not help', async () => {
    const driver = new Behind({ soft: false });
    await carryOut(new TestRecord(), driver);
    expect(driver.sent).toEqual(['soft', 'hard', 'on']);
  });

  test('fails when the power stays on, and does not leave the machine to chance', async () => {
    const driver = new Behind({ soft: false, hard: false });
    expect(await carryOut(new TestRecord(), driver)).toMatchObject({ outcome: 'failed', fault: 'refused' });
    expect(driver.sent).toEqual(['soft', 'hard', 'on']);
  });

  test('says of both what went wrong when it can not be switched on again either', async () => {
    const driver = new Behind({ soft: false, hard: false, onFails: 1 });
    expect(await carryOut(new TestRecord(), driver)).toMatchObject({ fault: 'refused', error: expect.stringContaining('switching it on again failed: no answer') as unknown });
  });

  test('an outlet is switched off without asking', async () => {
    const driver = new Behind();
    await carryOut(new TestRecord(), driver, cycle('pdu', false, times));
    expect(driver.sent).toEqual(['hard', 'on']);
  });

  test('that is cancelled while the power is off switches it on first', async () => {
    const driver = new Behind();
    const end = new AbortController();
    const off = driver.off.bind(driver);
    driver.off = async (call, hard) => {
      await off(call, hard);
      end.abort(new DriverFault('cancelled', 'enough'));
    };
    await carryOut(new TestRecord(), driver, undefined, end.signal);
    expect(driver.sent).toEqual(['soft', 'on']);
    expect(driver.state).toBe('on');
  });

  describe.each([['obeys', {}], ['is deaf', { soft: false }]] as const)('of a machine that %s, by a process that dies at any word', (_what, how) => {
    test.each([0, 1, 2, 3, 4, 5].flatMap((at) => [[at, true], [at, false]] as const))('number %i, before it was stored: %s', async (at, before) => {
      const [record, driver] = [new TestRecord(), new Behind(how)];
      record.dieAt(at, before);
      const died = await carryOut(record, driver).then(() => false, (error: unknown) => error instanceof Died);
      record.dieAt(Number.POSITIVE_INFINITY, before);
      const end = await carryOut(record, driver);
      expect(driver.state).toBe('on');
      expect(driver.sent.filter((what) => what === 'hard').length).toBeLessThanOrEqual(1);
      if (end.outcome === 'failed') expect(end.fault).toBe('interrupted');
      else expect(driver.sent).toContain('on');
      expect(died || at > 4).toBe(true);
    });
  });
});

describe('a reset', () => {
  test('is pressed once, whoever carries on', async () => {
    const [record, driver] = [new TestRecord(), new Behind()];
    record.dieAt(2, true);
    await expect(carryOut(record, driver, reset('ipmi'))).rejects.toBeInstanceOf(Died);
    record.dieAt(Number.POSITIVE_INFINITY, true);
    expect(await carryOut(record, driver, reset('ipmi'))).toEqual({ outcome: 'succeeded' });
    expect(driver.sent).toEqual(['reset']);
  });

  test('an interface without one says so', async () => {
    expect(await carryOut(new TestRecord(), { power: () => Promise.resolve('on') }, reset('pdu'))).toMatchObject({ fault: 'refused', error: "interface pdu can't do reset" });
  });
});
