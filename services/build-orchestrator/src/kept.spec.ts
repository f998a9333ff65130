import type { BuildEvent, Recorded } from '@berth/contracts';
import { expect, test } from 'vitest';
import { buildDecider } from './domain/build/build.js';
import { beforeCleanUp, keptBy } from './kept.js';
import { BUILD, fail, request } from './spec/examples.js';

const log = (...commits: BuildEvent[][]) => commits.map((events, sequence) => ({ kind: 'build', id: BUILD, sequence, commit: { events } }) as unknown as Recorded<BuildEvent>);
const file = (name: string, object = name) => ({ type: 'ArtifactKept', data: { name, object, bytes: 1, sha256: 'ab' } }) as const;

test('what a build keeps by its events', () => {
  const kept = keptBy(log(
    [file('a'), file('b')],
    [{ type: 'LinkAdded', data: { name: 'report', type: 'uri', uri: 'https://x.example' } }, { type: 'ArtifactPinned', data: { name: 'a', pinned: true } }],
    [{ type: 'ArtifactReleased', data: { name: 'b', reason: 'old' } }, { type: 'ArtifactPinned', data: { name: 'b', pinned: true } }],
    [file('a', 'a2')],
  ));
  expect([...kept.values()]).toEqual([
    { name: 'a', pinned: true, artifact: file('a', 'a2').data },
    { name: 'report', pinned: false, uri: 'https://x.example' },
  ]);
});

test('a build as it was before it was cleaned up', () => {
  const events: BuildEvent[] = [];
  let build = buildDecider.initial;
  for (const command of [request, { type: 'RequestWorkingCopy', build: BUILD, attempt: 1, host: 'main' }, { type: 'Start', build: BUILD, attempt: 1, host: 'main', path: '/w', commit: undefined, machine: 'rack-7' }, fail] as const) {
    for (const event of buildDecider.decide(command, build) as BuildEvent[]) {
      events.push(event);
      build = buildDecider.evolve(build, event);
    }
  }
  expect(beforeCleanUp(log(events.slice(0, -1)))).toBeUndefined(); // it is under way
  expect(beforeCleanUp([])).toBeUndefined();
  expect(beforeCleanUp(log(events, [file('late')], [{ type: 'BuildCleanedUp', data: {} }], [file('later')]))).toMatchObject({ status: 'failed', plan: { name: 'wordcount' }, places: [{ machine: 'rack-7' }], artifacts: [{ name: 'late' }, { name: 'later' }], steps: [{ status: 'failed' }, { status: 'skipped' }] });
});
