import { expect, test } from 'vitest';
import type { Build, LiveBuild } from './domain/build/build.js';
import type { LeaseView } from './domain/view.js';
import { LiveBuilds } from './live-builds.js';
import { active, pending, phases } from './spec/examples.js';

const live = phases['preparing the host'] as Extract<Build, { status: 'preparing' }>;
const twoHosts = { a: {}, b: {} };

function begin() {
  const builds = new Map<string, Build>();
  const leases = new Map<string, LeaseView>();
  const all = new LiveBuilds((id) => builds.get(id), { lease: (id) => leases.get(id) });
  const set = (id: string, about: Partial<LiveBuild['about']> = {}, more: Partial<LiveBuild> = {}) => {
    builds.set(id, { ...live, ...more, about: { ...live.about, ...about } } as Build);
    all.note(id, false);
  };
  const end = (id: string) => {
    builds.set(id, phases.passed);
    all.note(id, false);
  };
  return { all, builds, leases, set, end };
}

test('the oldest one before, of the same group', () => {
  const { all, set, end } = begin();
  for (const id of ['one', 'two', 'three']) set(id, { group: 'g' });
  set('other', { group: 'h' });
  expect(all.beforeInGroup('one', 'g')).toBeUndefined();
  expect(all.beforeInGroup('three', 'g')).toEqual({ id: 'one', status: 'preparing' });
  expect(all.beforeInGroup('other', 'h')).toBeUndefined();
  end('one');
  expect(all.has('one')).toBe(false);
  expect(all.beforeInGroup('three', 'g')).toEqual({ id: 'two', status: 'preparing' });
  expect(all.beforeInGroup('new', 'g')).toEqual({ id: 'two', status: 'preparing' });
});
test('a new generation stands behind all others, noting again changes nothing', () => {
  const { all, set, builds } = begin();
  for (const id of ['one', 'two']) set(id, { group: 'g' });
  set('one', { group: 'g' });
  expect(all.beforeInGroup('two', 'g')).toMatchObject({ id: 'one' });
  all.note('one', true);
  expect(all.beforeInGroup('two', 'g')).toBeUndefined();
  expect(all.beforeInGroup('one', 'g')).toMatchObject({ id: 'two' });
  builds.delete('two');
  all.note('two', false);
  expect(all.beforeInGroup('one', 'g')).toBeUndefined();
});
test('of a plan and a ref, or of every ref', () => {
  const { all, set } = begin();
  set('one', { workingCopy: { ref: 'v1' } });
  set('two', { workingCopy: {} });
  set('three', { workingCopy: { ref: 'v1' } });
  expect(all.beforeOfPlan('three', 'wordcount', 'v1')).toMatchObject({ id: 'one' });
  expect(all.beforeOfPlan('two', 'wordcount', '')).toBeUndefined();
  expect(all.beforeOfPlan('two', 'wordcount', undefined)).toMatchObject({ id: 'one' });
  expect(all.beforeOfPlan('three', 'other', undefined)).toBeUndefined();
});
test('nobody waits for a build that waits for it, however far up', () => {
  const { all, set } = begin();
  set('caller', { group: 'g' });
  set('called', { group: 'h', parent: { build: 'caller', step: 's' } });
  set('below', { group: 'g', parent: { build: 'called', step: 's' } });
  set('stranger', { group: 'g' });
  expect(all.beforeInGroup('below', 'g')).toBeUndefined();
  expect(all.beforeOfPlan('below', 'wordcount', undefined)).toBeUndefined();
  expect(all.beforeInGroup('stranger', 'g')).toMatchObject({ id: 'caller' });
});
test('callers in a circle, which only a foreign writer can make, do no harm', () => {
  const { all, set } = begin();
  set('a', { group: 'g', parent: { build: 'b', step: 's' } });
  set('b', { group: 'g', parent: { build: 'a', step: 's' } });
  expect(all.beforeInGroup('b', 'g')).toBeUndefined();
});
test('one that holds a host and waits for another', () => {
  const { all, set, leases } = begin();
  const places = (id: string) => ({ a: { host: 'a', attempt: 1, hostLease: `${id}-a` }, b: { host: 'b', attempt: 1, hostLease: `${id}-b` } });
  set('alone', { hosts: { main: {} } });
  set('one', { hosts: twoHosts }, { places: places('one') });
  set('two', { hosts: twoHosts }, { places: places('two') });
  expect(all.olderGathering('two')).toBeUndefined();
  leases.set('one-a', active).set('one-b', pending());
  expect(all.olderGathering('two')).toBeUndefined(); // it may be served in a moment
  leases.set('one-b', pending('all slots are taken'));
  expect(all.olderGathering('two')).toEqual({ id: 'one', status: 'preparing' });
  expect(all.olderGathering('one')).toBeUndefined();
  set('one', { hosts: twoHosts }, { places: places('one'), steps: [{ status: 'running', tries: 1, action: 'x' }, { status: 'waiting', tries: 0 }] });
  expect(all.olderGathering('two')).toBeUndefined(); // something runs on its hosts: it gives nothing back, and nobody makes way
});
