import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostAccess } from '@berth/contracts';
import { beforeAll, describe, expect, it } from 'vitest';
import { startTestSshd, type TestSshd } from '../../../test/support/sshd.js';
import { eventually } from '../../../test/support/wait.js';
import { startGateway, type TestGateway } from './gateway.testing.js';
import { commandLines } from './runner/runner.testing.js';

let gateway: TestGateway;
let sshd: TestSshd;
let number = 0;
const ssh = (): HostAccess => ({ transport: 'ssh', address: sshd.host, port: sshd.port, user: sshd.user, credential: `file:${sshd.privateKeyPath}`, hostKey: sshd.hostKeyPublic, platform: 'linux', folder: join(gateway.home, `host-${++number}`) });
const folder = (access: HostAccess, ...more: string[]) => join(access.folder, ...more);
const running = (word: string) => commandLines().filter((line) => line === word);
/** Ends what a host that is said to be gone has gone on with. */
function end(line: string): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (existsSync(`/proc/${pid}/cmdline`) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() === line) process.kill(Number(pid));
  }
}

beforeAll(async () => {
  [gateway, sshd] = await Promise.all([startGateway(), startTestSshd()]);
});

describe('a host that failed', () => {
  it.each(['enrolled', 'launched'] as const)('ends what ran on it at once, also when nothing answers (%s)', async (how) => {
    const access = ssh();
    const host = await gateway.host(how, access);
    const copy = await gateway.on(host.lease, 'working-copy', 'active', folder(access, 'copies/c'));
    mkdirSync(folder(access, 'copies/c'), { recursive: true });
    const marker = `sleep 9${number}01`;
    const actions = await Promise.all([gateway.run(host.lease, host.token, { kind: 'run-command', command: marker }), gateway.run(copy.lease, copy.token, { kind: 'run-command', command: marker })]);
    for (const action of actions) await gateway.started(action);
    await eventually(() => running(marker).length >= 2);
    sshd.freeze();
    const since = performance.now();
    try {
      await gateway.resource(host.resource, { type: 'ResourceBroken', data: { error: 'the instance was terminated' } });
      for (const action of actions) expect(await gateway.ended(action)).toMatchObject({ type: 'ActionLost', data: { error: 'its host failed: the instance was terminated' } });
      expect(performance.now() - since).toBeLessThan(3000);
      await expect(gateway.run(host.lease, host.token, { kind: 'run-command', command: 'true' })).rejects.toThrow('machine-unreachable');
    } finally {
      sshd.thaw();
    }
    const removal = await gateway.run(copy.lease, copy.token, { kind: 'remove-working-copy', copy: copy.resource });
    expect(await gateway.ended(removal)).toMatchObject({ type: 'ActionSucceeded' });
    // Only of a launched host is it known that all is gone with it: nothing was done there.
    expect(running(marker)).toHaveLength(how === 'launched' ? 2 : 1);
    end(marker);
    await eventually(() => running(marker).length === 0);
  });

  it('owes no removal when it was launched and never came up, or is destroyed', async () => {
    const access = { ...ssh(), port: 1 };
    const host = await gateway.host('launched', access);
    const copy = await gateway.on(host.lease, 'working-copy');
    const service = await gateway.on(copy.lease, 'service');
    const waiting = [await gateway.run(copy.lease, copy.token, { kind: 'remove-working-copy', copy: copy.resource }), await gateway.run(service.lease, service.token, { kind: 'stop-service', service: service.resource, timeoutMs: 1000 })];
    await gateway.resource(host.resource, { type: 'ResourceDestroyed', data: {} });
    for (const action of waiting) expect(await gateway.ended(action)).toMatchObject({ type: 'ActionSucceeded' });
    const later = await gateway.run(copy.lease, copy.token, { kind: 'remove-working-copy', copy: copy.resource });
    expect(await gateway.ended(later)).toMatchObject({ type: 'ActionSucceeded' });
  });

  it('owes its removals while it is only away, and a new gateway knows what became of it', async () => {
    const access = { ...ssh(), port: 1 };
    const host = await gateway.host('enrolled', access);
    const copy = await gateway.on(host.lease, 'working-copy');
    const owed = await gateway.run(copy.lease, copy.token, { kind: 'remove-working-copy', copy: copy.resource });
    await gateway.resource(host.resource, { type: 'ResourceBroken', data: { error: 'e' } });
    const other = await gateway.host('launched', access);
    const lost = await gateway.run(other.lease, other.token, { kind: 'stop-service', service: randomUUID(), timeoutMs: 1000 });
    await gateway.restart();
    await gateway.resource(other.resource, { type: 'ResourceBroken', data: { error: 'e' } });
    expect(await gateway.ended(lost)).toMatchObject({ type: 'ActionSucceeded' });
    expect((await gateway.events(owed)).map(({ type }) => type)).toEqual(['ActionRequested']);
  });
});

