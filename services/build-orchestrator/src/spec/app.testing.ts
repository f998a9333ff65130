import { derivedId, type Recorded } from '@berth/contracts';
import { memoryStore } from '@berth/event-store';
import type { Command } from '@berth/runtime';
import { expect, onTestFinished, vi } from 'vitest';
import { BuildOrchestratorApp } from '../build-orchestrator.app.js';
import { BUILD } from './examples.js';
import { Others } from './others.js';

/** The service on a store in memory, as its specs begin it, and what they look at. */
export const source = `name: wordcount
host: { os: linux }
workingCopy: { repository: /repositories/wordcount, ref: main }
steps:
  - name: Test
    run: npm test
  - name: Keep the package
    uses: upload-artifact
    with: { path: out/wordcount.tgz }
`;
export const passed = ['BuildRequested', 'BuildPreparing', 'BuildWorkingCopyRequested', 'BuildStarted', 'StepStarted', 'StepFinished', 'StepStarted', 'StepFinished', 'ArtifactKept', 'BuildPassed', 'BuildCleanedUp'];

let count = 0;
export const command = <D>(type: string, data: D, id = derivedId(BUILD, `command ${++count}`)): Command<D> => ({ id, type, data, actor: 'spec', after: 0 });

/** Begins the service; it ends with the test. */
export async function begin(others = new Others()) {
  const app = new BuildOrchestratorApp(others.runtime(), { remove: (object) => Promise.resolve(void others.removed.push(object)) });
  onTestFinished(() => app.follower.stop());
  await app.follower.start();
  await others.start();
  return { others, app };
}
export const apply = (app: BuildOrchestratorApp, text = source) => app.applyPlan(command('ApplyPlan', { source: text }));
export const build = (app: BuildOrchestratorApp, variables = {}, plan = 'wordcount') => app.requestBuild(command('RequestBuild', { plan, variables, priority: 100 }, BUILD));
export const abort = (app: BuildOrchestratorApp) => app.abortBuild(command('AbortBuild', { build: BUILD, reason: 'not needed' }));
export const told = (others: Others) => others.types('build', BUILD);
export const until = (check: () => Promise<void> | void) => vi.waitFor(check, { timeout: 5000, interval: 2 });
export const untilTold = (others: Others, type: string) => until(async () => expect(await told(others)).toContain(type));

export const errorOf = async (others: Others) => (await others.store.load('build', BUILD)).flatMap((recorded) => recorded.commit.events).find((event) => event.type === 'BuildErrored')?.data;

export async function logOf(others: Others): Promise<Recorded[]> {
  const log: Recorded[] = [];
  const feed = await others.store.feed(0, (recorded) => void log.push(recorded), () => undefined);
  await feed.live;
  await feed.stop();
  expect(log.length).toBeGreaterThan(15);
  return log;
}

/** Ends a process after each commit of a history, and looks at what the next one makes of it. */
export async function eachRestart(log: Recorded[], prepare: (others: Others) => Others, check: (others: Others) => Promise<void>): Promise<void> {
  const start = log.findIndex((recorded) => recorded.kind === 'build') + 1;
  for (let kept = start; kept <= log.length; kept++) {
    const store = memoryStore();
    const revisions = new Map<string, number>();
    for (const { kind, id, commit } of log.slice(0, kept)) revisions.set(id, await store.append(kind, id, revisions.get(id) ?? 0, commit));
    const { others } = await begin(prepare(new Others(store)));
    await untilTold(others, 'BuildCleanedUp');
    await check(others);
    const sent = others.sent.map((command) => command.id);
    expect(new Set(sent).size).toBe(sent.length);
    expect(others.problems).toEqual([]);
  }
}
