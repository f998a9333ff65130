import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tempFolder } from '../support/cleanup.js';
import { onLive } from '../support/on-live.js';
import { startTestSshd } from '../support/sshd.js';
import { eventually } from '../support/wait.js';

const SOON = { timeoutMs: 20_000, everyMs: 50 };
const short = (id: string): string => id.slice(0, 8);

const on = onLive();

describe('leases', () => {
  test('one is released: pending until the feed shows it, and gone from the list without a reload', async () => {
    const window = await on.open();
    const { page } = window;
    const { id } = await on.live.berth.leases.request({ type: 'host', owner: 'linus', attributes: { gpu: 'yes' } });
    await window.go('/leases?owner=linus', 'Leases');
    await page.getByRole('button', { name: `Release lease ${short(id)}` }).click();
    const dialog = page.getByRole('dialog', { name: `Release lease ${short(id)}` });
    await dialog.getByLabel('Why').fill('not needed any more');
    expect(await window.barriers()).toEqual([]);
    await dialog.getByRole('button', { name: 'Release', exact: true }).click();
    await page.getByRole('status').getByText(`Release of lease ${short(id)}: done`).waitFor();
    await page.getByRole('link', { name: short(id) }).waitFor({ state: 'detached' });
    expect(await on.live.berth.leases.get(id)).toMatchObject({ status: 'destroyed', reason: 'not needed any more' });
  });

  test('what others do is seen without a reload, in a list and on a page', async () => {
    const window = await on.open();
    const { page } = window;
    await window.go('/leases?owner=margaret', 'Leases');
    await page.getByText('Nobody holds anything or waits for it.').waitFor();
    const { id } = await on.live.berth.leases.request({ type: 'host', owner: 'margaret', attributes: { gpu: 'yes' } });
    await page.getByRole('link', { name: short(id) }).click();
    await page.getByText('Why it waits').waitFor();
    await on.live.berth.leases.release(id);
    await page.getByText('Given back').or(page.getByText('Refused')).first().waitFor();
    await page.getByRole('button', { name: `Release lease ${short(id)}` }).waitFor({ state: 'detached' });
  });

  test('of many only those in view are in the page, and the next come as one scrolls', async () => {
    const window = await on.open();
    const { page } = window;
    const ask = async (): Promise<string> => (await on.live.berth.leases.request({ type: 'host', owner: 'swarm', attributes: { gpu: 'yes' } })).id;
    // Only which are the first and the last matters.
    const ids = [await ask()];
    for (let i = 0; i < 6; i++) ids.push(...(await Promise.all(Array.from({ length: 43 }, ask))));
    ids.push(await ask());
    await window.go('/leases?owner=swarm', 'Leases');
    const table = page.getByRole('table', { name: 'Leases' });
    await table.getByRole('link', { name: short(ids.at(-1)!), exact: true }).waitFor();
    expect(await table.getByRole('row').count()).toBeLessThan(80);
    const box = page.getByRole('group', { name: 'Leases, list' });
    await eventually(async () => {
      await box.evaluate((element: { scrollTop: number; scrollHeight: number }) => (element.scrollTop = element.scrollHeight));
      return (await table.getByRole('link', { name: short(ids[0]!), exact: true }).count()) === 1;
    }, SOON);
    expect(await table.getByRole('row').count()).toBeLessThan(80);
    expect(await table.getAttribute('aria-rowcount')).toBe('261');
    for (let i = 0; i < ids.length; i += 52) await Promise.all(ids.slice(i, i + 52).map((id) => on.live.berth.leases.release(id)));
  });

  test('a terminal shows what is typed and printed, has the size of the page, and says how it ended', async () => {
    const window = await on.open();
    const { page } = window;
    await window.go(`/leases/${on.live.held}`, /Lease/);
    await page.getByRole('link', { name: 'Terminal' }).click();
    await page.getByRole('status').getByText('open').waitFor();
    await page.keyboard.type('PS1="> "; clear; stty size; printf "$((6 * 7)) is the answer, Zo\\303\\253\\n"\n');
    const screen = page.locator('.xterm-accessibility');
    await eventually(async () => /42 is the answer, Zoë/.test(await screen.innerText()), SOON);
    const [, rows, columns] = /(\d+) (\d+)/.exec(await screen.innerText().then((text) => text.split('\n').find((line) => /^\d+ \d+\s*$/.test(line)) ?? '')) ?? [];
    expect([Number(rows) > 20, Number(columns) > 100]).toEqual([true, true]);
    expect(await window.barriers()).toEqual([]);
    await window.picture('terminal');
    await page.keyboard.type('exit 3\n');
    await page.getByText('Exit code 3.').waitFor();
    await page.getByRole('button', { name: 'Open another' }).click();
    await page.getByRole('status').getByText('open').waitFor();
  });
});