describe('services', () => {
  const leaves = (word: string) => `(exec -a ${word} sleep 300) >/dev/null 2>&1 &`;

  it('starts one that outlives its start, works in its folder, and leaves nothing after its stop', async () => {
    const access = ssh();
    const host = await gateway.host('launched', access);
    const service = await gateway.on(host.lease, 'service', 'acquired');
    const command = `pwd; echo "$PORT" >port; nohup sh -c 'sleep 0.6; : >ready; exec sleep 3210' >/dev/null 2>&1 &\necho "$BERTH_LEASE"`;
    const start = await gateway.run(service.lease, service.token, { kind: 'start-service', service: service.resource, command, env: { PORT: '4711' }, timeoutMs: 10_000, ready: { command: 'test -e ready', timeoutMs: 10_000 } });
    expect(await gateway.ended(start)).toMatchObject({ type: 'ActionSucceeded', data: { exitCode: 0, stdoutBytes: expect.any(Number) } });
    expect(existsSync(folder(access, 'copies', service.lease, 'ready'))).toBe(true);
    expect(running('sleep 3210')).toHaveLength(1);
    await gateway.resource(service.resource, { type: 'ResourceActivated', data: { port: 4711 } });
    await gateway.lease(service.lease, { type: 'LeaseActivated', data: {} });
    const inside = await gateway.run(service.lease, service.token, { kind: 'run-command', command: 'test "$(cat port)" = 4711' });
    expect(await gateway.ended(inside)).toMatchObject({ type: 'ActionSucceeded' });
    await gateway.lease(service.lease, { type: 'LeaseReleased', data: { reason: 'r', expired: false } });
    const stop = await gateway.run(service.lease, service.token, { kind: 'stop-service', service: service.resource, command: 'cat port >../../stopped', env: { PORT: '4711' }, timeoutMs: 5000 });
    expect(await gateway.ended(stop)).toMatchObject({ type: 'ActionSucceeded' });
    expect(readFileSync(folder(access, 'stopped'), 'utf8')).toBe('4711\n');
    expect(running('sleep 3210')).toEqual([]);
    await eventually(() => readdirSync(folder(access, 'copies')).length + readdirSync(folder(access, 'actions')).length === 0);
    const again = await gateway.run(service.lease, service.token, { kind: 'stop-service', service: service.resource, command: 'exit 3', timeoutMs: 5000 });
    expect(await gateway.ended(again)).toMatchObject({ type: 'ActionSucceeded' });
  });

  it('starts in the working copy that it stands on, and leaves that where it is', async () => {
    const access = ssh();
    const host = await gateway.host('enrolled', access);
    const path = folder(access, 'copies/copy');
    mkdirSync(path, { recursive: true });
    const copy = await gateway.on(host.lease, 'working-copy', 'active', path);
    const service = await gateway.on(copy.lease, 'service', 'acquired');
    const start = await gateway.run(service.lease, service.token, { kind: 'start-service', service: service.resource, command: `${leaves('x')} pwd >where`, timeoutMs: 5000 });
    expect(await gateway.ended(start)).toMatchObject({ type: 'ActionSucceeded' });
    expect(readFileSync(join(path, 'where'), 'utf8')).toBe(`${path}\n`);
    const stop = await gateway.run(service.lease, service.token, { kind: 'stop-service', service: service.resource, timeoutMs: 5000 });
    expect(await gateway.ended(stop)).toMatchObject({ type: 'ActionSucceeded' });
    expect(existsSync(path)).toBe(true);
  });

  it.each([
    ['exit', { command: 'exit 7' }, 'exit code 7'],
    ['timeout', { command: 'sleep 60', timeoutMs: 300 }, 'it ran longer than 0.3 s and was ended'],
    ['not-ready', { command: 'true', ready: { command: 'echo connection refused; false', timeoutMs: 700 } }, 'it was not ready after 0.7 s: connection refused'],
    ['not-ready', { command: 'true', ready: { command: 'echo hanging; sleep 60', timeoutMs: 700 } }, 'it was not ready after 0.7 s: hanging'],
    ['not-ready', { command: 'true', ready: { command: 'false', timeoutMs: 300 } }, 'it was not ready after 0.3 s'],
  ] as const)('tells why one did not start: %s', async (code, spec, error) => {
    const access = ssh();
    const host = await gateway.host('launched', access);
    const service = await gateway.on(host.lease, 'service', 'acquired');
    const start = await gateway.run(service.lease, service.token, { kind: 'start-service', service: service.resource, timeoutMs: 5000, ...spec });
    expect(await gateway.ended(start)).toMatchObject({ type: 'ActionFailed', data: { code, error } });
    const stop = await gateway.run(service.lease, service.token, { kind: 'stop-service', service: service.resource, timeoutMs: 5000 });
    expect(await gateway.ended(stop)).toMatchObject({ type: 'ActionSucceeded' });
    await eventually(() => readdirSync(folder(access, 'actions')).length === 0);
  });

  it('is ended with all that it started when it is cancelled, and its start is when the lease ends', async () => {
    const access = ssh();
    const host = await gateway.host('launched', access);
    const service = await gateway.on(host.lease, 'service', 'acquired');
    const start = await gateway.run(service.lease, service.token, { kind: 'start-service', service: service.resource, command: 'nohup sleep 4321 >/dev/null 2>&1 &', timeoutMs: 5000, ready: { command: 'false', timeoutMs: 60_000 } });
    await gateway.started(start);
    await eventually(() => running('sleep 4321').length > 0 && readdirSync(folder(access, 'actions')).includes(`${start}-ready`));
    await gateway.lease(service.lease, { type: 'LeaseReleased', data: { reason: 'r', expired: false } });
    expect(await gateway.ended(start)).toMatchObject({ type: 'ActionCancelled' });
    expect(running('sleep 4321')).toEqual([]);
  });

  it('is started once when the gateway is another one meanwhile, and is waited for', async () => {
    const access = ssh();
    const host = await gateway.host('launched', access);
    const service = await gateway.on(host.lease, 'service', 'acquired');
    const start = await gateway.run(service.lease, service.token, { kind: 'start-service', service: service.resource, command: 'echo x >>starts', timeoutMs: 5000, ready: { command: 'test -e ready', timeoutMs: 60_000 } });
    await eventually(() => existsSync(folder(access, 'actions')) && readdirSync(folder(access, 'actions')).includes(`${start}-ready`));
    await gateway.restart();
    writeFileSync(folder(access, 'copies', service.lease, 'ready'), '');
    expect(await gateway.ended(start)).toMatchObject({ type: 'ActionSucceeded' });
    expect(readFileSync(folder(access, 'copies', service.lease, 'starts'), 'utf8')).toBe('x\n');
  });
});

