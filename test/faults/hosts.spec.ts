import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { isAlive } from '@berth/embedded/servers';
import { atEndOfFile } from '../support/cleanup.js';
import { startFleet, startTestSshd, type Fleet } from '../support/fleet.js';
import type { TestSshd } from '../support/sshd.js';
import { eventually } from '../support/wait.js';
import { nothingLeft } from './left.js';
import { logOf, type Log } from './log.js';
import { repository } from '../support/repository.js';
import { paused } from './paused.js';

interface Host {
  name: string;
  sshd: TestSshd;
  folder: string;
}

describe('hosts that fail', () => {
  let fleet: Fleet;
  let repo: string;
  /** those of the test under way */
  let hosts: Host[] = [];
  beforeAll(async () => {
    fleet = await startFleet();
    repo = await repository({ 'hello.txt': 'hello\n' });
  });

  /** Hosts of one test, which nothing else is granted; they share an attribute. */
  async function pool(name: string, slots: Record<string, number>): Promise<Record<string, Host>> {
    hosts = await Promise.all(
      Object.entries(slots).map(async ([host, count]) => {
        const sshd = await startTestSshd();
        return { name: host, sshd, folder: await fleet.addMachine(host, sshd, { slots: count, attributes: { pool: name } }) };
      }),
    );
    return Object.fromEntries(hosts.map((host) => [host.name, host]));
  }
  const noLeftovers = (): Promise<Log> => nothingLeft(fleet, hosts.map((host) => host.folder), { timeoutMs: 15_000 });
  const lease = (attributes: Record<string, string>) => fleet.requestLease({ type: 'host', attributes });
  const active = (id: string) => fleet.bus.waitForStatus('lease', id, ['active'], { timeoutMs: 10_000 });
  const release = (id: string) => fleet.bus.command('lease', 'ReleaseLease', { lease: id });
  const plan = (name: string, run: string, from = repo) =>
    fleet.applyPlan(`
name: ${name}
host: { pool: ${name} }
workingCopy: { repository: "${from}", ref: main }
steps:
  - name: Step
    run: |
${run.replace(/^/gm, '      ')}
`);
  /** Resolves when the log says so of a host. */
  const onRecord = (host: Host, what: 'ResourceUnreachable' | 'ResourceReachable') =>
    eventually(async () => {
      const log = await logOf(fleet);
      const [last] = log.all(['ResourceUnreachable', 'ResourceReachable'], log.resourceNamed(host.name)).slice(-1);
      expect(last?.type).toBe(what);
      return last!;
    }, { timeoutMs: 10_000 });

  test('one that is down is not granted: leases go to another, or wait with the reason until it is back', async () => {
    const { north } = await pool('down', { north: 2, south: 1 });
    await north!.sshd.stop();
    await onRecord(north!, 'ResourceUnreachable');
    const elsewhere = await lease({ pool: 'down' });
    await active(elsewhere);
    const pinned = await lease({ machine: 'north' });
    const reason = await eventually(async () => (await logOf(fleet)).all('LeaseWaiting', pinned).at(-1)!.data.reason);
    expect(reason).toMatch(/can't be reached: north \(/);
    expect(await active(elsewhere).then((status) => status.data['resource'])).toBe((await logOf(fleet)).resourceNamed('south'));
    expect((await logOf(fleet)).all('SlotClaimed').filter((e) => e.data.lease === pinned)).toEqual([]);

    await north!.sshd.restart();
    await active(pinned);
    const log = await logOf(fleet);
    expect(log.hostOf(pinned)).toBe('north');
    expect(log.hostOf(elsewhere)).toBe('south');
    await Promise.all([release(pinned), release(elsewhere)]);
    await noLeftovers();
  });

  test('one that goes down while leases are being granted: none is granted on it once that is known', async () => {
    const { east } = await pool('falling', { east: 50, west: 2 });
    const wanted = Array.from({ length: 40 }, () => lease({ pool: 'falling' }));
    await Promise.all([east!.sshd.stop(), ...wanted]);
    const gone = await onRecord(east!, 'ResourceUnreachable');
    const more = await Promise.all(Array.from({ length: 4 }, () => lease({ pool: 'falling' })));
    const ids = await Promise.all(wanted);
    await Promise.all([...ids, ...more].map(release));
    const log = await noLeftovers(); // which looks at every claim
    for (const id of more) if (log.all('LeaseAcquired', id).length > 0) expect(log.hostOf(id)).toBe('west');
    expect(log.all('ResourceUnreachable', gone.id)).not.toEqual([]);
  });

  test('one that dies between the grant and the working copy: the build passes on another, in a second attempt', async () => {
    const { first } = await pool('between', { first: 1, second: 1 });
    const side = join(fleet.home, 'between');
    await plan('between', 'echo ran >>"$SIDE"');
    // Both are held, so that the build's grant comes when and where the test says.
    const held = { first: await lease({ machine: 'first' }), second: await lease({ machine: 'second' }) };
    await Promise.all([active(held.first), active(held.second)]);
    const build = await fleet.build('between', { SIDE: side });
    const granted = await eventually(async () => (await logOf(fleet)).one('BuildPreparing', build).data.hostLease);
    await paused(fleet.services['build-orchestrator'].pid, async () => {
      await release(held.first);
      await active(granted);
      await first!.sshd.stop();
      await onRecord(first!, 'ResourceUnreachable');
      await release(held.second);
    });
    expect((await fleet.ended(build, { cleanedUp: false, timeoutMs: 25_000 })).data).toMatchObject({ status: 'passed' });
    // The first host still owes the end of its working copy.
    await first!.sshd.restart();
    await fleet.ended(build);
    const log = await noLeftovers();
    expect(log.all('BuildPreparing', build).map((e) => [e.data.attempt, log.hostOf(e.data.hostLease)])).toEqual([[1, 'first'], [2, 'second']]);
    expect(log.one('BuildRetried', build).data.error).toMatch(/^host unreachable: .*first/);
    expect(readFileSync(side, 'utf8')).toBe('ran\n');
  });

  test('one that dies while the working copy is being made: the build passes on another, and its rest is removed later', async () => {
    const { left, right } = await pool('making', { left: 1, right: 1 });
    const server = await gatedRepository(repo);
    const side = join(fleet.home, 'making');
    await plan('making', 'echo ran >>"$SIDE"', server.url);
    const build = await fleet.build('making', { SIDE: side });
    await server.asked(); // git on the host has begun and hangs
    const log = await logOf(fleet);
    const [victim, other] = log.hostOf(log.leasesOf(build)[0]!) === 'left' ? [left!, right!] : [right!, left!];
    await victim.sshd.stop();
    server.open();
    expect((await fleet.ended(build, { cleanedUp: false, timeoutMs: 25_000 })).data).toMatchObject({ status: 'passed' });
    await victim.sshd.restart();
    await fleet.ended(build);
    const after = await noLeftovers();
    expect(after.all('BuildPreparing', build).map((e) => [e.data.attempt, after.hostOf(e.data.hostLease)])).toEqual([[1, victim.name], [2, other.name]]);
    expect(readFileSync(side, 'utf8')).toBe('ran\n');
  });

  test('a release while the host is down is finished when it is back: no folder leaks, and the slot is free again', async () => {
    const { away } = await pool('away', { away: 1 });
    const host = await lease({ pool: 'away' });
    await active(host);
    const copy = await fleet.requestLease({ type: 'working-copy', host: { lease: host }, workingCopy: { repository: repo, ref: 'main' } });
    await active(copy);
    expect((await fleet.leftovers(away!.folder)).filter((name) => name.startsWith('copies/'))).toHaveLength(1);
    await away!.sshd.stop();
    await onRecord(away!, 'ResourceUnreachable');
    await Promise.all([release(copy), release(host)]);
    const next = await lease({ pool: 'away' });
    await eventually(async () => expect((await logOf(fleet)).all('LeaseWaiting', next).at(-1)!.data.reason).toContain('away'));
    const down = await logOf(fleet);
    for (const id of [copy, host]) expect(down.names(id).at(-1)).toBe('LeaseReleased');
    expect(await fleet.leftovers(away!.folder)).not.toEqual([]);

    const back = Date.now();
    await away!.sshd.restart();
    await active(next);
    const log = await logOf(fleet);
    for (const id of [copy, host]) expect(log.names(id).at(-1)).toBe('LeaseDestroyed');
    const granted = log.one('LeaseActivated', next).at - back;
    console.log(`cleaned up and granted again ${granted} ms after the host was back`);
    expect(granted).toBeLessThan(10_000);
    await release(next);
    await noLeftovers();
  });

  test('an abort ends the whole process tree before the slot is free', async () => {
    await pool('tree', { tree: 1 });
    const side = join(fleet.home, 'tree');
    // A grandchild that went its own way with setsid and shrugs off TERM, and says every few milliseconds that it lives.
    await plan('tree', `
cat >beat.sh <<'END'
trap '' TERM HUP INT
echo $$ >"$SIDE.pid"
while :; do date +%s%3N >>"$SIDE.beats"; sleep 0.02; done
END
setsid sh beat.sh </dev/null >/dev/null 2>&1 &
trap '' TERM
while :; do sleep 0.1; done`);
    const build = await fleet.build('tree', { SIDE: side });
    const pid = await eventually(() => Number(readFileSync(`${side}.pid`, 'utf8')) || false);
    await eventually(() => existsSync(`${side}.beats`));
    expect(isAlive(pid)).toBe(true);
    expect(await fleet.bus.command('build-orchestrator', 'AbortBuild', { build, reason: 'enough' })).toMatchObject({ accepted: true });
    expect((await fleet.ended(build)).data).toMatchObject({ status: 'aborted', error: 'enough' });
    const log = await noLeftovers();
    expect(isAlive(pid)).toBe(false);
    const [hostLease, copyLease] = log.leasesOf(build);
    const killed = log.one('ActionCancelled', log.commandsOf(build)[0]!.id);
    const freed = (id: string | undefined) => log.all('SlotFreed').find((e) => e.data.lease === id)!;
    expect(log.one('BuildAborted', build).position).toBeLessThan(killed.position);
    expect(killed.position).toBeLessThan(freed(copyLease).position);
    expect(killed.position).toBeLessThan(freed(hostLease).position);
    const lastBeat = Number(readFileSync(`${side}.beats`, 'utf8').trim().split('\n').at(-1));
    expect(lastBeat).toBeLessThanOrEqual(killed.at);
  });

  test('an abort while the host is away: nothing is given back before the host has ended what runs there', async () => {
    const { far } = await pool('far', { far: 1 });
    const side = join(fleet.home, 'far');
    await plan('far', `echo $$ >"$SIDE.pid"\nwhile :; do date +%s%3N >>"$SIDE.beats"; sleep 0.02; done`);
    const build = await fleet.build('far', { SIDE: side });
    const pid = await eventually(() => Number(readFileSync(`${side}.pid`, 'utf8')) || false);
    await far!.sshd.stop();
    await onRecord(far!, 'ResourceUnreachable');
    await fleet.bus.command('build-orchestrator', 'AbortBuild', { build });
    const [hostLease, copyLease] = (await logOf(fleet)).leasesOf(build);
    await eventually(async () => (await logOf(fleet)).one('LeaseReleased', copyLease));
    expect(isAlive(pid)).toBe(true);
    await far!.sshd.restart();
    expect((await fleet.ended(build)).data).toMatchObject({ status: 'aborted' });
    const log = await noLeftovers();
    expect(isAlive(pid)).toBe(false);
    const killed = log.one('ActionCancelled', log.commandsOf(build)[0]!.id);
    for (const id of [hostLease, copyLease]) expect(killed.position).toBeLessThan(log.all('SlotFreed').find((e) => e.data.lease === id)!.position);
    expect(Number(readFileSync(`${side}.beats`, 'utf8').trim().split('\n').at(-1))).toBeLessThanOrEqual(killed.at);
  });

  test('an aborted build never becomes passed, whatever comes later', async () => {
    await pool('aborted', { quick: 1 });
    const side = join(fleet.home, 'aborted');
    // It takes the request to end as leave to succeed.
    await plan('aborted', `trap 'exit 0' TERM\necho running >"$SIDE"\nwhile :; do sleep 0.02; done`);
    const build = await fleet.build('aborted', { SIDE: side });
    await eventually(() => existsSync(side));
    expect(await fleet.bus.command('build-orchestrator', 'AbortBuild', { build, reason: 'enough' })).toMatchObject({ accepted: true });
    await fleet.ended(build);
    // A process that knows nothing but the log decides all of it again.
    await fleet.services['build-orchestrator'].kill9();
    await fleet.services['build-orchestrator'].start();
    expect(await fleet.bus.command('build-orchestrator', 'AbortBuild', { build })).toMatchObject({ accepted: true });
    expect((await fleet.ended(build)).data).toMatchObject({ status: 'aborted', error: 'enough' });
    const log = await noLeftovers();
    expect(log.all(['BuildPassed', 'BuildFailed', 'BuildErrored'], build)).toEqual([]);
    expect(log.names(build).slice(-3)).toEqual(['StepFinished', 'BuildAborted', 'BuildCleanedUp']);
    expect(log.one('StepFinished', build).data.outcome).toBe('cancelled');
  });

  test('one that shows another key than at its enrolment is not trusted, not granted, and the reason says so', async () => {
    const { impostor } = await pool('impostor', { impostor: 1 });
    const enrolled = impostor!.sshd.hostFingerprint;
    await impostor!.sshd.changeHostKey();
    const presented = impostor!.sshd.hostFingerprint;
    expect(presented).not.toBe(enrolled);
    const waiting = await lease({ pool: 'impostor' });
    const reason = await eventually(
      async () => {
        const { data } = (await logOf(fleet)).all('LeaseWaiting', waiting).at(-1)!;
        expect(data.reason).toContain(presented);
        return data.reason;
      },
      { timeoutMs: 10_000 },
    );
    expect(reason).toContain('impostor');
    expect(reason).toContain(`${enrolled} is pinned`);
    expect((await logOf(fleet)).names(waiting)).not.toContain('LeaseAcquired');
    // Enrolling it again under its pinned key is refused as well.
    const { host: address, port, user, privateKeyPath } = impostor!.sshd;
    const pinned = (await logOf(fleet)).one('MachineAdded', 'impostor').data.hostKey;
    const answer = await fleet.bus.command('allocator', 'AddMachine', { name: 'impostor-2', address, port, user, credential: `file:${privateKeyPath}`, hostKey: pinned, folder: impostor!.folder }, { id: randomUUID() });
    expect(answer).toMatchObject({ accepted: false, code: 'host-key-changed', errors: [{ field: 'data.hostKey' }] });
    expect(await readFile(impostor!.sshd.logFile, 'utf8').then((text) => text.slice(text.lastIndexOf('Server listening')))).not.toContain('Accepted publickey');
    await release(waiting);
    await noLeftovers();
  });
});

/** A repository over HTTP whose first request gets no answer before `open`. */
async function gatedRepository(repo: string): Promise<{ url: string; asked(): Promise<void>; open(): void }> {
  await promisify(execFile)('git', ['-C', repo, 'update-server-info']);
  let open = (): void => undefined;
  let asked = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  const first = new Promise<void>((resolve) => (asked = resolve));
  const server = createServer((request, response) => {
    asked();
    const path = new URL(request.url!, 'http://localhost').pathname;
    void opened.then(() => readFile(join(repo, '.git', path))).then(
      (data) => response.end(data),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEndOfFile(() => {
    open();
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked: () => first, open };
}
