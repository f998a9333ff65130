import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LeaseView } from '@berth/client';
import type { Explanation } from '@berth/contracts';
import { eventually } from '../../../test/support/wait.js';
import { fakeBerth, type FakeBerth } from './fake-berth.testing.js';
import { wanted, wish } from './options.js';
import { wishes } from './text.js';

let fake: FakeBerth;
beforeAll(async () => {
  fake = await fakeBerth();
});

const id = '7f8c1d66-0000-5000-8000-000000000001';
const never: Explanation = {
  verdict: 'never', reason: 'no host has gpu=yes', next: 'enrol one', ahead: 0, more: 3,
  considered: [{ blueprint: 'local', name: 'here', code: 'attributes', reason: 'no attribute gpu', holders: [{ lease: id, owner: 'bob' }] }],
};
const wait: Explanation = { ...never, verdict: 'wait', by: '2999-01-01T00:00:00Z', ahead: 2 };
const lease: LeaseView = {
  id, owner: 'ada', project: null, status: 'active', ended: null, type: 'host', blueprint: 'local', attributes: { os: 'linux', cpus: '>=8' }, prefer: [], blueprints: [], priority: 100, affinity: null,
  wait: 'served', waitAtMost: null, ttl: null, alive: null, resource: id, slot: 0, token: 1, hostLease: null, exclusive: null, until: null, reason: null, error: null, build: null, acquired: null, finished: null, path: null, port: null, uri: null, members: null,
  created: '2030-01-01T00:00:00.000Z', modified: '2030-01-01T00:00:00.000Z', position: 1,
};

describe('which version it is', () => {
  test.each(['--version', '-V'])('%s', async (word) => {
    const { version } = JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string };
    expect(await fake.berth(word)).toEqual({ code: 0, stdout: `berth ${version}\n`, stderr: '' });
    for (const words of [[word, '--json'], ['--json', word]]) {
      const { code, stdout, stderr } = await fake.berth(...words);
      expect([code, JSON.parse(stdout), stderr]).toEqual([0, { version }, '']);
    }
  });

});

describe('what attributes must be', () => {
  test.each([
    [['os=linux'], { os: 'linux' }, 'os=linux'],
    [['os=linux|mac', 'gpu=*'], { os: 'linux|mac', gpu: '*' }, 'os=linux|mac gpu=*'],
    [['os!=windows'], { os: '!windows' }, 'os!=windows'],
    [['cpus>=8'], { cpus: '>=8' }, 'cpus>=8'],
    [['cpus>=8', 'cpus<16'], { cpus: '>=8 <16' }, 'cpus>=8 <16'],
    [['memory> 16GiB'], { memory: '>16GiB' }, 'memory>16GiB'],
    [['cpus=>=8'], { cpus: '>=8' }, 'cpus>=8'],
    [['a==b|c', 'empty=', 'gpu=!*'], { a: '=b|c', empty: '=', gpu: '!*' }, 'a==b|c empty== gpu=!*'],
  ])('%j', (words, expected, shown) => {
    const read = words.reduce<Record<string, string>>((all, word) => wanted(word, all), {});
    expect(read).toEqual(expected);
    expect(wishes(read)).toBe(shown);
  });

  test.each(['os', '=x', 'cpus>=many', 'cpus>=8 <4', '1os=x'])('%j is refused', (text) => expect(() => wanted(text)).toThrow());
  test('twice is refused, unless both are bounds', () => {
    expect(() => wanted('os=mac', { os: 'linux' })).toThrow('os is given twice');
    expect(() => wanted('cpus<4', { cpus: '>=8' })).toThrow('can never be true');
  });
  test('wishes, the dearest first', () => expect(wish('zone=b', wish('zone=a,cpus>=8'))).toEqual([{ zone: 'a', cpus: '>=8' }, { zone: 'b' }]));
});