describe('machines', () => {
  test('one is added once the key that it shows was compared; what is wrong is told beside its field', async () => {
    const window = await on.open();
    const { page } = window;
    const { sshd } = on.live;
    await window.go('/machines', 'Machines');
    await page.getByRole('button', { name: 'Add a machine' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add a machine' });
    await dialog.getByLabel('Name').fill('dolly');
    await dialog.getByLabel('Address').fill(sshd.host);
    await dialog.getByLabel('Port').fill(String(sshd.port));
    await dialog.getByLabel('User').fill(sshd.user);
    await dialog.getByLabel('Credential').fill('file:/no/such/key');
    await dialog.getByRole('button', { name: 'Test the connection' }).click();
    await dialog.getByText(/can't be used: give agent/).waitFor();
    expect(await dialog.getByLabel('Credential').getAttribute('aria-invalid')).toBe('true');
    expect(await window.barriers()).toEqual([]);
    await dialog.getByLabel('Credential').fill(`file:${sshd.privateKeyPath}`);
    await dialog.getByRole('button', { name: 'Test the connection' }).click();
    const file = join(await tempFolder('key'), 'key.pub');
    await writeFile(file, `${sshd.hostKeyPublic}\n`);
    await dialog.getByText(execFileSync('ssh-keygen', ['-lf', file], { encoding: 'utf8' }).split(' ')[1]!).waitFor();
    await window.picture('machine-add');
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await dialog.getByText('Compare the fingerprint and confirm it first.').waitFor();
    await dialog.getByRole('checkbox').check();
    await dialog.getByLabel('Attributes').fill('pool=loft\nno pair');
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await dialog.getByText('"no" is not of the form name=value').waitFor();
    await dialog.getByLabel('Attributes').fill('pool=loft floor=3');
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('link', { name: 'dolly' }).waitFor();
    expect(await on.live.berth.machines.get('dolly')).toMatchObject({ attributes: { pool: 'loft', floor: '3' }, port: sshd.port });
  });

  test('one is edited: what is touched is sent, how Berth gets in is tried first, and a key that is not the known one is compared', async () => {
    const window = await on.open();
    const { live } = on;
    const { page } = window;
    const [{ sshd }, other] = [live, await startTestSshd()];
    await live.berth.machines.add({ name: 'fable', address: sshd.host, port: sshd.port, user: sshd.user, credential: `file:${sshd.privateKeyPath}`, folder: await tempFolder('fable'), attributes: { pool: 'fable', floor: '3' } });
    const waiting = await live.berth.leases.request({ type: 'host', owner: 'emmy', project: 'widgets', attributes: { pool: 'fable', gpu: 'fast' }, wait: 'always' });
    await window.go('/machines/fable', /fable/);
    const edit = async () => {
      await page.getByRole('button', { name: 'Edit' }).click();
      return page.getByRole('dialog', { name: 'Edit fable' });
    };
    const dialog = await edit();
    expect(await window.barriers()).toEqual([]);
    const save = dialog.getByRole('button', { name: 'Save' });
    await save.click();
    await dialog.getByText('Nothing is otherwise than it was.').waitFor();
    await dialog.getByLabel('Slots').fill('none');
    await save.click();
    await eventually(async () => (await dialog.getByLabel('Slots').getAttribute('aria-invalid')) === 'true', SOON);
    expect(await window.barriers()).toEqual([]);
    await dialog.getByLabel('Slots').fill('2');
    await dialog.getByLabel('Attributes').fill('pool=fable gpu=fast');
    await dialog.getByLabel('Projects that may use it').fill('widgets');
    await dialog.getByLabel('Owners who may use it').fill('ada\nemmy');
    // Meanwhile somebody else changes what this form does not touch.
    await live.berth.machines.change('fable', { platform: 'linux', attributes: { rack: 'r1' } });
    await page.getByText(/rack[ =]r1/).waitFor();
    await window.picture('machine-edit');
    await save.click();
    await page.getByText('project widgets; owners ada, emmy').waitFor();
    expect(await live.berth.machines.get('fable')).toMatchObject({ slots: 2, attributes: { pool: 'fable', gpu: 'fast', rack: 'r1' }, allow: { projects: ['widgets'], owners: ['ada', 'emmy'] } });
    expect((await live.berth.machines.get('fable')).attributes).not.toHaveProperty('floor');
    await eventually(async () => (await live.berth.leases.get(waiting.id)).status === 'active', SOON);

    await edit();
    await dialog.getByText('What runs on it goes on as it was.').waitFor();
    await dialog.getByLabel('Port').fill(String(other.port));
    await dialog.getByLabel('Credential').fill(`file:${other.privateKeyPath}`);
    await save.click();
    await dialog.getByText('Test the connection first').waitFor();
    await dialog.getByRole('button', { name: 'Test the connection' }).click();
    await dialog.getByText('This is the fingerprint').waitFor();
    await save.click();
    await dialog.getByText('Compare the fingerprint and confirm it first.').waitFor();
    await dialog.getByRole('checkbox').check();
    await save.click();
    await page.getByText(`${other.user}@${other.host}:${other.port}`).waitFor();
    expect((await live.berth.machines.get('fable')).hostKey).toContain(other.hostKeyPublic.split(' ')[1]!);
    expect((await live.berth.leases.get(waiting.id)).status).toBe('active');

    await edit();
    await dialog.getByRole('button', { name: 'Test the connection' }).click();
    await dialog.getByText('It is the key that fable is known by.').waitFor();
    await page.keyboard.press('Escape');
    await live.berth.leases.release(waiting.id);
  });

  test('one is drained and taken back, and removed', async () => {
    const window = await on.open();
    const { page } = window;
    const { sshd } = on.live;
    await on.live.berth.machines.add({ name: 'ewer', address: sshd.host, port: sshd.port, user: sshd.user, credential: `file:${sshd.privateKeyPath}`, folder: await tempFolder('ewer') });
    await eventually(async () => (await on.live.berth.machines.get('ewer')).state === 'active', SOON);
    await window.go('/machines/ewer', /ewer/);
    await page.getByRole('button', { name: 'Drain' }).click();
    await page.getByRole('dialog').getByLabel('Why').fill('a new disk');
    await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click();
    await page.getByText('a new disk').waitFor();
    await page.getByText('draining', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'End drain' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'End drain' }).click();
    await page.getByText('active', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Quarantine' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Quarantine' }).click();
    await page.getByRole('dialog').getByRole('alert').waitFor();
    expect(await page.getByRole('dialog').getByLabel('Why').getAttribute('aria-invalid')).toBe('true');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('heading', { level: 1, name: 'Machines' }).waitFor();
    await page.getByRole('link', { name: 'ewer' }).waitFor({ state: 'detached' });
  });
});

describe('blueprints', () => {
  test('one is written, with what is wrong by line; enabled, disabled, removed', async () => {
    const window = await on.open();
    const { page } = window;
    await window.go('/blueprints', 'Blueprints');
    await page.getByRole('button', { name: 'New blueprint' }).click();
    const text = page.getByRole('textbox', { name: 'Specification' });
    await text.fill('name: redis\nkind: service\nstart: "true"\nrank: many\nport:\n  from: 70000\n  to: 7\n');
    await page.getByRole('button', { name: 'Save' }).click();
    const faults = page.getByRole('list', { name: 'What is wrong' });
    await faults.getByRole('button', { name: 'line 4' }).waitFor();
    expect(await faults.innerText()).toContain('port.from');
    expect(await window.barriers()).toEqual([]);
    await window.picture('blueprint-faults');
    await faults.getByRole('button', { name: 'line 4' }).click();
    expect(await text.evaluate((area: { value: string; selectionStart: number; selectionEnd: number }) => area.value.slice(area.selectionStart, area.selectionEnd))).toBe('rank: many');
    await text.fill('name: redis\nkind: service\n  start: x');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('This is not YAML').waitFor();
    await text.fill('{"name": "redis", "kind": "service", "start": "true", "allow": {"owners": ["ada"]}}');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('link', { name: 'redis' }).click();
    await page.getByText('owner ada').waitFor();
    await page.getByRole('button', { name: 'Disable' }).click();
    await page.getByRole('dialog').getByLabel('Why').fill('moved away');
    await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
    await page.getByText('moved away').waitFor();
    await page.getByRole('button', { name: 'Enable' }).click();
    await page.getByText('enabled', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Edit' }).click();
    await text.fill((await text.inputValue()).replace('rank: 100', 'rank: 7'));
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('version 2').waitFor();
    expect((await on.live.berth.blueprints.get('redis')).spec.rank).toBe(7);
    await page.getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('heading', { level: 1, name: 'Blueprints' }).waitFor();
    await page.getByRole('link', { name: 'redis' }).waitFor({ state: 'detached' });
  });
});
