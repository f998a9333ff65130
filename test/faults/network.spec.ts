import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { startFleet, startTestSshd, type Fleet } from '../support/fleet.js';
import { startProxy, type Proxy } from '../support/proxy.js';
import type { TestSshd } from '../support/sshd.js';
import { eventually } from '../support/wait.js';
import { nothingLeft } from './left.js';
import { logOf } from './log.js';
import { expectRanOnce, numberedPlan, startNumbered, startPouring } from './numbered.js';

describe('the way to a host', () => {
  let fleet: Fleet;
  let sshd: TestSshd;
  let proxy: Proxy;
  let folder: string;
  beforeAll(async () => {
    fleet = await startFleet();
    sshd = await startTestSshd();
    proxy = await startProxy(sshd);
    folder = await fleet.addMachine('box', { ...sshd, host: proxy.host, port: proxy.port, privateKeyPath: sshd.privateKeyPath, user: sshd.user });
    await numberedPlan(fleet);
  });

  const passed = async (id: string) => expect((await fleet.ended(id)).data).toMatchObject({ status: 'passed', percent: 100, error: null });
  /** How often the host went away so far. */
  const outages = async () => (await logOf(fleet)).all('ResourceUnreachable').length;
  const back = () =>
    eventually(async () => expect((await logOf(fleet)).all(['ResourceUnreachable', 'ResourceReachable']).at(-1)?.type).not.toBe('ResourceUnreachable'), { timeoutMs: 10_000 });

  test('connections that are cut while a step runs: the step goes on, and no byte is lost or doubled', async () => {
    const build = await startNumbered(fleet);
    for (const line of [4, 12, 20]) {
      await build.reached(line);
      expect(sshd.sessions().length).toBeGreaterThan(0);
      await sshd.cutConnections();
      await eventually(() => sshd.sessions().length > 0);
    }
    await passed(build.id);
    const log = await nothingLeft(fleet, [folder]);
    await expectRanOnce(fleet, log, build);
    console.log(`passed ${log.one('BuildPassed', build.id).at - build.endedAt()} ms after the step's own end`);
  });

  test('connections that are reset by the network, again and again', async () => {
    const build = await startNumbered(fleet);
    for (let line = 3; line <= 24; line += 3) {
      await build.reached(line);
      proxy.cut();
    }
    await passed(build.id);
    await expectRanOnce(fleet, await nothingLeft(fleet, [folder]), build);
  });

  test('no way to the host for a while, and the step ends meanwhile', async () => {
    const build = await startNumbered(fleet, { lines: 12 });
    await build.reached(4);
    proxy.down();
    await eventually(() => build.endedAt() > 0);
    await eventually(async () => expect((await logOf(fleet)).all('ResourceUnreachable').at(-1)?.data.error).toContain('box'));
    proxy.heal();
    const healed = Date.now();
    await passed(build.id);
    const log = await nothingLeft(fleet, [folder]);
    await expectRanOnce(fleet, log, build);
    const recovery = log.one('BuildPassed', build.id).at - healed;
    console.log(`passed ${recovery} ms after the network was well again`);
    expect(recovery).toBeLessThan(10_000);
  });

  test('a network that stalls for a moment loses nothing, and the host does not count as away', async () => {
    const before = await outages();
    const build = await startNumbered(fleet, { lines: 20 });
    await build.reached(5);
    proxy.stall();
    await build.reached(15);
    proxy.heal();
    await passed(build.id);
    await expectRanOnce(fleet, await nothingLeft(fleet, [folder]), build);
    expect(await outages()).toBe(before);
  });

  test('a slow network delays, and nothing more', async () => {
    proxy.delay(60);
    const build = await startNumbered(fleet, { lines: 10 });
    await passed(build.id);
    proxy.heal();
    await expectRanOnce(fleet, await nothingLeft(fleet, [folder]), build);
  });

  test('cut while output pours: every byte once and in order', async () => {
    const side = join(fleet.home, 'pour');
    const id = await startPouring(fleet, side, 100);
    for (const part of [10, 30, 50, 70]) {
      await eventually(() => existsSync(side) && statSync(side).size >= part, { timeoutMs: 10_000 });
      proxy.cut();
    }
    await passed(id);
    const log = await nothingLeft(fleet, [folder]);
    const { stdout } = await fleet.output(log.commandsOf(id)[0]!.id);
    let expected = '';
    for (let i = 1; i <= 100; i++) for (let n = 1; n <= 8000; n++) expected += `${n} of part ${i}\n`;
    expect(stdout.length).toBe(expected.length);
    expect(stdout === expected, 'the output, byte for byte').toBe(true);
  });

  test('cut while an artifact is being read: it is kept whole', async () => {
    await fleet.applyPlan(`
name: large
workingCopy: {}
steps:
  - name: Make
    run: head -c 40000000 /dev/zero | tr '\\0' x >large.bin
  - name: Keep
    uses: upload-artifact
    with: { path: large.bin }
`);
    const id = await fleet.build('large');
    const stored = async () => (await (await fleet.bus.connection.jetstreamManager()).streams.info('OBJ_berth-artifacts')).state.bytes;
    const before = await stored().catch(() => 0);
    await eventually(async () => (await stored()) > before + 2_000_000, { timeoutMs: 10_000, everyMs: 2 });
    proxy.cut();
    await passed(id);
    const log = await nothingLeft(fleet, [folder]);
    expect(log.one('ArtifactKept', id).data).toMatchObject({ name: 'large.bin', bytes: 40_000_000 });
  });

  test('a host that hangs without a word is noticed, and its step is picked up when it answers again', async () => {
    const before = await outages();
    const build = await startNumbered(fleet, { lines: 40 });
    await build.reached(3);
    const frozen = Date.now();
    sshd.freeze('host');
    try {
      await eventually(async () => expect(await outages()).toBeGreaterThan(before), { timeoutMs: 14_000 });
      console.log(`noticed after ${Date.now() - frozen} ms`);
      // The step itself has gone on.
      await eventually(() => build.endedAt() > 0);
    } finally {
      sshd.thaw();
    }
    const thawed = Date.now();
    await passed(build.id);
    const log = await nothingLeft(fleet, [folder]);
    await expectRanOnce(fleet, log, build);
    console.log(`passed ${log.one('BuildPassed', build.id).at - thawed} ms after it answered again`);
    expect(log.one('BuildPassed', build.id).at - thawed).toBeLessThan(10_000);
    await back();
  });

  test('connections that hang while the host takes new ones: the step is followed over a new one', async () => {
    const before = await outages();
    const build = await startNumbered(fleet, { lines: 30 });
    await build.reached(3);
    sshd.freeze('sessions');
    try {
      await passed(build.id);
    } finally {
      sshd.thaw();
    }
    expect(await outages()).toBeGreaterThan(before);
    await expectRanOnce(fleet, await nothingLeft(fleet, [folder]), build);
    await back();
  });
});