describe('lease request', () => {
  const request = (...words: string[]) => fake.berth('lease', 'request', '--type', 'host', '--owner', 'ada', ...words);
  const served = { 'POST leases': [202, { id }] as const };

  test.each([
    [['--no-wait'], {}],
    [['--no-wait', '--wait'], { wait: 'always' }],
    [['--wait', '--no-wait'], { wait: 'always' }],
    [['--try', '--no-wait'], { wait: 'no' }],
    [['--no-wait', '--wait-at-most', '10m'], { waitAtMost: 600_000 }],
    [['--no-wait', '--project', 'p', '--affinity', 'k', '--priority', '7'], { project: 'p', affinity: 'k', priority: 7 }],
    [['--no-wait', '--attribute', 'os=linux', 'cpus>=8', '--attribute', 'cpus<16'], { attributes: { os: 'linux', cpus: '>=8 <16' } }],
    [['--no-wait', '--prefer', 'zone=a,cpus>=8', '--prefer', 'zone=b'], { prefer: [{ zone: 'a', cpus: '>=8' }, { zone: 'b' }] }],
    [['--no-wait', '--blueprint', 'a', 'b'], { blueprints: ['a', 'b'] }],
  ])('%j prints the id at once', async (words, more) => {
    fake.routes(served);
    const ran = await request(...words);
    expect(ran).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^[0-9a-f-]{36}\n$/) });
    expect(fake.asked).toEqual([{ method: 'POST', path: 'leases', body: { type: 'host', owner: 'ada', ...more } }]);
  });

  test.each([[[], {}], [['--wait'], { wait: 'always' }], [['--try'], { wait: 'no' }]])('%j waits here until it can be used', async (words, more) => {
    fake.routes({ ...served, 'GET leases/*': [200, lease] });
    const ran = await request(...words);
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringMatching(/^lease +7f8c.*\nstatus +active$/m) });
    expect(fake.asked[0]!.body).toEqual({ type: 'host', owner: 'ada', ...more });
  });

  test.each([[['--wait', '--try']], [['--type', 'boat']], [['--attribute', 'cpus>=x']], [['--wait-at-most', 'soon']], [['--ttl', '0s']]])('%j is used wrongly', async (words) => {
    fake.routes(served);
    expect((await request(...words)).code).toBe(2);
    expect(fake.asked).toEqual([]);
  });

  test('refused: why, with what was looked at, for people and for programs', async () => {
    fake.routes({ 'POST leases': [422, { code: 'unservable', status: 422, detail: 'No host has gpu=yes.', errors: [], explanation: never }] });
    const ran = await request('--no-wait');
    expect([ran.code, ran.stdout]).toEqual([1, '']);
    expect(ran.stderr).toMatch(/^berth: No host has gpu=yes\.\nBLUEPRINT +RESOURCE +REASON +UNTIL\nlocal +here +no attribute gpu \(held by bob\) +-\n\nand 3 more resources\n\nreason +no host has gpu=yes\nnext +enrol one\nahead +0\n$/);
    const json = await request('--json');
    expect([json.code, JSON.parse(json.stdout)]).toEqual([1, { error: { code: 'unservable', message: 'No host has gpu=yes.', errors: [], explanation: never } }]);
  });

  test.each([
    [never, [], 1, /^It would be refused\./],
    [never, ['--wait'], 0, /^It would wait\./],
    [wait, [], 0, /^It would wait\.\n[^]*ahead +2$/m],
    [wait, ['--try'], 1, /^It would be refused\./],
    [{ ...wait, verdict: 'now' as const }, ['--try'], 0, /^It would be served at once\./],
  ])('a dry run makes nothing (%#)', async (explanation, words, code, text) => {
    fake.routes({ 'POST leases': [200, explanation] });
    const ran = await request('--dry-run', ...words);
    expect(ran).toMatchObject({ code, stderr: '', stdout: expect.stringMatching(text) });
    expect(fake.asked.map(({ path }) => path)).toEqual(['leases?dryRun=true']);
  });

  test('with a ttl it is heard of while it waits, and says how to go on', async () => {
    let beats = 0;
    const twice = async () => {
      await eventually(() => expect(beats).toBeGreaterThan(1));
      return [200, { ...lease, ttl: 300 }] as const;
    };
    fake.routes({ ...served, 'GET leases/*': twice, 'POST leases/*/beat': () => [202, { id: String(++beats) }] });
    const ran = await request('--ttl', '1s');
    expect(ran).toMatchObject({ code: 0, stderr: expect.stringMatching(/^It ends when you are not heard of for 1 s: run `berth lease keep [0-9a-f-]{36}`, or `berth lease beat [0-9a-f-]{36}` more often than that\.\n$/) });
    expect(fake.asked[0]!.body).toMatchObject({ ttl: 1000 });
  });
});

