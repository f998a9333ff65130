import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { tempFolder } from '../../../../test/support/cleanup.js';
import { fakeBerth, type FakeBerth } from '../fake-berth.testing.js';

let fake: FakeBerth;
let folder: string;
beforeAll(async () => {
  [fake, folder] = await Promise.all([fakeBerth(), tempFolder('hardware')]);
});

const file = async (name: string, text: string) => {
  await writeFile(join(folder, name), text);
  return join(folder, name);
};
const page = (...items: unknown[]) => [200, { items, cursor: null }] as const;
const problem = (status: number, code: string, detail: string, errors: unknown[] = []) => [status, { code, detail, errors }] as const;
const spec = { name: 'mac-7', address: '10.0.0.7', platform: 'mac', workers: [{ id: 'w-7', group: 'releng' }], groups: ['macs'], interfaces: { ipmi: { address: '10.1.0.7', port: 623, user: 'root', password: 'ipmi-macs' } } };
const loan = { job: 'j', to: 'ada', status: 'PENDING', steps: [{ text: 'make an account', done: '2030-01-01T00:00:00Z', by: 'token:ops' }, { text: 'take the secrets off', done: null, by: null }], lease: null, requested: '2030-01-01T00:00:00Z', activated: null };
const view = { ...spec, enrolled: true, loan, set: '2030-01-01T00:00:00Z', by: 'token:admin' };
const hardware = (...words: string[]) => fake.berth('hardware', ...words);

test('machines are listed by what they are asked for, and one is shown with its loan and as YAML that can be set again', async () => {
  fake.routes({ 'GET hardware': page(view, { ...view, name: 'bare', enrolled: false, loan: null, workers: [], groups: [], interfaces: {} }), 'GET hardware/mac-7': [200, view], 'PUT hardware/mac-7': [201, { id: 'mac-7', name: 'mac-7' }] });
  const { stdout } = await hardware('list', '--group', 'macs', '--worker', 'w-7', '--interface', 'ipmi', '--status', 'lent');
  expect(stdout).toMatch(/^NAME +ADDRESS +ENROLLED +GROUPS +WORKERS +INTERFACES +LOAN\nmac-7 +10\.0\.0\.7 +yes +macs +w-7 +ipmi +PENDING to ada\nbare +10\.0\.0\.7 +no +- +- +- +-\n$/);
  expect(Object.fromEntries(new URLSearchParams(fake.asked[0]!.path.slice(9)))).toEqual({ group: 'macs', worker: 'w-7', interface: 'ipmi', status: 'lent', limit: '1000' });
  const shown = (await hardware('show', 'mac-7')).stdout;
  expect(shown).toMatch(/^machine +mac-7\nenrolled +yes\nset +in .* by token:admin\n\nloan to ada: PENDING\n {2}step 0 {2}done in .* by token:ops {2}make an account\n {2}step 1 {2}to do {2}take the secrets off\n\nname: mac-7\n/);
  const yaml = shown.slice(shown.indexOf('\nname: '));
  expect(parse(yaml)).toEqual(spec);
  expect(await fake.piped(yaml, 'hardware', 'set', '-')).toEqual({ code: 0, stdout: 'Machine mac-7 is set.\n', stderr: '' });
  expect(fake.asked.at(-1)!.body).toEqual(spec);
  fake.routes({ 'GET hardware': page(), 'GET hardware/x': problem(404, 'unknown-hardware', 'There is no hardware "x": /api/v1/hardware shows what there is.') });
  expect((await hardware('list')).stdout).toContain('`berth hardware set FILE`');
  expect(await hardware('show', 'x')).toEqual({ code: 1, stdout: '', stderr: 'berth: There is no hardware "x": `berth hardware list` shows what there is.\n' });
});

