import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { DataSource } from 'typeorm';
import { savedPlan, type AnyRecorded, type Commit, type Kind } from '@berth/contracts';
import { openRuntime, type Config, type Runtime } from '@berth/runtime';
import { atEndOfFile, tempFolder } from '../../../../test/support/cleanup.js';
import { startTestNats } from '../../../../test/support/nats.js';
import { freshDatabase } from '../../../../test/support/postgres.js';
import { Moment } from './moment.js';
import { Moments } from './moments.js';
import { openDatabase } from './schema.js';

const start = Date.UTC(2030, 0, 1);
const plan = savedPlan.parse({ name: 'p', host: {}, workingCopy: {}, env: {}, steps: [{ name: 'One', run: 'true', env: {} }] });
const about = { plan, planVersion: 1, variables: {}, initiator: 'ada' };
const machine = (name: string) => ({ name, address: '10.0.0.1', port: 22, user: 'ci', credential: 'agent', platform: 'linux', attributes: {}, slots: 2, hostKey: 'ssh-ed25519 AAAA', facts: {} });

/** What may happen, in an order in which it could; each line is one commit. The clocks of those who write do not agree. */
function story(seed: number): { kind: Kind; id: string; commit: Commit }[] {
  let state = seed % 2 ** 31;
  // Its low bits alternate: the higher ones do not.
  const pick = (n: number): number => ((state = (state * 48271 + 11) % (2 ** 31 - 1)) >>> 8) % n;
  const told: { kind: Kind; id: string; commit: Commit }[] = [];
  const say = (kind: Kind, id: string, ...events: Commit['events']) => void told.push({ kind, id, commit: { id: randomUUID(), at: new Date(start + told.length * 1000 - pick(2500)).toISOString(), actor: 'spec', cause: 'spec', events } });
  for (let i = 0; i < 40; i++) {
    const [name, host, lease, build] = [`m${i}`, randomUUID(), randomUUID(), randomUUID()];
    if (pick(2)) say('machine', name, { type: 'MachineAdded', data: machine(name) });
    say('resource', host, { type: 'ResourceCreated', data: { type: 'host', blueprint: 'preallocated', name, attributes: {}, slots: 2, machine: name } }, { type: 'ResourceActivated', data: {} });
    say('lease', lease, { type: 'LeaseRequested', data: { type: 'host', owner: `o${i}`, attributes: {} } });
    if (pick(3)) say('build', build, { type: 'BuildRequested', data: about }, { type: 'BuildPreparing', data: { attempt: 1, hostLease: lease } });
    if (pick(3)) say('resource', host, { type: 'SlotClaimed', data: { slot: 0, lease, owner: `o${i}` } });
    if (pick(4)) say('lease', lease, { type: 'LeaseAcquired', data: { resource: host, blueprint: 'preallocated', slot: 0, token: 1 } }, { type: 'LeaseActivated', data: {} });
    if (told.some(({ id }) => id === build)) {
      say('build', build, { type: 'BuildFailed', data: { error: 'no' } });
      say('build', build, { type: 'BuildCleanedUp', data: {} });
      if (pick(2)) say('build', build, { type: 'ArtifactReleased', data: { name: 'a', reason: 'old' } }, { type: 'BuildRestarted', data: { ...about, generation: 2, attempt: 1, reason: 'again' } });
    }
    if (pick(2)) say('lease', lease, { type: 'LeaseReleased', data: { reason: 'done', expired: false } }, { type: 'LeaseDestroyed', data: {} });
    if (pick(3) === 0) say('resource', host, { type: 'ResourceReleased', data: { reason: 'old' } }, { type: 'ResourceDestroyed', data: {} });
    if (pick(3) === 0 && told.some(({ kind, id }) => kind === 'machine' && id === name)) say('machine', name, { type: 'MachineRemoved', data: {} });
  }
  return told;
}
const recorded = (told: ReturnType<typeof story>): AnyRecorded[] => told.map((one, i) => ({ ...one, sequence: i + 1 }) as AnyRecorded);
function folded(all: readonly AnyRecorded[]): Moment {
  const moment = new Moment();
  for (const one of all) moment.apply(one);
  return moment;
}
const view = (moment: Moment) => moment.view(start + 3_600_000, 1000);