describe('working copies', () => {
  it('are kept after the last process in them is gone, and taken again', async () => {
    const repository = join(gateway.home, 'repository');
    execFileSync('sh', ['-c', `git init -q -b main '${repository}' && cd '${repository}' && echo x >file && git add . && git -c user.name=n -c user.email=e@x commit -qm x`]);
    const cache = 'c'.repeat(40);
    const access = ssh();
    const host = await gateway.host('enrolled', access);
    const first = await gateway.on(host.lease, 'working-copy', 'acquired');
    const prepare = { kind: 'prepare-working-copy', cache, repository, also: { 'libs/more': { repository } } } as const;
    const made = await gateway.ended(await gateway.run(first.lease, first.token, { ...prepare, copy: first.resource }));
    expect(made).toMatchObject({ type: 'ActionSucceeded', data: { path: folder(access, 'copies', first.resource), commit: expect.any(String) } });
    await gateway.lease(first.lease, { type: 'LeaseActivated', data: {} });
    await gateway.resource(first.resource, { type: 'ResourceActivated', data: { path: folder(access, 'copies', first.resource) } });
    const leftover = await gateway.run(first.lease, first.token, { kind: 'run-command', command: 'nohup sleep 5432 >/dev/null 2>&1 & echo y >file; echo z >libs/more/z' });
    expect(await gateway.ended(leftover)).toMatchObject({ type: 'ActionSucceeded' });
    await gateway.lease(first.lease, { type: 'LeaseReleased', data: { reason: 'r', expired: false } });
    const remove = await gateway.run(first.lease, first.token, { kind: 'remove-working-copy', copy: first.resource, keep: { cache, most: 3 } });
    expect(await gateway.ended(remove)).toMatchObject({ type: 'ActionSucceeded' });
    expect(running('sleep 5432')).toEqual([]);
    expect(readdirSync(folder(access, 'copies'))).toEqual([]);
    expect(readdirSync(folder(access, 'cache', cache))).toEqual([first.resource]);
    const second = await gateway.on(host.lease, 'working-copy', 'acquired');
    expect(await gateway.ended(await gateway.run(second.lease, second.token, { ...prepare, copy: second.resource }))).toMatchObject({ type: 'ActionSucceeded', data: { commit: (made.data as { commit: string }).commit } });
    expect(readdirSync(folder(access, 'cache', cache))).toEqual([]);
    expect(readFileSync(folder(access, 'copies', second.resource, 'file'), 'utf8')).toBe('x\n');
    expect(readdirSync(folder(access, 'copies', second.resource, 'libs/more')).sort()).toEqual(['.git', 'file']);
  });
});

