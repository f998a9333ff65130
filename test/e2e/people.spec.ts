import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CHECKOUT } from '@berth/embedded/servers';
import { beforeAll, describe, expect, test } from 'vitest';
import { httpClient, type BlueprintView, type CapacityView, type LeaseExplanation, type LeaseView, type Page, type QuotaView, type ResourceView } from '@berth/client';
import type { Explanation } from '@berth/contracts';
import { startBerth } from '../support/berth.js';
import { tempFolder } from '../support/cleanup.js';
import { cliAt } from '../support/cli.js';
import { startTestSshd } from '../support/sshd.js';
import { eventually } from '../support/wait.js';

const SOON = { timeoutMs: 20_000, everyMs: 100 };

describe('as people do it', { timeout: 60_000 }, () => {
  let home: string;
  let cwd: string;
  let url: string;
  let token: string;

  const { berth, asWritten, json } = cliAt(() => ({ home, cwd }));
  const refusal = async (...words: string[]) => {
    const { code, stdout } = await berth(...words, '--json');
    return { exit: code, ...(JSON.parse(stdout) as { error: { code: string; message: string; errors: { field: string; message: string }[]; explanation?: Explanation } }).error };
  };
  const http = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${url}/api/v1/${path}`, { method, headers: { Authorization: `Bearer ${token}`, ...(body !== undefined && { 'Content-Type': 'application/json' }) }, ...(body !== undefined && { body: JSON.stringify(body) }) });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const file = (name: string, text: string) => writeFile(join(cwd, name), text);
  // What a test only needs and is not about goes over HTTP, which takes a hundredth of the time.
  const request = async (owner: string, attributes: Record<string, string>, more: object = {}) => (await http('POST', 'leases', { type: 'host', owner, attributes, ...more })).body['id'] as string;
  const lease = async (id: string) => (await http('GET', `leases/${id}`)).body as unknown as LeaseView;
  const active = (id: string) => eventually(async () => expect((await lease(id)).status).toBe('active'), SOON);
  const explained = (id: string) => eventually(async () => expect((await lease(id)).reason).not.toBeNull(), SOON);
  const release = async (...ids: string[]) => {
    for (const id of ids) await http('POST', `leases/${id}/release`, {});
    for (const id of ids) await eventually(async () => expect((await lease(id)).status).toBe('destroyed'), SOON);
  };

  beforeAll(async () => {
    [home, cwd] = await Promise.all([tempFolder('people'), tempFolder('desk')]);
    ({ url, token } = await startBerth(home));
    const sshd = await startTestSshd();
    for (const [name, slots] of [['box1', 1], ['box2', 2]] as const) {
      const added = await berth('machine', 'add', name, '--address', sshd.host, '--port', String(sshd.port), '--user', sshd.user, '--credential', `file:${sshd.privateKeyPath}`, '--slots', String(slots), '--folder', join(home, name));
      expect(added).toMatchObject({ code: 0, stderr: '' });
    }
    await eventually(async () => expect((await http('GET', 'capacity')).body).toMatchObject({ blueprints: expect.arrayContaining([expect.objectContaining({ blueprint: 'preallocated', free: 3 })]) }), SOON);
  });

  test('a blueprint: saved, saved again, changed, shown, switched off and on, removed', async () => {
    const spec = 'name: mac\nkind: preallocated\nmachines: { os: mac }\nhealth: { command: "true", every: 1m30s }\n';
    await file('mac.yaml', spec);
    expect(await berth('blueprint', 'apply', 'mac.yaml')).toEqual({ code: 0, stderr: '', stdout: 'Blueprint mac is saved as version 1.\n' });
    expect(await json('blueprint', 'apply', 'mac.yaml')).toEqual({ items: [{ name: 'mac', version: 1 }] });
    await file('mac.yaml', `${spec}rank: 7\n`);
    expect((await berth('blueprint', 'apply', 'mac.yaml')).stdout).toBe('Blueprint mac is saved as version 2.\n');
    const { stdout } = await berth('blueprint', 'show', 'mac');
    expect(stdout).toMatch(/^blueprint +mac\nkind +preallocated\nstate +enabled\nversion +2\nsaved +.* ago\n/);
    expect(stdout).toMatch(/^ {2}every: 1m30s$/m);
    // What is shown can be saved again, and is the same.
    await file('shown.yaml', stdout.slice(stdout.indexOf('\nname: ')));
    expect((await berth('blueprint', 'apply', 'shown.yaml')).stdout).toBe('Blueprint mac is saved as version 2.\n');
    expect((await berth('blueprint', 'disable', 'mac', '--reason', 'no licences')).stdout).toBe('Blueprint mac is disabled.\n');
    const [view, refused, list] = await Promise.all([json<BlueprintView>('blueprint', 'show', 'mac'), refusal('lease', 'request', '--type', 'host', '--blueprint', 'mac'), berth('blueprint', 'list')]);
    expect(view).toMatchObject({ enabled: false, disabledReason: 'no licences', version: 2, spec: { rank: 7 } });
    expect(refused).toMatchObject({ exit: 1, code: 'unservable', message: expect.stringContaining('disabled: no licences') });
    expect(list.stdout).toMatch(/^mac +host +0 +0 +disabled +2 +hosts among the enrolled machines$/m);
    expect((await berth('blueprint', 'enable', 'mac')).stdout).toBe('Blueprint mac is enabled.\n');
    expect(await http('GET', 'blueprints/mac')).toMatchObject({ status: 200, body: { enabled: true } });
    expect((await berth('blueprint', 'remove', 'mac')).stdout).toBe('Blueprint mac is removed.\n');
    const [again, show, builtIn] = await Promise.all([refusal('blueprint', 'remove', 'mac'), berth('blueprint', 'show', 'mac'), berth('blueprint', 'remove', 'local')]);
    expect(again).toMatchObject({ exit: 1, code: 'unknown-blueprint' });
    expect(show).toEqual({ code: 1, stdout: '', stderr: 'berth: There is no blueprint "mac": `berth blueprint list` shows what there is.\n' });
    expect(builtIn).toMatchObject({ code: 1, stderr: expect.stringContaining('disable it instead') });
  });

  test.each([
    ['an unknown field', 'name: a\nkind: preallocated\nslot: 3\n', /^berth: Nothing is saved\. bad\.yaml, document 1 \(a\): line 3, column 1: unknown key "slot": remove it or correct its spelling\.\n$/],
    ['an unknown field inside', 'name: a\nkind: preallocated\nlimits:\n  lease: 3\n', /^berth: Nothing is saved\. bad\.yaml, document 1 \(a\): limits: line 4, column 3: unknown key "lease".*\n$/],
    ['no AMI', 'name: a\nkind: ec2\nregion: eu-central-1\nimage: { ami: my-image }\ntypes: [{ type: c7i.large }]\nuser: x\ncredential: agent\n', /^berth: Nothing is saved\. bad\.yaml, document 1 \(a\): image\.ami: line 4, column 10: use an image id such as ami-0123456789abcdef0\.\n$/],
    ['an impossible expression', 'name: a\nkind: preallocated\nmachines: { cpus: ">=8 <4" }\n', /^berth: Nothing is saved\. bad\.yaml, document 1 \(a\): machines\.cpus: line 3, column 13: ">=8 <4" can never be true: no value is in that range\.\n$/],
    ['no account', 'name: a\nkind: ec2\nregion: eu-central-1\nimage: { ami: ami-0123456789abcdef0 }\ntypes: [{ type: c7i.large }]\nuser: x\ncredential: agent\n', /^berth: bad\.yaml, document 1 \(a\): a is not saved: .*line \d, column 1: the credentials.*\n$/],
  ])('%s is one sentence that says where', async (_name, text, sentence) => {
    await file('bad.yaml', text);
    const [told, data] = await Promise.all([berth('blueprint', 'apply', 'bad.yaml'), refusal('blueprint', 'apply', 'bad.yaml')]);
    expect(told).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(sentence) });
    expect(data).toMatchObject({ exit: 1, errors: [{ field: expect.stringMatching(/^bad\.yaml, document 1 \(a\)/), message: expect.stringMatching(/^line \d, column \d+: /) }] });
    expect((await http('GET', 'blueprints/a')).status).toBe(404);
  });

  test('why: who is in the way and until when, at this moment and as it was', async () => {
    const holder = await request('bob', { machine: 'box1' }, { until: new Date(Date.now() + 12 * 60_000).toISOString() });
    await active(holder);
    const [first, second] = [await request('ada', { machine: 'box1' }), await request('eve', { machine: 'box1' })];
    await Promise.all([first, second].map(explained));
    const { code, stdout, stderr } = await berth('why', second);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^lease +\S+\nwants +host machine=box1\nowner +eve\nnow +pending\nas of +now\n\nBLUEPRINT +RESOURCE +REASON +UNTIL\npreallocated +box1 +no free slot: held by bob until (\S+ )?\S+Z +in 11m \d+s\n/);
    expect(stdout).toMatch(/^next +the lease of bob on box1 ends, unless it is renewed\nby +\S+ \(in 11m \d+s\)\nahead +1$/m);
    expect(stdout.match(/bob until/g)).toHaveLength(1);
    const told = await json<LeaseExplanation>('why', second);
    expect(told).toMatchObject({ live: true, lease: { id: second }, explanation: { verdict: 'wait', ahead: 1, considered: expect.arrayContaining([expect.objectContaining({ name: 'box1', code: 'no-free-slot', holders: [{ lease: holder, owner: 'bob', until: expect.any(String) }] })]) } });
    expect((await berth('lease', 'priority', second, '200')).stdout).toBe(`Lease ${second} has priority 200.\n`);
    expect(await json('why', second)).toMatchObject({ explanation: { ahead: 0 } });

    const then = new Date().toISOString();
    await release(holder);
    await active(second);
    const [past, { position }, before, soon, nobody] = await Promise.all([
      berth('why', second, '--at', then), json<LeaseExplanation>('why', second, '--at', then), berth('why', second, '--at', '2020-01-01T00:00:00Z'), refusal('why', second, '--at', 'soon'), refusal('why', 'nobody'),
    ]);
    expect(past.stdout).toMatch(/^now +active, served by preallocated: resource \S+ slot 0\nas of +\S+ \(.* ago, position \d+\)\n\nBLUEPRINT .*\npreallocated +box1 +no free slot: held by bob until/m);
    expect(await json('why', second, '--at', String(position))).toMatchObject({ live: false, position, explanation: { verdict: 'wait' } });
    expect(before.stdout).toContain('It did not wait then, as far as is known.');
    expect(soon).toMatchObject({ exit: 1, code: 'invalid-data', errors: [{ field: 'at' }] });
    expect(nobody).toMatchObject({ exit: 1, message: expect.stringContaining('nobody') });
    await release(second, first);
  });

  test('a request: what would become of it, at once or not at all, for so long, and what it would rather have', async () => {
    const ask = ['lease', 'request', '--type', 'host', '--attribute'];
    const [at1, never, impossible, unservable] = await Promise.all([berth(...ask, 'cpus>=1', 'machine=box1', '--dry-run'), berth(...ask, 'cpus>=100000', '--dry-run'), berth(...ask, 'cpus>=8 <4'), refusal(...ask, 'cpus>=100000')]);
    expect(at1).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^It would be served at once\.\n/) });
    expect(never).toMatchObject({ code: 1, stderr: '', stdout: expect.stringMatching(/^It would be refused\.\n\nBLUEPRINT[^]*^preallocated +box2 +attribute cpus=\d+, wanted >=100000 +-$/m) });
    expect(impossible).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('can never be true') });
    expect(unservable).toMatchObject({ exit: 1, code: 'unservable', explanation: { verdict: 'never' } });
    const [one, preferred] = await Promise.all([json<LeaseView>(...ask, 'machine=box1'), json<LeaseView>(...ask, 'cpus>=1', '--prefer', 'machine=nowhere', '--prefer', 'machine=box2')]);
    expect(one).toMatchObject({ status: 'active', blueprint: 'preallocated', attributes: { machine: 'box1' } });
    expect(preferred).toMatchObject({ status: 'active', resource: (await http('GET', 'machines/box2')).body['resource'] });
    const [tried, waited] = await Promise.all([berth(...ask, 'machine=box1', '--try'), berth(...ask, 'machine=box1', '--wait-at-most', '1s')]);
    expect(tried).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(/^berth: .*box1.*\.\nBLUEPRINT/) });
    expect(waited).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(/^berth: The lease is refused: it waited for 1s: .*box1.*\.\nBLUEPRINT/m) });
    expect(await http('POST', 'leases', { type: 'host', attributes: { machine: 'box1' }, wait: 'no' })).toMatchObject({ status: 422, body: { code: 'unservable', explanation: { verdict: 'wait' } } });
    const { id: patient } = await json<{ id: string }>('lease', 'request', '--type', 'host', '--attribute', 'pool=later', '--wait', '--no-wait');
    expect(await lease(patient)).toMatchObject({ status: 'pending', wait: 'always' });
    await release(one.id, preferred.id, patient);
  });

  test('how much there is, and limits over all of it', async () => {
    const { stdout } = await berth('capacity', '--by', 'os');
    expect(stdout).toMatch(/^preallocated +3 +3 +0 +0 [^]*^all +\d+ [^]*^OS +SLOTS +FREE [^]*^linux +\d+ /m);
    expect(await json<CapacityView>('capacity', '--by', 'os')).toMatchObject({ by: 'os', blueprints: expect.arrayContaining([expect.objectContaining({ blueprint: 'preallocated', total: 3, free: 3 })]), values: [{ value: 'linux' }] });
    expect((await berth('quota', 'set', '--hosts', '9', '--owner', 'ci=1')).stdout).toMatch(/^host slots +0 in use, 9\nper owner +no limit\nlaunched resources +0 in use, no limit\n\nOWNER +HOST SLOTS +LIMIT\nci +0 +1\n$/);
    const ids = [await request('ci', { machine: 'box2' }), await request('ada', { machine: 'box2' })];
    await Promise.all(ids.map(active));
    expect(await json<QuotaView>('quota', 'show')).toMatchObject({ quota: { hosts: 9, owners: { ci: 1 } }, use: { hosts: 2 } });
    expect(await refusal('lease', 'request', '--type', 'host', '--owner', 'ci', '--try')).toMatchObject({ exit: 1, code: 'unservable', message: expect.stringContaining('quota') });
    expect(await refusal('quota', 'set', '--hosts', '1')).toMatchObject({ exit: 1, code: 'limit-in-use', errors: [{ field: 'hosts', message: expect.stringContaining('2 in use') }] });
    expect((await berth('quota', 'set', '--hosts', 'many')).code).toBe(2);
    await file('low.yaml', 'name: preallocated\nkind: preallocated\nlimits: { leases: 1 }\n');
    expect(await berth('blueprint', 'apply', 'low.yaml')).toMatchObject({ code: 1, stderr: expect.stringMatching(/^berth: low\.yaml, document 1 \(preallocated\): .*2 leases are in use[^]*limits\.leases: line 3, column 11: /) });
    await release(...ids);
    expect((await berth('quota', 'set', '--none')).stdout).toMatch(/^host slots +0 in use, no limit$/m);
  });

  test('a machine out of service and back, and the host of a lease', async () => {
    const shows = async () => (await http('GET', 'machines/box1')).body['state'];
    for (const [verb, words, said, state] of [
      ['quarantine', ['--for', '1h', '--reason', 'no space'], 'is quarantined.', 'quarantined'], ['unquarantine', [], 'is no longer quarantined.', 'active'],
      ['drain', ['--reason', 'new disk'], 'is draining.', 'draining'], ['undrain', [], 'is no longer draining.', 'active'],
    ] as const) {
      expect(await berth('machine', verb, 'box1', ...words)).toEqual({ code: 0, stdout: `box1 ${said}\n`, stderr: '' });
      expect([verb, await shows()]).toEqual([verb, state]);
    }
    expect(await http('POST', 'machines/box1/quarantine', { reason: 'over HTTP' })).toMatchObject({ status: 202, body: { id: 'box1' } });
    const [show, list, usage, unknown] = await Promise.all([berth('machine', 'show', 'box1'), berth('machine', 'list'), berth('machine', 'quarantine', 'box1'), refusal('machine', 'drain', 'nobody')]);
    expect(show.stdout).toMatch(/^state +quarantined\nquarantined +over HTTP; ends in \d/m);
    expect(list.stdout).toMatch(/^NAME +ADDRESS +PLATFORM +SLOTS +STATE .*\nbox1 +\S+ +linux +0\/1 +quarantined /);
    expect(usage).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--reason') });
    expect(unknown).toMatchObject({ exit: 1, code: 'unknown-machine' });
    await http('POST', 'machines/box1/end-quarantine', {});

    const id = await request('ada', { machine: 'box1' });
    await active(id);
    const held = await json<{ id: string }>('lease', 'hold', id, '--for', '1h', '--reason', 'why does the linker crash');
    const [resources, { items }] = await Promise.all([berth('resource', 'list', '--status', 'held'), json<Page<ResourceView>>('resource', 'list', '--status', 'held')]);
    expect(resources.stdout).toMatch(new RegExp(`^RESOURCE +NAME +BLUEPRINT +STATE +FREE +WHY +ATTRIBUTES\n${held.id} +box1 +preallocated +held +0/1 +why does the linker crash, ends in 59m \\d+s +os=`));
    expect(items).toMatchObject([{ id: held.id, name: 'box1', state: 'held', slots: 1, busy: 1, free: 0, held: { reason: 'why does the linker crash' } }]);
    expect((await berth('resource', 'unhold', held.id)).stdout).toBe(`${held.id} is no longer held.\n`);
    expect((await berth('resource', 'list', '--status', 'held')).stdout).toBe('No resources.\n');
    await release(id);
  });

  /** Lines of a document that are commands, in their order. */
  const commandsOf = async (name: string): Promise<string[]> => {
    const parts = (await readFile(join(CHECKOUT, 'docs', 'how-to', name), 'utf8')).split(/^```(\w*)\n([^]*?)^```$/m);
    return parts.flatMap((part, i) => (i % 3 === 1 ? [] : i % 3 === 2 ? (parts[i - 1] === 'sh' ? part.split('\n').filter((line) => line.startsWith('npx berth ')) : []) : [...part.matchAll(/`(npx berth [^`]+)`/g)].map(([, line]) => line!.replace(/\s+/g, ' '))));
  };

  test.each([
    // There is no account here: what the provider would say is left out.
    ['blueprints.md', { 'npx berth blueprint apply linux-ec2.yaml': 'npx berth blueprint apply --no-check linux-ec2.yaml' }],
    ['why-is-it-pending.md', { "npx berth lease request --type host --attribute 'cpus>=8' --dry-run": "npx berth lease request --type host --attribute 'cpus>=1' --dry-run" }],
    ['quotas-and-fairness.md', {}],
    ['take-a-host-out-of-service.md', {}],
    ['work-on-a-leased-host.md', {}],
  ])('every command of %s does as it says', { timeout: 90_000 }, async (name, instead: Record<string, string>) => {
    await file('notes.txt', 'what was seen\n');
    const running = await request('ada', { machine: 'box2' });
    await active(running);
    const waiting = await request('ada', { pool: 'later' }, { wait: 'always' });
    await explained(waiting);
    await httpClient({ url, token }).plans.apply('name: PLAN\nsteps: [{ name: Do, run: "true" }]\n');
    const resource = (await http('GET', 'machines/box2')).body['resource'] as string;
    const commands = await commandsOf(name);
    expect(commands.length).toBeGreaterThan(2);
    for (const command of commands) {
      const line = (instead[command] ?? command).replace(/\bLEASE\b/, running).replace(/\bID\b/, command.includes('resource') ? resource : waiting);
      const { code, stderr } = await asWritten(line);
      expect.soft([command, code, stderr]).toEqual([command, 0, '']);
    }
    await release(running, waiting);
    await http('PUT', 'quota', {});
  });
});
