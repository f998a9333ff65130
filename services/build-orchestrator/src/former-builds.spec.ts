import { readFileSync } from 'node:fs';
import { derivedId, events as contracts, type BuildEvent } from '@berth/contracts';
import { memoryStore, type EventStore } from '@berth/event-store';
import { describe, expect, test } from 'vitest';
import { buildDecider, isLive, type Build } from './domain/build/build.js';
import { buildStatus } from './domain/status.js';
import { begin, command, told, untilTold } from './spec/app.testing.js';
import { action, BUILD } from './spec/examples.js';
import { Others } from './spec/others.js';

/** Commits as the version before steps were a graph wrote them: one step after the other, one path for each artifact. */
const { stories } = JSON.parse(readFileSync(new URL('./spec/former-builds.json', import.meta.url), 'utf8')) as { stories: Record<string, BuildEvent[][]> };
const ends: Record<string, string> = {
  passed: 'BuildPassed', 'failed, and its host was held': 'BuildFailed', 'a host failed before a step': 'BuildPassed', 'a host was gone while a step ran': 'BuildPassed', 'aborted while a step ran': 'BuildAborted', 'the outcome of a step was unknown': 'BuildErrored', 'given up before a step': 'BuildErrored',
};

/** Writes a history, with the leases that it names: each stands after the event that names it. */
async function write(store: EventStore, commits: BuildEvent[][]): Promise<void> {
  const others = new Others(store);
  let revision = 0;
  for (const [i, events] of commits.entries()) {
    const id = derivedId(BUILD, `commit ${i}`);
    revision = await store.append('build', BUILD, revision, { id, at: new Date(1_700_000_000_000 + i * 1000).toISOString(), actor: 'build-orchestrator', cause: id, events });
    for (const event of events) {
      if (event.type === 'BuildPreparing') await others.lend(event.data.hostLease, 'host');
      else if (event.type === 'BuildWorkingCopyRequested') await others.lend(event.data.workingCopyLease, 'working-copy');
    }
  }
}

describe.each(Object.entries(stories))('a build of the former version: %s', (story, commits) => {
  test('its events are what the contracts say, and fold', () => {
    let build: Build = buildDecider.initial;
    for (const event of commits.flat()) {
      expect(contracts.build[event.type].safeParse(event.data).error).toBeUndefined();
      build = buildDecider.evolve(build, event);
      if (build.status !== 'none') expect(buildStatus(BUILD, build, [event]).data.percent).toBeGreaterThanOrEqual(0);
    }
    expect(build.status).not.toBe('none');
  });

  test.each(commits.map((_, kept) => kept + 1))('after %d commits it is gone on with', async (kept) => {
    const store = memoryStore();
    await write(store, commits.slice(0, kept));
    const state = commits.slice(0, kept).flat().reduce(buildDecider.evolve, buildDecider.initial as Build);
    const { others } = await begin(new Others(store));
    await untilTold(others, 'BuildCleanedUp');
    // What was decided before stands; what was under way comes to a good end here.
    expect(await told(others)).toContain(isLive(state) ? 'BuildPassed' : ends[story]);
    const upload = others.sent.find(({ id }) => id === action(1));
    if (upload) expect(upload).toMatchObject({ data: { spec: { kind: 'upload', paths: ['out/wordcount.tgz'] } } });
    expect(others.problems).toEqual([]);
  });
});

test('one that was cleaned up can be built again', async () => {
  const store = memoryStore();
  await write(store, stories['passed']!);
  const { app, others } = await begin(new Others(store));
  expect(await app.restartBuild(command('RestartBuild', { build: BUILD, host: 'any', reason: 'again' }))).toMatchObject({ accepted: true });
  await untilTold(others, 'BuildRestarted');
  await expect.poll(async () => (await told(others)).filter((type) => type === 'BuildPassed').length, { timeout: 5000 }).toBe(2);
});
