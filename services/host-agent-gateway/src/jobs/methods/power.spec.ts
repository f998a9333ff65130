import { hardwareSpec } from '@berth/contracts';
import { describe, expect, test } from 'vitest';
import { DriverFault, type Call, type Driver, type Power } from '../drivers/driver.js';
import type { ManagedMachine } from '../machine.js';
import { Died, TestRecord } from '../record.testing.js';
import { createPool } from '../../transports/pool.js';
import { cycle, reset } from './power.js';

const times = { softOff: 15, hardOff: 15, without: 1, poll: 1 };
/** For what is seen to happen, however slow this machine is. */
const patient = { ...times, softOff: 60_000 };
const machine: ManagedMachine = { name: 'box', spec: hardwareSpec.parse({ name: 'box', address: '10.0.0.1' }), groups: [] };

/** A machine behind an interface, with what was sent to it. `soft`: its operating system obeys; `takes`: it is off when it has been looked at so often since. */
class Behind implements Driver {
  state: Power = 'on';
  readonly sent: string[] = [];
  private looks = Number.POSITIVE_INFINITY;
  constructor(private readonly how: { soft?: boolean; hard?: boolean; takes?: number; onFails?: number } = {}) {}

  power(): Promise<Power> {
    if (--this.looks <= 0) this.state = 'off';
    return Promise.resolve(this.state);
  }
  off(_call: Call, hard: boolean): Promise<void> {
    this.sent.push(hard ? 'hard' : 'soft');
    if (!(hard ? (this.how.hard ?? true) : (this.how.soft ?? true))) return Promise.resolve();
    if (this.how.takes === undefined) this.state = 'off';
    else this.looks = this.how.takes;
    return Promise.resolve();
  }
  on({ signal }: Call): Promise<void> {
    this.sent.push('on');
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    if (this.how.onFails !== undefined && this.how.onFails-- > 0) return Promise.reject(new DriverFault('unreachable', 'no answer'));
    // What is on does not notice, and goes off all the same.
    if (this.state === 'off') this.looks = Number.POSITIVE_INFINITY;
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

  /** The job is to end once its word for the operating system is sent. */
  const cancelledOnceSent = (driver: Behind, reason = new DriverFault('cancelled', 'enough')): AbortSignal => {
    const end = new AbortController();
    const off = driver.off.bind(driver);
    driver.off = async (call, hard) => {
      await off(call, hard);
      end.abort(reason);
    };
    return end.signal;
  };

  test('that is cancelled while the power is off switches it on first', async () => {
    const driver = new Behind();
    await carryOut(new TestRecord(), driver, undefined, cancelledOnceSent(driver));
    expect(driver.sent).toEqual(['soft', 'on']);
    expect(driver.state).toBe('on');
  });

  test('that is cancelled while the machine shuts down waits until it is off: on would be nothing to it before', async () => {
    const [record, driver] = [new TestRecord(), new Behind({ takes: 5 })];
    await expect(carryOut(record, driver, cycle('ipmi', true, patient), cancelledOnceSent(driver))).rejects.toMatchObject({ fault: 'cancelled' });
    expect(driver.sent).toEqual(['soft', 'on']);
    expect(record.steps).toEqual(['soft-off', 'off', 'on']);
    for (let look = 0; look < 5; look++) expect(await driver.power()).toBe('on');
  });

  test('that is cancelled does not wait for ever for a machine that stays on, or an interface that gives no answer', async () => {
    const deaf = new Behind({ soft: false });
    await expect(carryOut(new TestRecord(), deaf, undefined, cancelledOnceSent(deaf))).rejects.toMatchObject({ fault: 'cancelled' });
    expect(deaf.sent).toEqual(['soft', 'on']);
    const silent = new Behind();
    silent.power = () => Promise.reject(new DriverFault('unreachable', 'no answer'));
    await expect(carryOut(new TestRecord(), silent, undefined, cancelledOnceSent(silent))).rejects.toMatchObject({ fault: 'unreachable' });
    expect(silent.sent).toEqual(['soft', 'on']);
  });

  test('that is left by a process which is stopped is not waited for: the next one looks', async () => {
    const [record, driver] = [new TestRecord(), new Behind({ takes: 1000 })];
    await expect(carryOut(record, driver, cycle('ipmi', true, patient), cancelledOnceSent(driver, new DriverFault('interrupted', 'stopped')))).rejects.toMatchObject({ fault: 'interrupted' });
    expect(record.steps).toEqual(['soft-off', 'on']);
  });

  test('that was under way when its process died, and whose job was cancelled since, switches on what is off', async () => {
    const [record, driver] = [new TestRecord(), new Behind()];
    record.dieAt(3, true);
    await expect(carryOut(record, driver)).rejects.toBeInstanceOf(Died);
    expect(driver.state).toBe('off');
    record.dieAt(Number.POSITIVE_INFINITY, true);
    await carryOut(record, driver, undefined, AbortSignal.abort(new DriverFault('cancelled', 'enough')));
    expect(driver.sent).toEqual(['soft', 'on']);
    expect(driver.state).toBe('on');
  });

  test('of a job that has ended before anything was sent sends nothing', async () => {
    const [record, driver] = [new TestRecord(), new Behind()];
    const end = new AbortController();
    const { attempts } = record.process(end.signal);
    const trying = attempts.try('ipmi_cycle', 1000, async (going) => {
      end.abort(new DriverFault('cancelled', 'enough'));
      await cycle('ipmi', true, times).act(tools(driver), going, 1000);
      return undefined;
    });
    await expect(trying).rejects.toMatchObject({ fault: 'cancelled' });
    expect([driver.sent, record.steps]).toEqual([[], []]);
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