describe.each(['ssh', 'local'] as const)('looking at a host over %s', (transport) => {
  const access = (): HostAccess => ({ ...ssh(), transport, ...(transport === 'local' && { hostKey: undefined }) }) as HostAccess;

  it('tells what it has, and whether it is fit', async () => {
    const host = access();
    const answer = await gateway.ask('ProbeHost', { host, check: { command: 'echo out; echo bad >&2; pwd; exit 3', timeoutMs: 5000 } });
    const facts = { os: 'linux', arch: expect.any(String), cpus: expect.stringMatching(/^\d+$/), memory: expect.stringMatching(/^\d+MiB$/), disk: expect.stringMatching(/^\d+MiB$/), kernel: expect.stringMatching(/^\d+\.\d+/), git: expect.stringMatching(/^\d+\.\d+/), node: process.versions.node };
    expect(answer).toMatchObject({ accepted: true, data: { facts, check: { exitCode: 3, output: `out\nbad\n${host.folder}\n` } } });
    expect(readdirSync(folder(host, 'actions'))).toEqual([]);
  });

  it('ends a check that takes too long, with what it started', async () => {
    const host = access();
    const answer = await gateway.ask('ProbeHost', { host, check: { command: `echo slow; setsid sleep 654${transport.length} & head -c 9000 /dev/zero | tr '\\0' x; sleep 654${transport.length}`, timeoutMs: 400 } });
    expect(answer).toMatchObject({ data: { check: { exitCode: 124, output: 'x'.repeat(4096) } } });
    expect(running(`sleep 654${transport.length}`)).toEqual([]);
    expect(readdirSync(folder(host, 'actions'))).toEqual([]);
  });

  it('lists and removes folders that are nobody’s', async () => {
    const host = access();
    expect(await gateway.ask('ListFolders', { host })).toMatchObject({ accepted: true, data: { copies: [] } });
    const [old, young] = [randomUUID(), randomUUID()];
    const owner = await gateway.host('enrolled', host);
    for (const name of [old, young, owner.lease, 'not-a-uuid']) mkdirSync(folder(host, 'copies', name, 'locked'), { recursive: true, mode: 0o700 });
    writeFileSync(folder(host, 'copies', old, 'locked/file'), '');
    execFileSync('chmod', ['500', folder(host, 'copies', old, 'locked')]);
    utimesSync(folder(host, 'copies', old), Date.now() / 1000 - 3600, Date.now() / 1000 - 3600);
    const listed = await gateway.ask('ListFolders', { host });
    if (!listed.accepted) throw new Error(listed.message);
    const copies = listed.data!['copies'] as { id: string; ageMs: number }[];
    expect(copies.map(({ id }) => id).sort()).toEqual([old, young, owner.lease].sort());
    expect(copies.find(({ id }) => id === old)!.ageMs).toBeGreaterThan(3_590_000);
    expect(copies.find(({ id }) => id === young)!.ageMs).toBeLessThan(60_000);
    execFileSync('sh', ['-c', `cd '${folder(host, 'copies', young)}' && sleep 765${transport.length} >/dev/null 2>&1 & BERTH_LEASE=${old} sleep 765${transport.length} >/dev/null 2>&1 &`]);
    expect(await gateway.ask('RemoveFolders', { host, copies: [old, young, owner.lease, randomUUID()] })).toMatchObject({
      accepted: true,
      data: { removed: expect.arrayContaining([old, young]), failed: [{ id: owner.lease, error: expect.stringContaining('alive') }] },
    });
    expect(running(`sleep 765${transport.length}`)).toEqual([]);
    expect(readdirSync(folder(host, 'copies')).sort()).toEqual([owner.lease, 'not-a-uuid'].sort());
  });
});

it('looks at a host in service over the connection that there is', async () => {
  const access = ssh();
  const host = await gateway.host('launched', access);
  expect(await gateway.ended(await gateway.run(host.lease, host.token, { kind: 'run-command', command: 'true' }))).toMatchObject({ type: 'ActionSucceeded' });
  const before = sshd.sessions();
  for (let times = 0; times < 3; times++) expect(await gateway.ask('ProbeHost', { host: access, check: { command: 'true', timeoutMs: 1000 } })).toMatchObject({ data: { check: { exitCode: 0, output: '' } } });
  expect(sshd.sessions()).toEqual(before);
  await gateway.resource(host.resource, { type: 'ResourceDestroyed', data: {} });
  await eventually(() => sshd.sessions().length < before.length);
});

it('refuses what it can not reach', async () => {
  const host = { ...ssh(), port: 1 };
  for (const [type, data] of [['ProbeHost', {}], ['ListFolders', {}], ['RemoveFolders', { copies: [randomUUID()] }]] as const) {
    expect(await gateway.ask(type, { host, ...data })).toMatchObject({ accepted: false, code: 'machine-unreachable' });
  }
});