describe('a moment', () => {
  test('written down and read again it goes on as it would have', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (seed, cut) => {
        const all = recorded(story(seed));
        const at = cut % all.length;
        const before = folded(all.slice(0, at));
        const again = Moment.read(before.position, before.at, before.write());
        const copy = before.copy();
        for (const one of all.slice(at)) {
          again.apply(one);
          copy.apply(one);
        }
        expect(view(again)).toEqual(view(folded(all)));
        expect(view(copy)).toEqual(view(folded(all)));
        // What was copied from stays as it was; what comes twice changes nothing.
        for (const one of all.slice(0, at)) before.apply(one);
        expect(view(before)).toEqual(view(folded(all.slice(0, at))));
      }),
      { numRuns: 30 },
    );
  });

  test('holds what lives and nothing else', () => {
    const all = recorded(story(7));
    const { totals } = view(folded(all));
    expect(folded(all).things).toBe(totals.machines + totals.resources + totals.leases + totals.builds);
    expect(view(folded(all)).builds.every(({ status, generation }) => status === 'pending' && generation === 2)).toBe(true);
    const few = folded(all).view(start, 3);
    expect([few.totals, few.machines.length, few.resources.length, few.leases.length, few.builds.length]).toEqual([totals, 3, 3, 3, 3]);
    expect(Object.values(totals).every((count) => count > 0)).toBe(true);
  });
});

describe('moments', () => {
  let runtime: Runtime;
  let database: DataSource;
  let all: AnyRecorded[];
  const fail = (error: Error) => {
    throw error;
  };
  beforeAll(async () => {
    const [nats, home, databaseUrl] = [await startTestNats(), await tempFolder('moments'), await freshDatabase()];
    const config: Config = { home, httpPort: 0, natsUrl: nats.url, databaseUrl, logLevel: 'warn', sweepMs: 60_000, sweepGraceMs: 300_000, logFile: `${home}/log` };
    runtime = await openRuntime('console', config, fail);
    atEndOfFile(() => runtime.connection.close());
    database = await openDatabase(databaseUrl, fail);
    atEndOfFile(() => database.destroy());
    all = recorded(story(3));
    const revisions = new Map<string, number>();
    for (const { kind, id, commit } of all) revisions.set(id, await runtime.store.append(kind, id, revisions.get(id) ?? 0, commit));
  });
  const rows = async () => (await database.query('SELECT position FROM berth.moment ORDER BY position') as { position: string }[]).map(({ position }) => Number(position));

  test('each position and each instant, in any order, as folded from the first event on', async () => {
    const moments = new Moments(runtime, database, 20);
    await moments.begin(50);
    await moments.apply(all.slice(50));
    const written = await rows();
    expect(written.length).toBeGreaterThan(2);
    // Both ends, and every seventh in between, out of order.
    const positions = [all.length, 0, ...Array.from({ length: Math.floor(all.length / 7) }, (_, i) => ((i * 37) % all.length) + 1)];
    for (const position of positions) expect(view(await moments.at({ position }))).toEqual(view(folded(all.slice(0, position))));
    for (let second = -3; second < all.length + 3; second += 17) {
      const time = start + second * 1000;
      const until = all.findIndex(({ commit }) => Date.parse(commit.at) > time);
      expect(view(await moments.at({ time }))).toEqual(view(folded(all.slice(0, until === -1 ? all.length : until))));
    }
  }, 60_000);

  test('many at once; what is shown of one is not changed by the next', async () => {
    const moments = new Moments(runtime, database, 20);
    await moments.begin(all.length);
    const asked = [30, 90, 31, 60, 32];
    const answers = await Promise.all(asked.map((position) => moments.at({ position })));
    expect(answers.map(view)).toEqual(asked.map((position) => view(folded(all.slice(0, position)))));
  });

  test('a start goes on at the last one that was written, and writes none twice', async () => {
    const before = await rows();
    const moments = new Moments(runtime, database, 20);
    await moments.begin(all.length);
    expect(view(await moments.at({ position: all.length }))).toEqual(view(folded(all)));
    expect(await rows()).toEqual(before);
  });

  test('those of another event stream are dropped', async () => {
    await database.query(`UPDATE berth.moment SET stream = 'another'`);
    const moments = new Moments(runtime, database, 1_000_000);
    await moments.begin(all.length);
    expect(await rows()).toEqual([]);
    expect(view(await moments.at({ position: 77 }))).toEqual(view(folded(all.slice(0, 77))));
  });
});