describe('a lease that is there', () => {
  test('beat, priority, hold', async () => {
    fake.routes({ 'POST leases/*/*': [202, { id }] });
    expect((await fake.berth('lease', 'beat', id)).stdout).toBe(`Lease ${id} goes on.\n`);
    expect((await fake.berth('lease', 'priority', id, '7')).stdout).toBe(`Lease ${id} has priority 7.\n`);
    expect((await fake.berth('lease', 'hold', id, '--for', '1h', '--reason', 'look')).stdout).toBe(`Resource ${id} is held for 1h: end it with \`berth resource unhold ${id}\`.\n`);
    expect(fake.asked).toEqual([
      { method: 'POST', path: `leases/${id}/beat`, body: {} },
      { method: 'POST', path: `leases/${id}/priority`, body: { priority: 7 } },
      { method: 'POST', path: `leases/${id}/hold`, body: { for: 3_600_000, reason: 'look' } },
    ]);
    expect((await fake.berth('lease', 'priority', id, '1001')).code).toBe(2);
    expect((await fake.berth('lease', 'priority', id, 'high')).code).toBe(2);
    expect((await fake.berth('lease', 'hold', id)).code).toBe(2);
  });

  test('keep: one without a ttl, and one that is over', async () => {
    fake.routes({ 'GET leases/*': [200, lease] });
    expect(await fake.berth('lease', 'keep', id)).toMatchObject({ code: 1, stderr: 'berth: The lease has no ttl: it goes on without being kept.\n' });
    fake.routes({ 'GET leases/*': [200, { ...lease, ttl: 1000, status: 'destroyed', ended: 'expired', reason: 'its time was up' }] });
    expect(await fake.berth('lease', 'keep', id)).toMatchObject({ code: 1, stderr: 'berth: The lease is expired: its time was up.\n' });
  });

  /** A lease whose beats are counted; its feed of events tells of one more when `news` is there. */
  function beaten(over: (beats: number) => boolean, news: (beats: number) => boolean): () => number {
    let beats = 0;
    let tell: () => void;
    const told = new Promise<void>((resolve) => (tell = resolve));
    const view = () => [200, { ...lease, ttl: 300, position: over(beats) ? 9 : 1, ...(over(beats) && { status: 'released', ended: 'released', reason: 'done' }) }] as const;
    const feed = async () => {
      await told;
      return [200, 'id: 9\nevent: LeaseReleased\ndata: {"kind":"lease"}\n\n'] as const;
    };
    fake.routes({ 'GET leases/*': view, 'POST leases/*/beat': () => {
      if (news(++beats)) tell();
      return [202, { id: String(beats) }];
    }, 'GET events': feed });
    return () => beats;
  }

  test('keep: beats until it is over', async () => {
    const beats = beaten((count) => count > 3, (count) => count > 3);
    const kept = await fake.berth('lease', 'keep', id);
    expect(kept).toEqual({ code: 0, stdout: `Lease ${id} is released: done.\n`, stderr: `keeping lease ${id}, heard of at least every 300 ms\n` });
    expect(beats()).toBeGreaterThan(3);
  });

  test('keep: stopped, it is not released', async () => {
    const beats = beaten(() => false, () => false);
    const kept = fake.berth('lease', 'keep', id);
    await eventually(() => expect(beats()).toBeGreaterThan(3));
    process.emit('SIGINT');
    expect(await kept).toMatchObject({ code: 130, stdout: '', stderr: expect.stringMatching(/^Lease .* is no longer kept, and not released: it ends by itself unless somebody beats\.$/m) });
    expect(fake.asked.some(({ path }) => path.endsWith('/release'))).toBe(false);
  });
});

describe('why', () => {
  const told = { lease: { ...lease, status: 'pending', resource: null }, live: true, at: '2030-01-01T00:00:00.000Z', position: null, reason: wait.reason, explanation: wait };

  test('a lease, as a table and what happens next', async () => {
    fake.routes({ 'GET leases/*/explanation': [200, told] });
    const { stdout, code } = await fake.berth('why', id);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^wants +host os=linux cpus>=8$/m);
    expect(stdout).toMatch(/^BLUEPRINT +RESOURCE +REASON +UNTIL\nlocal +here /m);
    expect(stdout).toMatch(/^reason +no host has gpu=yes\nnext +enrol one\nby +2999-01-01T00:00:00Z \(in .*\)\nahead +2$/m);
    expect(JSON.parse((await fake.berth('why', id, '--json')).stdout)).toEqual(told);
  });

  test.each([
    [null, `its own host: lease ${id}`],
    ['left', `a host of its member left: lease ${id}`],
  ])('what it stands on itself: %s', async (member, words) => {
    fake.routes({ 'GET leases/*/explanation': [200, { ...told, waitsFor: { lease: id, type: 'host', member } }] });
    expect((await fake.berth('why', id)).stdout).toContain(`waits for  ${words}\n`);
  });

  test('a build, as of then', async () => {
    const old = { ...told, lease, live: false, position: 12, explanation: null };
    fake.routes({ 'GET leases/*/explanation': [404, { code: 'unknown-lease', detail: 'There is no lease.', errors: [] }], 'GET builds/*/explanation': [200, old] });
    const { stdout } = await fake.berth('why', id, '--at', '12');
    expect(fake.asked.map(({ path }) => path)).toEqual([`leases/${id}/explanation?at=12`, `builds/${id}/explanation?at=12`]);
    expect(stdout).toMatch(/^now +active, served by local: resource .* slot 0\nas of +2030-01-01T00:00:00\.000Z \(.*, position 12\)\n\nreason +no host has gpu=yes$/m);
    fake.routes({ 'GET leases/*/explanation': [200, { ...old, at: null, position: null, reason: null }] });
    expect((await fake.berth('why', id)).stdout).toContain('It did not wait then, as far as is known.');
  });
});