describe('berth hardware set', () => {
  test.each([
    ['name: a\naddress: h\ninterfaces:\n  ipmi: {address: h, user: root, pasword: x}\n', /^berth: Nothing is saved\. \S+bad\.yaml, document 1 \(a\): interfaces\.ipmi\.password: line 4, column 3: is required.*and more[^]*interfaces\.ipmi: line 4, column 34: unknown key "pasword"/],
    ['name: a\naddress: "; echo foo"\n', /document 1 \(a\): address: line 2, column 1: use a host name or an IP address\.\n$/],
    ['name: a\naddress: [h\n', /document 1: line 3, column 1: Flow sequence/],
    ['name: a\naddress: h\n---\nname: a\naddress: h\n', /document 2 \(a\): name: line 4, column 1: a is in document 1 already/],
    ['', /^berth: The file says nothing of any machine: `berth hardware set --help` shows an example\.\n$/],
    ['just a text', /document 1: line 1, column 1: /],
  ])('%j is refused with its place, and nothing is sent', async (text, message) => {
    fake.routes({});
    expect(await hardware('set', await file('bad.yaml', text))).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(message) });
    expect(fake.asked).toEqual([]);
  });

  test('no file; and what the service refuses gets its place in the file, and what was saved before it', async () => {
    expect(await hardware('set', '/nowhere/x.yaml')).toEqual({ code: 1, stdout: '', stderr: "berth: /nowhere/x.yaml can't be read (ENOENT).\n" });
    const two = await file('two.yaml', 'name: a\naddress: h\n---\nname: b\naddress: h\ngroups: [nobody]\n');
    const message = 'has nobody, which is not a group';
    fake.routes({ 'PUT hardware/a': [201, { id: 'a', name: 'a' }], 'PUT hardware/b': problem(422, 'unknown-hardware-group', 'There is no group nobody.', [{ field: 'groups', message }]) });
    expect(await hardware('set', two)).toEqual({ code: 1, stdout: '', stderr: `berth: ${two}, document 2 (b): There is no group nobody. Saved before it: a.\n  ${two}, document 2 (b): groups: line 6, column 1: ${message}\n` });
  });
});

test('groups are set, listed and removed', async () => {
  const group = { name: 'macs', escalation: [{ method: 'ssh_reboot', timeout: 60_000 }, { method: 'file_ticket' }], loanSteps: ['make an account'], mail: ['ops@example.com'], machines: ['mac-7', 'mac-8'], set: '', by: '' };
  fake.routes({ 'PUT hardware-groups/macs': [201, { id: 'macs', name: 'macs' }], 'GET hardware-groups': page(group, { ...group, name: 'plain', escalation: undefined, loanSteps: undefined, mail: [], machines: [] }), 'DELETE hardware-groups/macs': problem(409, 'hardware-in-use', 'Group macs has machines in it.') });
  const text = 'name: macs\nescalation: [{method: ssh_reboot, timeout: 1m}]\n';
  expect(await hardware('group', 'set', await file('macs.yaml', text))).toEqual({ code: 0, stdout: 'Group macs is set.\n', stderr: '' });
  expect(fake.asked[0]!.body).toEqual(parse(text));
  expect((await hardware('groups')).stdout).toMatch(/^GROUP +MACHINES +REBOOT +LOAN STEPS +MAIL\nmacs +mac-7, mac-8 +ssh_reboot, file_ticket +1 +ops@example\.com\nplain +- +all methods +0 +-\n$/);
  expect(await hardware('group', 'remove', 'macs')).toEqual({ code: 1, stdout: '', stderr: 'berth: Group macs has machines in it.\n' });
  expect((await hardware('group', 'set', await file('bad.yaml', 'name: g\nescalation: [{method: kick}]\n'))).stderr).toMatch(/document 1 \(g\): escalation\[0\]\.method: line 2, column 15: /);
});

