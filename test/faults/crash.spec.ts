import { beforeAll, describe, expect, test } from 'vitest';
import { serviceNames, startFleet, startTestSshd, type Fleet } from '../support/fleet.js';
import { nothingLeft } from './left.js';
import { expectRanOnce, numberedPlan, startNumbered } from './numbered.js';
import { round, someSeed } from './seed.js';

/** What a build may lose through a killed service, beyond what its step needs by itself. */
const RECOVERY_MS = 10_000;

describe('a service that is killed', () => {
  let fleet: Fleet;
  let folder: string;
  beforeAll(async () => {
    fleet = await startFleet();
    folder = await fleet.addMachine('box', await startTestSshd(), { slots: 2 });
    await numberedPlan(fleet);
  });

  test.each(serviceNames)('%s: the step goes on without it, and the build with the next process', async (name) => {
    const build = await startNumbered(fleet);
    await build.reached(5);
    await fleet.services[name].kill9();
    const killedAtLine = build.at();
    await build.reached(killedAtLine + 8);
    const restarted = Date.now();
    await fleet.services[name].start();
    expect((await fleet.ended(build.id)).data).toMatchObject({ status: 'passed', percent: 100, error: null });

    const log = await nothingLeft(fleet, [folder]);
    await expectRanOnce(fleet, log, build);
    const recovery = log.one('BuildPassed', build.id).at - Math.max(restarted, build.endedAt());
    console.log(`${name}: passed ${recovery} ms after the step's own end, cleaned up ${log.one('BuildCleanedUp', build.id).at - build.endedAt()} ms after it`);
    expect(recovery).toBeLessThan(RECOVERY_MS);
  });

  test.each(serviceNames)('%s: the step has ended before the next process comes', async (name) => {
    const build = await startNumbered(fleet, { lines: 12 });
    await build.reached(5);
    await fleet.services[name].kill9();
    await build.reached(12);
    const restarted = Date.now();
    await fleet.services[name].start();
    expect((await fleet.ended(build.id)).data).toMatchObject({ status: 'passed', percent: 100, error: null });

    const log = await nothingLeft(fleet, [folder]);
    await expectRanOnce(fleet, log, build);
    const recovery = log.one('BuildPassed', build.id).at - restarted;
    console.log(`${name}: passed ${recovery} ms after its restart`);
    expect(recovery).toBeLessThan(RECOVERY_MS);
  });

  const seed = someSeed();
  test.each([1, 2, 3, 4, 5, 6])(`at any moment (seed ${seed}), round %i`, async (n) => {
    const { pick, within } = round(seed, n);
    const name = pick(serviceNames);
    const moment = within(600);
    const begun = performance.now();
    const build = await startNumbered(fleet, { lines: 8, pause: 0.05 });
    await new Promise((resolve) => setTimeout(resolve, moment - (performance.now() - begun)));
    await fleet.services[name].kill9();
    const restarted = Date.now();
    await fleet.services[name].start();
    expect((await fleet.ended(build.id)).data, `${name} killed after ${moment} ms`).toMatchObject({ status: 'passed', percent: 100, error: null });

    const log = await nothingLeft(fleet, [folder]);
    await expectRanOnce(fleet, log, build);
    const recovery = log.one('BuildPassed', build.id).at - Math.max(restarted, build.endedAt());
    console.log(`${name} killed after ${moment} ms (${log.all('StepStarted', build.id).find((e) => e.at < restarted) ? 'in its steps' : 'before its steps'}): passed ${recovery} ms later`);
    expect(recovery).toBeLessThan(RECOVERY_MS);
  });
});