describe('out of service and back', () => {
  test.each([
    [['quarantine', '--reason', 'flaky', '--for', '10m'], 'quarantine', { for: 600_000, reason: 'flaky' }],
    [['unquarantine'], 'end-quarantine', {}],
    [['hold', '--for', '1h', '--reason', 'look'], 'hold', { for: 3_600_000, reason: 'look' }],
    [['unhold'], 'end-hold', {}],
    [['drain', '--reason', 'new disk'], 'drain', { reason: 'new disk' }],
    [['undrain'], 'end-drain', {}],
    [['release'], 'release', {}],
  ])('%j', async ([verb, ...options], path, body) => {
    fake.routes({ 'POST resources/*/*': [202, { id }], 'POST machines/*/*': [202, { id: 'box' }] });
    expect(await fake.berth('resource', verb!, id, ...options)).toMatchObject({ code: 0, stderr: '' });
    expect(await fake.berth('machine', verb!, 'box', ...options)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^box /) });
    expect(fake.asked).toEqual([{ method: 'POST', path: `resources/${id}/${path}`, body }, { method: 'POST', path: `machines/box/${path}`, body }]);
  });

  test('a quarantine needs a reason, a hold an end', async () => {
    expect((await fake.berth('resource', 'quarantine', id)).code).toBe(2);
    expect((await fake.berth('machine', 'hold', 'box')).code).toBe(2);
  });
});

describe('quota', () => {
  const use = { hosts: 1, resources: 0, owners: [{ owner: 'ada', hosts: 1, limit: 3 }] };
  const before = { quota: { hosts: 10, resources: 5, owners: { ada: 3, bob: 1 } }, use };

  test.each([
    [['--hosts', '20'], { hosts: 20, resources: 5, owners: { ada: 3, bob: 1 } }],
    [['--hosts', 'none', '--hosts-per-owner', '2'], { hostsPerOwner: 2, resources: 5, owners: { ada: 3, bob: 1 } }],
    [['--owner', 'ada=4', 'a=b=0', '--owner', 'bob=none', '--resources', '0'], { hosts: 10, resources: 0, owners: { ada: 4, 'a=b': 0 } }],
    [['--none'], { owners: {} }],
  ])('set %j changes only that', async (words, expected) => {
    fake.routes({ 'GET quota': [200, before], 'PUT quota': [202, { id: 'fleet' }] });
    expect((await fake.berth('quota', 'set', ...words)).code).toBe(0);
    expect(fake.asked.find(({ method }) => method === 'PUT')!.body).toEqual(expected);
  });

  test('used wrongly', async () => {
    for (const words of [[], ['--none', '--hosts', '1'], ['--hosts', 'many'], ['--owner', 'ada']]) expect((await fake.berth('quota', 'set', ...words)).code).toBe(2);
  });

  test('show, capacity, orphans', async () => {
    const counts = { total: 4, free: 1, busy: 2, booting: 0, held: 1, quarantined: 0, draining: 0, unreachable: 0, broken: 0 };
    fake.routes({
      'GET quota': [200, before],
      'GET capacity': [200, { total: counts, blueprints: [{ blueprint: 'local', enabled: false, ...counts }], by: 'os', values: [{ value: 'linux', ...counts }, { value: null, ...counts }] }],
      'GET orphans': [200, { items: [{ what: 'folder', id: 'x', where: 'box', found: null, grace: null, destroyed: '2030-01-01T00:00:00Z' }], cursor: null }],
    });
    expect((await fake.berth('quota', 'show')).stdout).toMatch(/^host slots +1 in use, 10\nper owner +no limit\n[^]*^ada +1 +3$/m);
    expect((await fake.berth('capacity', '--by', 'os')).stdout).toMatch(/^local \(disabled\) +4 +1 +2 +0 +1 [^]*^all +4 [^]*^OS +SLOTS[^]*^linux +4 [^]*^- +4 /m);
    expect(fake.asked.at(-1)!.path).toBe('capacity?by=os');
    expect((await fake.berth('orphans')).stdout).toMatch(/^folder +x +box +- /m);
  });
});

describe('builds', () => {
  test.each(['start', 'request'])('build %s says whom it acts for', async (word) => {
    fake.routes({ 'POST builds': [202, { id }] });
    expect(await fake.berth('build', word, 'p', '--project', 'w', '--priority', '7', '--hold-on-failure', '1h', '--host', 'image=debian', '--host', 'cpus=>=8')).toMatchObject({ code: 0, stdout: `${id}\n` });
    expect(fake.asked[0]!.body).toMatchObject({ plan: 'p', project: 'w', priority: 7, holdOnFailure: 3_600_000, host: { image: 'debian', cpus: '>=8' } });
  });
});