describe('berth hardware import', () => {
  const text = 'groups:\n  - {name: macs}\nhardware:\n  - {name: mac-7, address: 10.0.0.7, interfaces: {ipmi: {address: h, port: 624, user: root, password: x}}}\n  - {name: mac-8, address: 10.0.0.8, groups: [nobody]}\n';
  const told = (dryRun: boolean, error: unknown = null) => ({
    dryRun, groups: [{ name: 'macs', change: 'same', paths: [], error: null }],
    hardware: [{ name: 'mac-7', change: 'changed', paths: ['interfaces.ipmi.port', 'groups'], error: null }, { name: 'mac-8', change: 'added', paths: [], error }, { name: 'old', change: 'removed', paths: [], error: null }],
  });
  const before = [200, { groups: [{ name: 'macs', mail: [] }], hardware: [spec] }] as const;

  test('a dry run prints by name what would be different', async () => {
    fake.routes({ 'GET hardware/export': before, 'POST hardware/import': [200, told(true)] });
    expect(await hardware('import', await file('fleet.yaml', text), '--dry-run', '--prune')).toEqual({
      code: 0, stderr: '',
      stdout: 'changed  machine mac-7\n  interfaces.ipmi.port: 623 -> 624\n  groups: ["macs"] -> []\nadded  machine mac-8\nremoved  machine old\n1 added, 1 changed, 1 removed, 1 the same: nothing is done, this is a dry run.\n',
    });
    expect(fake.asked.at(-1)).toEqual({ method: 'POST', path: 'hardware/import?dryRun=true&prune=true', body: parse(text) });
  });

  test('one that is refused is told with its line, and the command ends with 1', async () => {
    fake.routes({ 'GET hardware/export': before, 'POST hardware/import': [200, told(false, { code: 'unknown-hardware-group', message: 'There is no group nobody.' })] });
    const { code, stdout } = await hardware('import', await file('fleet.yaml', text));
    expect([code, stdout]).toEqual([1, expect.stringContaining('added not  machine mac-8\n  refused: line 5, column 5: There is no group nobody.\nremoved  machine old\n0 added, 1 changed, 1 removed, 1 the same, 1 refused.\n')]);
    expect(fake.asked.at(-1)!.path).toBe('hardware/import');
  });

  test.each([
    ['hardware:\n  - {name: a}\n', /document 1: hardware\[0\]\.address: line 2, column 5: /],
    ['machines: []\n', /document 1: line 1, column 1: unknown key "machines"/],
    ['hardware: []\n---\nhardware: []\n', /an import is one document/],
    ['# nothing\n', /is empty: `berth hardware import --help` shows what it says/],
  ])('%j is refused with its place', async (bad, message) => {
    fake.routes({});
    expect(await hardware('import', await file('bad.yaml', bad))).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(message) });
    expect(fake.asked).toEqual([]);
  });

  test('what is exported can be imported again', async () => {
    const document = { groups: [{ name: 'macs', escalation: [{ method: 'ssh_reboot', timeout: 90_000, downWithin: 60_000, upWithin: 300_000 }], mail: [] }], hardware: [spec] };
    fake.routes({ 'GET hardware/export': [200, document], 'POST hardware/import': [200, { dryRun: false, groups: [], hardware: [] }] });
    const { stdout } = await hardware('export');
    expect(stdout).toContain('timeout: 1m30s\n');
    expect((await fake.piped(stdout, 'hardware', 'import', '-')).stdout).toBe('0 added, 0 changed, 0 removed, 0 the same.\n');
    expect(JSON.parse((await hardware('export', '--json')).stdout)).toEqual(document);
  });
});

test('a step of a loan, an installation that has finished, and a machine that is not managed any more', async () => {
  const key = 'ssh-ed25519 AAAA root@mac-7';
  fake.routes({ 'POST hardware/mac-7/loan/steps/1': [202, { id: 'mac-7' }], 'GET hardware/mac-7': [200, view], 'POST machines/mac-7/installed': [202, { id: 'j1' }], 'DELETE hardware/mac-7': [202, { id: 'mac-7' }] });
  expect((await hardware('loan-step', 'mac-7', '1')).stdout).toMatch(/^Step 1 is done\.\nloan to ada: PENDING\n/);
  expect(await hardware('loan-step', 'mac-7', 'first')).toMatchObject({ code: 2, stderr: expect.stringContaining('A step is a number from 0 on, not "first"') });
  fake.asked.length = 0;
  expect((await hardware('installed', 'mac-7')).stdout).toBe('Job j1 knows that mac-7 is installed.\n');
  await hardware('installed', 'mac-7', '--host-key-file', await file('key.pub', `${key}\n`));
  expect(fake.asked.map(({ body }) => body)).toEqual([{}, { hostKey: key }]);
  expect(await hardware('installed', 'mac-7', '--host-key-file', await file('key', '-----BEGIN OPENSSH PRIVATE KEY-----\n'))).toMatchObject({ code: 1, stderr: expect.stringContaining('is no public key of OpenSSH') });
  expect(await hardware('installed', 'mac-7', '--host-key-file', '/nowhere')).toMatchObject({ code: 1, stderr: "berth: /nowhere can't be read (ENOENT).\n" });
  expect(fake.asked).toHaveLength(2);
  expect((await hardware('remove', 'mac-7')).stdout).toBe('mac-7 is not managed any more.\n');
});
