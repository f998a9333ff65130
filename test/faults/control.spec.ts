import { beforeAll, describe, expect, test } from 'vitest';
import type { BuildEvent, CommandInput, CommandType } from '@berth/contracts';
import { startFleet, startTestSshd, type Fleet } from '../support/fleet.js';
import { eventually } from '../support/wait.js';
import { nothingLeft } from './left.js';
import { round, someSeed } from './seed.js';

const BUILDS = 24;
const ends = ['passed', 'failed', 'aborted', 'error'];
const verdicts: readonly string[] = ['BuildPassed', 'BuildFailed', 'BuildAborted', 'BuildErrored'];

/** Builds of all sorts, and people who say this and that to them at any moment. */
describe('random control of builds on real hosts', () => {
  let fleet: Fleet;
  const folders: string[] = [];
  beforeAll(async () => {
    fleet = await startFleet();
    for (const name of ['one', 'two']) folders.push(await fleet.addMachine(name, await startTestSshd(), { slots: 4, attributes: { pool: name } }));
    await fleet.applyPlan(`
name: line
restartable: always
steps:
  - { name: First, run: 'echo first; sleep 0.1' }
  - { name: Second, retries: 1, run: 'sleep 0.2; [ ! -e no ]' }
  - { name: Third, if: always(), run: echo third }
`);
    await fleet.applyPlan(`
name: graph
hosts: { left: { pool: one }, right: { pool: two } }
steps:
  - { name: Left, needs: [], run: 'sleep 0.3 & sleep 0.1; wait' }
  - { name: Right, needs: [], host: right, run: 'sleep 0.2; exit 3', continueOnError: true }
  - { name: Decide, needs: [left, right], uses: wait-for-message, timeout: 20s, with: {} }
  - { name: After, run: 'echo "\${{ steps.right.outcome }}"' }
`);
    await fleet.applyPlan(`
name: stubborn
holdOnFailure: 1s
steps:
  - { name: Stay, run: "trap '' TERM; sleep 0.5; (trap '' TERM; sleep 1) & wait" }
  - { name: Fail, run: exit 1 }
`);
  });

  const eventsOf = async (build: string): Promise<BuildEvent[]> => (await fleet.events('build')).filter((r) => r.id === build).flatMap((r) => r.commit.events as BuildEvent[]);

  test('every build ends in one state, every lease is destroyed, and no process is left', async () => {
    const seed = someSeed();
    console.log(`control: BERTH_SEED=${seed}`);
    const outcomes = new Map<string, number>();
    const note = (what: string) => outcomes.set(what, (outcomes.get(what) ?? 0) + 1);

    await Promise.all(Array.from({ length: BUILDS }, async (_, n) => {
      const { pick, within } = round(seed, n);
      const plan = pick(['line', 'graph', 'stubborn']);
      const id = await fleet.build(plan);
      const tell = async <T extends CommandType<'build-orchestrator'>>(type: T, data: CommandInput<'build-orchestrator', T>) => {
        const answer = await fleet.bus.command('build-orchestrator', type, data);
        note(answer.accepted ? type : `${type}: ${answer.code}`);
        // Whatever is refused says why, in a sentence.
        if (!answer.accepted) expect(answer.message).toMatch(/^[A-Z].*[.]$/);
      };
      for (let moves = 2 + within(4); moves > 0; moves--) {
        await new Promise((resolve) => setTimeout(resolve, within(400)));
        const step = pick(['first', 'second', 'left', 'right', 'decide', 'stay']);
        const all = [
          () => tell('AbortBuild', { build: id }),
          () => tell('PauseBuild', { build: id }),
          () => tell('ResumeBuild', { build: id }),
          () => tell('RestartBuild', { build: id, host: pick(['any', 'same', 'other']) }),
          () => tell('RerunStep', { build: id, step }),
          () => tell('SendBuildMessage', { build: id, step: 'decide', type: pick(['pass', 'fail', 'work']) }),
        ];
        // Two that contradict each other, at the same time.
        await Promise.all([pick(all)(), pick(all)()]);
      }
      // Nobody waits for ever: what is paused goes on, what waits for word gets it.
      await eventually(async () => {
        const { data } = await fleet.bus.waitForStatus('build', id, () => true, { timeoutMs: 10_000 });
        if (!ends.includes(data.status) || data['cleanedUp'] !== true) {
          await fleet.bus.command('build-orchestrator', 'ResumeBuild', { build: id });
          if (plan === 'graph') await fleet.bus.command('build-orchestrator', 'SendBuildMessage', { build: id, step: 'decide', type: 'pass' });
        }
        expect([data.status, data['cleanedUp']]).toEqual([expect.stringMatching(ends.join('|')), true]);
        // A status is told after its commit: what was read may be that of the generation before.
        expect((await eventsOf(id)).at(-1)?.type).toBe('BuildCleanedUp');
      }, { timeoutMs: 60_000, everyMs: 200 });

      const events = await eventsOf(id);
      note(`ends as ${events.findLast(({ type }) => verdicts.includes(type))?.type}`);
      // A verdict for each generation that no other took the place of; every step that was begun has an end.
      const generations = 1 + events.filter(({ type }) => type === 'BuildRestarted').length;
      expect(events.filter(({ type }) => verdicts.includes(type)).length).toBeLessThanOrEqual(generations);
      const finished = events.filter((event) => event.type === 'StepFinished' && event.data.outcome !== 'skipped');
      expect(events.filter(({ type }) => type === 'StepStarted')).toHaveLength(finished.length);
    }));

    await nothingLeft(fleet, folders, { timeoutMs: 30_000 });
    console.log(`control: ${[...outcomes].sort().map(([what, times]) => `${what} ${times}`).join(', ')}`);
  });
});
