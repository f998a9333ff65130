import { beforeAll, describe, expect, test } from 'vitest';
import { startFleet, startTestSshd, type Fleet } from '../support/fleet.js';
import { eventually } from '../support/wait.js';
import { nothingLeft } from './left.js';
import { logOf } from './log.js';
import { expectRanOnce, numberedPlan, startNumbered } from './numbered.js';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
describe('long', () => {
  let fleet: Fleet;
  let folder: string;
  beforeAll(async () => {
    fleet = await startFleet();
    folder = await fleet.addMachine('box', await startTestSshd(), { slots: 4 });
    await numberedPlan(fleet);
  });
  test('a long outage', async () => {
    const until = new Date(Date.now() + 2500).toISOString();
    const lease = await fleet.requestLease({ type: 'host', attributes: { machine: 'box' }, until });
    await fleet.bus.waitForStatus('lease', lease, ['active'], { timeoutMs: 5000 });
    const build = await startNumbered(fleet, { lines: 15 });
    await build.reached(8);
    await fleet.nats.kill9();
    await eventually(() => build.endedAt() > 0);
    const t = Date.now();
    await eventually(() => Date.now() - t > 27_000, { timeoutMs: 30_000 });
    await fleet.nats.restart();
    const t2 = Date.now();
    await eventually(() => fleet.bus.connection.flush());
    try {
    expect((await fleet.ended(build.id)).data).toMatchObject({ status: 'passed', percent: 100, error: null });
    console.log('passed after', Date.now() - t2);
    await expectRanOnce(fleet, await nothingLeft(fleet, [folder]), build);
    } catch (e) {
      for (const ev of (await logOf(fleet)).events.slice(-12)) console.log(ev.position, ev.kind, ev.id.slice(0,8), ev.type, JSON.stringify(ev.data).slice(0,150));
      for (const s of ['lease','allocator','host-agent-gateway','build-orchestrator']) console.log(s, readFileSync(join(fleet.home, s + '.log'), 'utf8').split('\n').filter(l => !l.includes('"level":30')).map(l=>l.slice(0,400)).slice(-8).join('\n'));
      throw e;
    }
  }, 120_000);
});
