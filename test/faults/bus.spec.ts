import { randomUUID } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { statusEvent, subjects } from '@berth/contracts';
import { streams } from '@berth/nats';
import { startFleet, startTestSshd, type Fleet } from '../support/fleet.js';
import { eventually } from '../support/wait.js';
import { nothingLeft } from './left.js';
import { type Log, type Told } from './log.js';
import { expectRanOnce, numberedPlan, startNumbered, startPouring } from './numbered.js';
import { round, someSeed } from './seed.js';

const RECOVERY_MS = 10_000;

describe('the bus is killed', () => {
  let fleet: Fleet;
  let folder: string;
  beforeAll(async () => {
    fleet = await startFleet();
    folder = await fleet.addMachine('box', await startTestSshd(), { slots: 4 });
    await numberedPlan(fleet);
  });

  const noLeftovers = async (): Promise<Log> => {
    const log = await nothingLeft(fleet, [folder], { timeoutMs: 15_000 });
    await expectStatusesTrue(fleet, log);
    return log;
  };
  const passed = async (id: string) => {
    // Our own connection: the client's `waitForStatus` gives up when it is called while there is no server.
    await eventually(() => fleet.bus.connection.flush());
    expect((await fleet.ended(id)).data).toMatchObject({ status: 'passed', percent: 100, error: null });
  };

  test('while a step runs: it goes on, and everything with the next server', async () => {
    const build = await startNumbered(fleet);
    await build.reached(5);
    await fleet.nats.kill9();
    const at = build.at();
    await build.reached(at + 8);
    const restarted = Date.now();
    await fleet.nats.restart();
    await passed(build.id);
    const log = await noLeftovers();
    await expectRanOnce(fleet, log, build);
    const recovery = log.one('BuildPassed', build.id).at - Math.max(restarted, build.endedAt());
    console.log(`passed ${recovery} ms after the step's own end`);
    expect(recovery).toBeLessThan(RECOVERY_MS);
  });

  test('and the step ends before the next server comes', async () => {
    const build = await startNumbered(fleet, { lines: 12 });
    await build.reached(5);
    await fleet.nats.kill9();
    await eventually(() => build.endedAt() > 0);
    const restarted = Date.now();
    await fleet.nats.restart();
    await passed(build.id);
    const log = await noLeftovers();
    await expectRanOnce(fleet, log, build);
    const recovery = log.one('BuildPassed', build.id).at - restarted;
    console.log(`passed ${recovery} ms after the restart of the server`);
    expect(recovery).toBeLessThan(RECOVERY_MS);
  });

  test('while output pours in: no byte is missing, doubled or out of its order', async () => {
    const side = join(fleet.home, 'pour');
    const id = await startPouring(fleet, side, 150);
    const part = () => (existsSync(side) ? statSync(side).size : 0);
    await eventually(() => part() >= 20, { timeoutMs: 10_000 });
    await fleet.nats.kill9();
    const killed = part();
    await eventually(() => part() >= Math.min(killed + 20, 150));
    await fleet.nats.restart();
    await passed(id);
    const log = await noLeftovers();
    const { stdout } = await fleet.output(log.commandsOf(id)[0]!.id);
    let expected = '';
    for (let i = 1; i <= 150; i++) for (let n = 1; n <= 8000; n++) expected += `${n} of part ${i}\n`;
    expect(stdout.length).toBe(expected.length);
    expect(stdout === expected, 'the output, byte for byte').toBe(true);
    console.log(`${(stdout.length / 1e6).toFixed(0)} MB of output, killed at part ${killed} of 150`);
  });

  test('while an artifact is being kept: it is kept whole', async () => {
    await fleet.applyPlan(`
name: large
workingCopy: {}
steps:
  - name: Make
    run: head -c 60000000 /dev/zero | tr '\\0' x >large.bin
  - name: Keep
    uses: upload-artifact
    with: { path: large.bin }
`);
    const id = await fleet.build('large');
    const stored = async () => (await (await fleet.bus.connection.jetstreamManager()).streams.info('OBJ_berth-artifacts')).state.bytes;
    await eventually(async () => (await stored()) > 2_000_000, { timeoutMs: 10_000, everyMs: 2 });
    await fleet.nats.kill9();
    await fleet.nats.restart();
    await passed(id);
    const log = await noLeftovers();
    expect(log.one('ArtifactKept', id).data).toMatchObject({ name: 'large.bin', bytes: 60_000_000 });
  });

  test('while builds are being asked for: every one that was accepted ends, and is told of', async () => {
    await fleet.applyPlan(`{ name: quick, workingCopy: {}, steps: [{ name: Say, run: echo hello }] }`);
    const ids = Array.from({ length: 16 }, () => randomUUID());
    const begun = performance.now();
    // Over the time of the outage and some more, so that some are asked before, some during and some after it.
    const asked = ids.map((id, n) =>
      eventually(() => performance.now() - begun > n * 60, { timeoutMs: 20_000 }).then(() => fleet.bus.command('build-orchestrator', 'RequestBuild', { plan: 'quick' }, { id })),
    );
    await eventually(() => performance.now() - begun > 250);
    await fleet.nats.kill9();
    await eventually(() => performance.now() - begun > 500);
    await fleet.nats.restart();
    for (const answer of await Promise.all(asked)) expect(answer).toMatchObject({ accepted: true });
    await Promise.all(ids.map(passed));
    const log = await noLeftovers();
    for (const id of ids) {
      expect(log.commandsOf(id)).toHaveLength(1);
      expect(await fleet.output(log.commandsOf(id)[0]!.id)).toEqual({ stdout: 'hello\n', stderr: '' });
    }
  });

  const seed = someSeed();
  test.each([1, 2, 3, 4])(`at any moment (seed ${seed}), round %i`, async (n) => {
    const moment = round(seed, n).within(600);
    const begun = performance.now();
    const build = await startNumbered(fleet, { lines: 8, pause: 0.05 });
    await eventually(() => performance.now() - begun >= moment);
    await fleet.nats.kill9();
    const restarted = Date.now();
    await fleet.nats.restart();
    await passed(build.id);
    const log = await noLeftovers();
    await expectRanOnce(fleet, log, build);
    const recovery = log.one('BuildPassed', build.id).at - Math.max(restarted, build.endedAt());
    console.log(`killed after ${moment} ms: passed ${recovery} ms later`);
    expect(recovery).toBeLessThan(RECOVERY_MS);
  });
});

/** What frontends are told in the end is what the log says in the end. */
async function expectStatusesTrue(fleet: Fleet, log: Log): Promise<void> {
  const manager = await fleet.bus.connection.jetstreamManager();
  const last = new Map<string, Told>(log.events.filter((e) => e.kind !== 'plan').map((e) => [e.id, e]));
  await eventually(
    async () => {
      const stale: string[] = [];
      for (const event of last.values()) {
        const message = await manager.streams.getMessage(streams.status.name, { last_by_subj: subjects.status(event.kind, event.id) }).catch(() => undefined);
        const told = message && statusEvent.parse(message.json());
        if (Number(told?.id) !== event.position) stale.push(`${event.kind} ${event.id}: ${event.type} at ${event.position}, told ${told ? `of ${told.id}` : 'nothing'}`);
      }
      expect(stale, 'statuses that are behind the log').toEqual([]);
    },
    { timeoutMs: 5000, everyMs: 200 },
  );
}
