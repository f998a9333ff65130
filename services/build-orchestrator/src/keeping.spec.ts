import { savedPlan, type BuildEvent } from '@berth/contracts';
import { expect, test, vi } from 'vitest';
import { Keeping, type Overdue } from './keeping.js';

const DAY = 86_400_000;
const plan = (artifacts?: object) => savedPlan.parse({ name: 'p', host: {}, workingCopy: {}, env: {}, ...(artifacts && { artifacts }), steps: [{ name: 'A', run: 'true' }] });
const kept = (name: string, object = name): BuildEvent => ({ type: 'ArtifactKept', data: { name, object, bytes: 1, sha256: 'a' } });

function keeping(remove: (object: string) => Promise<void> = () => Promise.resolve()) {
  const removed: string[] = [];
  const released: Overdue[] = [];
  const warned: unknown[] = [];
  const made = new Keeping(
    { log: { warn: (what: unknown) => warned.push(what) } as never },
    { remove: async (object) => {
      await remove(object);
      removed.push(object);
    } },
    (overdue) => Promise.resolve(released.push(overdue)),
  );
  let sequence = 0;
  const tell = (id: string, at: number, ...events: BuildEvent[]) => made.note({ kind: 'build', id, sequence: ++sequence, commit: { id: `c${sequence}`, at: new Date(at).toISOString(), actor: 'x', cause: 'x', events } });
  const build = (id: string, at: number, artifacts?: object, ...events: BuildEvent[]) => tell(id, at, { type: 'BuildRequested', data: { plan: plan(artifacts), planVersion: 1, variables: {}, initiator: 'x' } }, ...events, { type: 'BuildPassed', data: {} }, { type: 'BuildCleanedUp', data: {} });
  return { made, tell, build, removed, released, warned };
}

test('what is older than its plan wants is due, and what is pinned is not', () => {
  const { made, build } = keeping();
  build('old', 0, { keep: DAY }, kept('a'), kept('b'), { type: 'ArtifactPinned', data: { name: 'b', pinned: true } });
  build('new', DAY, { keep: DAY }, kept('a'));
  build('for ever', 0, undefined, kept('a'));
  expect(made.overdue(DAY - 1)).toEqual([]);
  expect(made.overdue(DAY)).toEqual([{ build: 'old', name: 'a', reason: 'kept for 86400 s, as its plan says' }]);
});

test('of a plan so many builds keep theirs; those under way count and are left alone', () => {
  const { made, build, tell } = keeping();
  for (const id of ['one', 'two', 'three']) build(id, 0, { builds: 2 }, kept('a', `${id}/a`));
  expect(made.overdue(0)).toEqual([{ build: 'one', name: 'a', reason: 'kept of the last 2 builds, as its plan says' }]);
  tell('four', 0, { type: 'BuildRequested', data: { plan: plan({ builds: 2 }), planVersion: 1, variables: {}, initiator: 'x' } }, kept('a', 'four/a'));
  expect(made.overdue(0).map(({ build: of }) => of)).toEqual(['two', 'one']);
});

test('the bytes of what is released go, also after a restart in between, and an outage is waited for', async () => {
  vi.useFakeTimers();
  try {
    let away = true;
    const { made, build, tell, removed, warned } = keeping(() => (away ? Promise.reject(new Error('away')) : Promise.resolve()));
    build('b', 0, undefined, kept('a', 'b/1/a'), kept('c', 'b/1/c'), kept('d', 'b/1/d'));
    tell('b', 0, { type: 'ArtifactReleased', data: { name: 'a', reason: 'x' } });
    tell('b', DAY, { type: 'ArtifactReleased', data: { name: 'c', reason: 'x' } });
    made.begin(DAY + 1);
    await vi.advanceTimersByTimeAsync(1000);
    expect([removed, warned.length]).toEqual([[], 1]);
    away = false;
    // Another generation kept it too: both go with its name.
    tell('b', DAY, kept('d', 'b/2/d'), { type: 'ArtifactReleased', data: { name: 'd', reason: 'x' } });
    await vi.advanceTimersByTimeAsync(40_000);
    expect(removed.sort()).toEqual(['b/1/c', 'b/1/d', 'b/2/d']);
    made.stop();
  } finally {
    vi.useRealTimers();
  }
});
