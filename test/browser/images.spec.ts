import { randomBytes } from 'node:crypto';
import { readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { openWindow, startBrowser, type Window } from '../support/browser.js';
import { tempFolder } from '../support/cleanup.js';
import { connectTo, imageWriter } from '../support/images.js';
import { startTestNats, type TestNats } from '../support/nats.js';
import { onLive } from '../support/on-live.js';
import { eventually } from '../support/wait.js';

const SOON = { timeoutMs: 30_000, everyMs: 50 };
const template = (name: string, host: string, more = '') => `name: ${name}\ndescription: the ${name} of the shop\nos: { name: debian, version: "12" }\n${more}targets:\n  mock: { host: ${host} }\n`;

let nats: TestNats;
// On a bus that specs may write to: some images are there from the beginning.
const on = onLive(async () => ({ NATS_URL: (nats = await startTestNats()).url }));
/** What a test of a channel waits for, and what it says. */
let verdict: string;

beforeAll(async () => {
  const { berth, sshd } = on.live;
  verdict = join(await tempFolder('verdict'), 'verdict');
  await berth.providers.set('shelf', { kind: 'mock', description: 'tries out what stands around images' });
  for (const account of ['eu', 'us-failing']) await berth.accounts.set(account, { provider: 'shelf' });
  await berth.environments.set('stage', { targets: ['mock'], accounts: ['eu', 'us-failing'] });
  await berth.environments.set('eu-only', { targets: ['mock'], accounts: ['eu'] });
  await berth.pools.set('shop', { environment: 'eu-only' });
  await berth.catalogs.set('shop', { pool: 'shop', description: 'what runs the shop' });
  await berth.images.save({ source: template('cart', '{ gpu: "yes" }'), environment: 'eu-only' });
  await berth.images.save({ source: template('till', '{ pool: day }'), environment: 'eu-only' });
  await berth.images.save({ source: template('sick', '{ pool: day }').replace('host: { pool: day }', 'host: { pool: day }, outcome: failed'), environment: 'eu-only' });
  for (const image of ['cart', 'till']) await berth.deployables.set(image, { catalogs: ['shop'], image });
  await berth.plans.apply(`name: smoke\nhost: {}\nsteps:\n  - { name: Probe, run: "until test -e ${verdict}; do sleep 0.1; done; grep -q fine ${verdict}" }\n`);
  // Stands for a host that was booted from the first version of `web`.
  await berth.machines.add({ name: 'booted', address: sshd.host, port: sshd.port, user: sshd.user, credential: `file:${sshd.privateKeyPath}`, platform: 'linux', slots: 1, attributes: { image: 'web', imageVersion: '1' }, folder: await tempFolder('booted') });
  await eventually(async () => expect((await berth.machines.get('booted')).state).toBe('active'), SOON);
});

/** Nothing serious, light and dark. */
async function lookedAt({ page, barriers, picture }: Window, name?: string): Promise<void> {
  expect(await barriers()).toEqual([]);
  if (name !== undefined) await picture(name);
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await barriers()).toEqual([]);
  await page.emulateMedia({ colorScheme: 'light' });
}

const board = ({ page }: Window, image: string) => page.getByRole('table', { name: `Board of ${image}` });
/** The cell of a version in an account. */
const cell = (window: Window, image: string, version: string, nth: number) => board(window, image).getByRole('row').filter({ has: window.page.getByRole('rowheader', { name: version }) }).getByRole('cell').nth(nth);
const newest = async (image: string) => (await on.live.berth.versions.list({ image, all: true })).items[0]!;
/** Built and at rest. */
async function built(image: string): Promise<string> {
  const { id } = await on.live.berth.images.buildAll(image);
  await eventually(async () => expect(await on.live.berth.versions.get(id)).toMatchObject({ status: 'COMPLETE' }), SOON);
  return id;
}

describe('images', () => {
  test('one is written, with what is wrong by line, and saved with where it belongs', async () => {
    const window = await on.open();
    const { page } = window;
    await window.go('/images', 'Images');
    await page.getByRole('table', { name: 'Images' }).getByRole('link', { name: 'cart' }).waitFor();
    await page.getByRole('button', { name: 'New image' }).click();
    const text = page.getByRole('textbox', { name: 'Template' });
    await text.fill('name: web\nos:\n  name: Debian Linux\n  version: "12"\ntargets:\n  mock: { host: { pool: day } }\n');
    await page.getByRole('button', { name: 'Check' }).click();
    const wrong = page.getByRole('list', { name: 'What is wrong' });
    await wrong.getByRole('button', { name: /^line 3/ }).click();
    expect(await page.evaluate('(({ value, selectionStart, selectionEnd }) => value.slice(selectionStart, selectionEnd))(document.activeElement)')).toContain('Debian Linux');
    await lookedAt(window, 'image-new');
    await text.fill((await text.inputValue()).replace('Debian Linux', 'debian'));
    await page.getByRole('button', { name: 'Check' }).click();
    await page.getByText('It can be saved as web: debian 12, built as mock.').waitFor();
    expect(await wrong.count()).toBe(0);
    await page.getByLabel('Environment').selectOption('stage');
    await page.getByLabel('Versions that stay').fill('many');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByLabel('Versions that stay').and(page.locator('[aria-invalid]')).waitFor();
    await page.getByLabel('Versions that stay').fill('5');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { level: 1, name: /web/ }).waitFor();
    await page.getByText('environment stage').waitFor();
    expect(await on.live.berth.images.get('web')).toMatchObject({ environment: 'stage', retention: { keep: 5 }, revision: 1 });

    await page.getByRole('button', { name: 'Edit' }).click();
    await text.fill(`${await text.inputValue()}packages: [curl]\n`);
    await page.getByRole('button', { name: 'Save as revision 2' }).click();
    await page.getByRole('link', { name: 'Template' }).click();
    await page.getByRole('region', { name: 'What it says' }).getByText('curl').waitFor();
    await lookedAt(window, 'image-template');
    await page.getByLabel('Revision').selectOption('1');
    await page.getByText('This is revision 1.').waitFor();
    await page.getByRole('region', { name: 'What it says' }).getByText('curl').waitFor({ state: 'detached' });
  });

  test('a version is built from the board, as it goes, until it can be pushed', async () => {
    const window = await on.open();
    const { page } = window;
    await window.go('/images/cart', /cart/);
    const row = board(window, 'cart').getByRole('row').nth(1);
    await row.getByText('not built').waitFor();
    await page.getByRole('button', { name: 'Build a first version for eu' }).press('Enter');
    await row.getByText('building', { exact: true }).first().waitFor();
    const bar = page.getByRole('progressbar', { name: 'Build of version 1 for eu' });
    await bar.waitFor();
    // No host with a card is free; whatever is seen from here on has come without a reload.
    await page.evaluate(`(() => {
      globalThis.seen = [];
      new MutationObserver(() => document.querySelectorAll('[aria-label="Build of version 1 for eu"]').forEach((one) => globalThis.seen.push(Number(one.getAttribute('aria-valuenow'))))).observe(document, { subtree: true, attributes: true, childList: true });
    })()`);
    await lookedAt(window, 'image-building');
    expect(await board(window, 'cart').getByRole('button').count(), 'what is under way is not offered again').toBe(0);
    const { id } = await newest('cart');
    await on.live.berth.machines.service('crucible', 'end-hold');
    await page.getByRole('button', { name: 'Push version 1 to eu' }).waitFor();
    await row.getByText('not pushed').waitFor();
    await row.getByText('latest').waitFor();
    const seen = await page.evaluate<number[]>('globalThis.seen');
    expect([...seen].sort((a, b) => a - b)).toEqual(seen);
    expect(await on.live.berth.versions.get(id)).toMatchObject({ status: 'COMPLETE', percent: 100 });
    await page.getByRole('button', { name: 'Push version 1 to eu' }).click();
    await row.getByText('pushed', { exact: true }).waitFor();
    const { pushes } = await on.live.berth.versions.get(id);
    await row.getByText(pushes[0]!.id!).waitFor();
    await lookedAt(window, 'image-board');
    await page.getByRole('button', { name: 'Delete version 1 from eu' }).click();
    await page.getByRole('dialog', { name: 'Delete version 1 from eu' }).getByRole('button', { name: 'Remove' }).click();
    await row.getByText('not pushed').waitFor();
    await page.getByRole('button', { name: 'Push version 1 to eu' }).waitFor();
  });

  test('a push that fails says why, and is tried again; a build as well', async () => {
    const window = await on.open();
    const { page } = window;
    await built('web');
    await window.go('/images/web', /web/);
    const [eu, us] = [cell(window, 'web', 'version 1', 0), cell(window, 'web', 'version 1', 1)];
    await page.getByRole('button', { name: 'Push all' }).click();
    await eu.getByText('pushed', { exact: true }).waitFor();
    await us.getByText('not pushed: failed').waitFor();
    const error = us.getByText(/said to fail|refuses/);
    expect(await error.isVisible()).toBe(false);
    await us.getByText('1 failed attempt').click();
    await error.waitFor();
    await page.getByRole('button', { name: 'Push version 1 to us-failing' }).click();
    await us.getByText('2 failed attempts').waitFor();
    await lookedAt(window, 'image-failed');
    // What stands beside each other is read aloud as a table.
    expect(await board(window, 'web').getByRole('columnheader').allInnerTexts()).toEqual(['Version', expect.stringMatching(/^eu\s+mock, shelf$/), expect.stringMatching(/^us-failing\s+mock, shelf$/)]);

    await window.go('/images/sick', /sick/);
    await page.getByRole('button', { name: 'Build all' }).click();
    await page.getByRole('button', { name: 'Build version 1 again for eu' }).click();
    await cell(window, 'sick', 'version 1', 0).getByText('2 failed attempts').waitFor();
    await board(window, 'sick').getByRole('link', { name: 'version 1' }).click();
    const target = page.getByRole('table', { name: 'Targets' }).getByRole('row').nth(1);
    await target.getByText('2 failed attempts').waitFor();
    await target.getByText(', try 2').waitFor();
    await page.getByRole('button', { name: 'Build again for mock' }).click();
    await target.getByText('3 failed attempts').waitFor();
    await lookedAt(window, 'version-failed');
    await target.getByRole('link', { name: 'Log of mock' }).click();
    await page.getByRole('heading', { level: 1, name: /image-sick-mock-r1/ }).waitFor();
    await page.getByRole('link', { name: 'Steps' }).click();
    await page.getByRole('region', { name: 'About' }).getByRole('link', { name: 'sick' }).waitFor();
  });

  test('a channel tests a version before it points at it, again when it has failed, and is rolled back', async () => {
    const window = await on.open();
    const { page } = window;
    const first = await newest('web');
    await window.go('/images/web/channels', /web/);
    await page.getByRole('button', { name: 'New channel' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('latest');
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').getByText('is a channel already').waitFor();
    await page.getByRole('dialog').getByLabel('Name').fill('prod');
    await page.getByRole('dialog').getByLabel('Test', { exact: true }).selectOption('smoke');
    await lookedAt(window);
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    const prod = page.getByRole('region', { name: 'prod' });
    await prod.getByText('no version').waitFor();
    await page.getByRole('button', { name: 'Assign prod' }).click();
    await page.getByRole('dialog').getByLabel('Version').selectOption(first.id);
    await page.getByRole('dialog').getByLabel('Why').fill('the first one');
    await page.getByRole('dialog').getByRole('button', { name: 'Assign' }).click();
    // Its build runs until it is told what to say.
    await prod.getByText('Being tested').waitFor();
    await prod.getByText('building', { exact: true }).waitFor();
    await eventually(async () => expect((await on.live.berth.channels.get('web:prod')).testing).not.toBeNull(), SOON);
    const { testing } = await on.live.berth.channels.get('web:prod');
    await prod.getByRole('link', { name: testing!.build.slice(0, 8) }).waitFor();
    await lookedAt(window, 'channel-testing');
    await writeFile(verdict, 'bad');
    await prod.getByText('Last test').waitFor();
    await prod.getByText('failed', { exact: true }).waitFor();
    await prod.getByText('no version').waitFor();
    await writeFile(verdict, 'fine');
    await page.getByRole('button', { name: 'Test again for prod: version 1' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Test again' }).click();
    await prod.getByText('passed', { exact: true }).waitFor();
    const history = page.getByRole('table', { name: 'History of prod' });
    await history.getByRole('row').filter({ hasText: 'assigned' }).getByText('version 1').waitFor();

    const second = await built('web');
    const latest = page.getByRole('region', { name: 'latest' });
    await latest.getByText('Points at').locator('xpath=following-sibling::dd[1]').getByText('version 2').waitFor();
    await page.getByRole('button', { name: 'Roll back latest' }).click();
    await page.getByRole('dialog').getByLabel('Why').fill('it is slow');
    await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click();
    await page.getByRole('table', { name: 'History of latest' }).getByText('it is slow').waitFor();
    expect(await on.live.berth.channels.get('web:latest')).toMatchObject({ version: first.id, history: [{ by: 'rollback', reason: 'it is slow' }, { version: second, by: 'managed' }, { version: first.id, by: 'managed' }] });
    await lookedAt(window, 'channels');
    await page.getByRole('button', { name: 'Remove prod' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await prod.waitFor({ state: 'detached' });
  });

  test('a version is labelled, marked, revoked and restored; what points at it goes back', async () => {
    const window = await on.open();
    const { page } = window;
    const { berth } = on.live;
    const second = await newest('web');
    await berth.channels.assign('web:latest', second.id);
    await window.go(`/versions/${second.id}`, 'web / version 2');
    const use = page.getByRole('region', { name: 'Use' });
    await use.getByText('they stay as they are, as it is complete').waitFor();
    await use.getByRole('button', { name: 'Change the attributes' }).click();
    await page.getByRole('dialog').getByLabel('One a line').fill('team=shop\nodd line');
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').getByText('line 2: write NAME=VALUE').waitFor();
    await page.getByRole('dialog').getByLabel('One a line').fill('team=shop');
    // Meanwhile somebody else says something else of it.
    await berth.versions.attributes(second.id, { tier: 'gold' });
    await use.getByText('tier=gold').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await use.getByText('team=shop').waitFor();
    expect((await berth.versions.get(second.id)).attributes).toEqual({ team: 'shop', tier: 'gold' });
    await page.getByRole('button', { name: 'Mark' }).click();
    await page.getByRole('dialog').getByLabel('As').selectOption('disabled');
    await page.getByRole('dialog').getByRole('button', { name: 'Mark' }).click();
    await page.getByRole('dialog').getByRole('alert').getByText('latest').first().waitFor();
    await page.getByRole('dialog').getByLabel('As').selectOption('deprecated');
    await page.getByRole('dialog').getByLabel('Why').fill('version 3 is near');
    await page.getByRole('dialog').getByRole('button', { name: 'Mark' }).click();
    await use.getByText('version 3 is near').waitFor();

    await page.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('dialog').getByLabel('From when on').fill('2999-01-01T00:00');
    await page.getByRole('dialog').getByLabel('Why').fill('a hole');
    await lookedAt(window, 'version-revoke');
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('revoked later').waitFor();
    expect((await berth.channels.get('web:latest')).version).toBe(second.id);
    await page.getByRole('button', { name: 'Revoke now' }).click();
    await page.getByRole('dialog').getByLabel('Why').fill('a hole');
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('revoked', { exact: true }).waitFor();
    await eventually(async () => expect(await berth.channels.get('web:latest')).toMatchObject({ number: 1, history: expect.arrayContaining([expect.objectContaining({ by: 'revoke' })]) as unknown }), SOON);
    await lookedAt(window, 'version');
    await page.getByRole('button', { name: 'Restore' }).click();
    await page.getByText('revoked', { exact: true }).waitFor({ state: 'detached' });
    expect((await berth.versions.get(second.id)).revoked).toBeNull();
    await page.getByRole('link', { name: 'Packages' }).click();
    await page.getByText('No target of it has a bill of materials.').waitFor();
    await window.go(`/versions/${second.id}`, 'web / version 2');
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByRole('dialog').getByRole('checkbox').check();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByText('deleted', { exact: true }).first().waitFor();
    expect(await page.getByRole('button', { name: 'Revoke' }).count()).toBe(0);
  });

  test('what was imported is told to be removed by hand', async () => {
    const window = await on.open();
    const { page } = window;
    await window.go('/images', 'Images');
    await page.getByRole('button', { name: 'Import' }).click();
    const dialog = page.getByRole('dialog', { name: 'Import an image' });
    await dialog.getByLabel('Image').fill('given');
    await dialog.getByLabel('Account').selectOption('eu');
    await dialog.getByLabel('Id').fill('mock-given');
    await dialog.getByRole('button', { name: 'Import' }).click();
    await page.getByRole('heading', { level: 1, name: /given.* version 1/ }).waitFor();
    await page.getByRole('table', { name: 'Pushes' }).getByText('mock-given').waitFor();
    await page.getByRole('link', { name: 'given' }).first().click();
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByRole('dialog').getByRole('checkbox').check();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    const left = page.getByRole('dialog', { name: 'To be removed by hand' });
    await left.getByText('mock-given of account eu').waitFor();
    await lookedAt(window, 'image-by-hand');
    await left.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('heading', { level: 1, name: 'Images' }).waitFor();
    await page.getByRole('table', { name: 'Images' }).getByRole('link', { name: 'given' }).waitFor({ state: 'detached' });
  });

  test('what a version is made of moves on, and it is outdated', async () => {
    const window = await on.open();
    const { page } = window;
    const { berth } = on.live;
    await berth.images.save({ source: template('stall', '{ pool: day }', 'parent: { image: till }\n'), environment: 'eu-only' });
    await built('till');
    const child = await built('stall');
    await window.go(`/versions/${child}`, /stall/);
    const lineage = page.getByRole('table', { name: 'Lineage' });
    await lineage.getByRole('row').filter({ hasText: 'is made of' }).getByRole('link', { name: 'till' }).waitFor();
    expect(await page.getByText('outdated', { exact: true }).count()).toBe(0);
    await built('till');
    await page.getByText('outdated', { exact: true }).waitFor();
    await lookedAt(window, 'version-outdated');
    await lineage.getByRole('link', { name: 'version 1' }).click();
    await page.getByRole('heading', { level: 1, name: /till.* version 1/ }).waitFor();
    await lineage.getByRole('row').filter({ hasText: 'is made of it' }).getByText('outdated', { exact: true }).waitFor();
  });
});

describe('what is there already', () => {
  const body = randomBytes(40_000);
  beforeAll(async () => {
    await imageWriter(await connectTo(nats.url)).version('disk', { body });
  });

  test('is pushed to accounts that are chosen, then to all; a removal that fails says why, and is tried again', async () => {
    const window = await on.open();
    const { page } = window;
    const { berth } = on.live;
    const folders = { attic: await tempFolder('attic'), barn: await tempFolder('barn') };
    for (const [name, folder] of Object.entries(folders)) {
      await berth.providers.set(name, { kind: 'folder', target: 'raw', folder });
      await berth.accounts.set(`in-${name}`, { provider: name });
    }
    const { id } = await newest('disk');
    await window.go(`/versions/${id}`, 'disk / version 1');
    const pushes = page.getByRole('region', { name: 'Pushes' });
    await pushes.getByText('It was pushed nowhere.').waitFor();
    await pushes.getByRole('button', { name: 'Push', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Push version 1' });
    await dialog.getByRole('button', { name: 'Push' }).click();
    await dialog.getByText('choose one').waitFor();
    await dialog.getByRole('option', { name: 'in-barn on barn' }).waitFor({ state: 'attached' });
    // Others take what it is not built as.
    expect(await dialog.getByLabel('Account').getByRole('option').allInnerTexts()).toEqual(['choose', 'in-attic on attic', 'in-barn on barn']);
    await lookedAt(window);
    await dialog.getByLabel('Account').selectOption('in-attic');
    await dialog.getByRole('button', { name: 'Push' }).click();
    const attic = page.getByRole('table', { name: 'Pushes' }).getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'in-attic' }) });
    await attic.getByText('complete', { exact: true }).waitFor();
    await attic.getByText(join(folders.attic, 'disk', '1', 'disk.raw')).waitFor();
    await pushes.getByRole('button', { name: 'Push', exact: true }).click();
    await dialog.getByRole('option', { name: 'in-barn on barn' }).waitFor({ state: 'attached' });
    expect(await dialog.getByLabel('Account').getByRole('option').allInnerTexts()).toEqual(['choose', 'in-barn on barn']);
    await dialog.getByRole('button', { name: 'Cancel' }).click();

    await window.go('/images/disk', /disk/);
    await page.getByRole('button', { name: 'Push all' }).click();
    // In no environment, it has a column for each account that there is.
    const columns = (await board(window, 'disk').getByRole('columnheader').allInnerTexts()).slice(1);
    const [atAttic, atBarn] = ['in-attic', 'in-barn'].map((account) => cell(window, 'disk', 'version 1', columns.findIndex((text) => text.startsWith(account)))) as [Locator, Locator];
    await atBarn.getByText('pushed', { exact: true }).waitFor();
    expect(await readFile(join(folders.barn, 'disk', '1', 'disk.raw'))).toEqual(body);

    // A path that leads in a circle: nothing in there can be removed.
    const [place, aside] = [join(folders.attic, 'disk', '1'), join(folders.attic, 'aside')];
    await rename(place, aside);
    await symlink(place, place);
    const remove = async (name: string): Promise<void> => {
      await page.getByRole('button', { name }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    };
    await remove('Delete version 1 from in-attic');
    await atAttic.getByText('delete failed', { exact: true }).waitFor();
    await atAttic.getByText('ELOOP').waitFor();
    await lookedAt(window);
    await page.getByRole('link', { name: 'version 1' }).first().click();
    await page.getByRole('heading', { level: 1, name: 'disk / version 1' }).waitFor();
    await attic.getByText('ELOOP').waitFor();
    await lookedAt(window);
    await rm(place);
    await rename(aside, place);
    await remove('Delete from in-attic');
    await attic.getByText('deleted', { exact: true }).waitFor();
    expect(await readdir(folders.attic)).toEqual([]);
    expect((await berth.versions.get(id)).pushes).toMatchObject([{ account: 'in-attic', status: 'DELETED' }, { account: 'in-barn', status: 'COMPLETE' }]);

    // The same from the board, where it is a path that nobody mends but who looks at the board.
    const other = join(folders.barn, 'disk', '1');
    await rm(other, { recursive: true });
    await symlink(other, other);
    await window.go('/images/disk', /disk/);
    await remove('Delete version 1 from in-barn');
    await atBarn.getByText('delete failed', { exact: true }).waitFor();
    await rm(other);
    await remove('Delete version 1 from in-barn');
    await atBarn.getByText('not pushed', { exact: true }).waitFor();
  });

  test('is kept a second time as a policy says, which is written, looked after, changed by two at once, and removed', async () => {
    const window = await on.open();
    const { page } = window;
    const { berth } = on.live;
    const second = join(await tempFolder('second'), 'copies');
    const policy = (more: string): string => `name: twice\nquery: image == "disk"\nto: { kind: folder, folder: ${second} }\non: body\n${more}`;
    await window.go('/warehouse/policies', 'Warehouse');
    await page.getByRole('button', { name: 'New policy' }).click();
    const text = page.getByRole('textbox', { name: 'Specification' });
    await text.fill(policy('').replace('"disk"', 'disk"'));
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('list', { name: 'What is wrong' }).getByRole('button', { name: 'line 2' }).waitFor();
    await lookedAt(window);
    await text.fill(policy(''));
    await page.getByRole('button', { name: 'Save' }).click();
    const row = page.getByRole('table', { name: 'Policies' }).getByRole('row').filter({ hasText: 'twice' });
    await row.getByText('1 of 1').waitFor();
    const [copy] = (await readdir(second, { recursive: true, withFileTypes: true })).filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
    expect(await readFile(copy!)).toEqual(body);
    await page.getByRole('button', { name: 'Check twice' }).click();
    await row.getByText('1 sound, 0 anew').waitFor();
    await writeFile(copy!, 'something else');
    await page.getByRole('button', { name: 'Check twice' }).click();
    await row.getByText('0 sound, 1 anew').waitFor();
    expect(await readFile(copy!)).toEqual(body);
    await lookedAt(window);

    // Two change it at once: whoever is the later one is told, and decides.
    await page.getByRole('link', { name: 'Edit twice' }).click();
    const mine = (await text.inputValue()).replace('description: ""', 'description: mine');
    await text.fill(mine);
    await berth.warehouse.policies.set('twice', { query: 'image == "disk"', to: { kind: 'folder', folder: second }, on: 'body', description: 'theirs' });
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('alert').getByText('It was changed meanwhile').waitFor();
    expect(await text.inputValue()).toBe(mine);
    await lookedAt(window);
    await page.getByRole('button', { name: 'Begin anew' }).click();
    await eventually(async () => expect(await text.inputValue()).toContain('description: theirs'), SOON);
    await text.fill((await text.inputValue()).replace('theirs', 'theirs and mine'));
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await row.waitFor();
    expect((await berth.warehouse.policies.get('twice')).description).toBe('theirs and mine');
    await page.getByRole('link', { name: 'Edit twice' }).click();
    await eventually(async () => expect(await text.inputValue()).toContain('description: theirs and mine'), SOON);
    await text.fill(mine);
    await berth.warehouse.policies.set('twice', { query: 'image == "disk"', to: { kind: 'folder', folder: second }, on: 'body', description: 'theirs again' });
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('button', { name: 'Save over it' }).click();
    await row.waitFor();
    expect((await berth.warehouse.policies.get('twice')).description).toBe('mine');

    await page.getByRole('button', { name: 'Remove twice' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByText('Nothing is kept a second time').waitFor();
    expect(await readFile(copy!)).toEqual(body);
  });
});

describe('catalogs', () => {
  test('say which of what they offer is built, and offer to build and push', async () => {
    const window = await on.open();
    const { page } = window;
    await on.live.berth.images.save({ source: template('desk', '{ pool: day }'), environment: 'eu-only' });
    await on.live.berth.deployables.set('desk', { catalogs: ['shop'], image: 'desk' });
    await window.go('/catalogs', 'Catalogs');
    await page.getByRole('link', { name: 'shop', exact: true }).click();
    const row = (name: string) => page.getByRole('table', { name: 'Deployables' }).getByRole('row').filter({ has: page.getByRole('rowheader', { name }) });
    await row('till').getByText('not pushed').waitFor();
    await row('desk').getByText('not built').waitFor();
    await page.getByRole('button', { name: 'Build desk' }).click();
    await page.getByRole('button', { name: 'Board of desk' }).press('Enter');
    await page.waitForURL(/open=desk/);
    await page.getByRole('button', { name: 'Push desk' }).waitFor();
    await lookedAt(window, 'catalog');
    await page.getByRole('button', { name: 'Push desk' }).click();
    await row('desk').getByText('pushed', { exact: true }).waitFor();
    await cell(window, 'desk', 'version 1', 0).getByText('pushed', { exact: true }).waitFor();
    expect((await on.live.berth.catalogs.get('shop')).deployables).toMatchObject([{ name: 'cart' }, { name: 'desk', state: 'pushed' }, { name: 'till', state: 'not_pushed' }]);
  });

  test('where images are pushed to is written and removed, unless something names it', async () => {
    const window = await on.open();
    const { page } = window;
    await window.go('/catalogs?of=accounts', 'Catalogs');
    await page.getByRole('button', { name: 'New account' }).click();
    const text = page.getByRole('textbox', { name: 'Specification' });
    await text.fill('name: asia\nprovider: shelf\ncredentials: secret\n');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('list', { name: 'What is wrong' }).getByRole('button', { name: 'line 3' }).waitFor();
    await text.fill('name: asia\nprovider: shelf\n');
    await page.getByRole('button', { name: 'Save' }).click();
    const accounts = page.getByRole('table', { name: 'Accounts' });
    await accounts.getByRole('row').filter({ hasText: 'asia' }).getByText('shelf').waitFor();
    await lookedAt(window, 'accounts');
    await page.getByRole('link', { name: 'Edit asia' }).click();
    await text.fill((await text.inputValue()).replace('credentials: default', 'credentials: profile:asia'));
    await page.getByRole('button', { name: 'Save' }).click();
    await accounts.getByText('profile:asia').waitFor();
    await page.getByRole('button', { name: 'Remove eu', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByRole('alert').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Remove asia' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await accounts.getByText('asia', { exact: true }).waitFor({ state: 'detached' });
    for (const kind of ['Catalogs', 'Deployables', 'Pools', 'Environments', 'Providers']) {
      await page.getByRole('navigation', { name: 'Pages of the catalogue' }).getByRole('link', { name: kind }).click();
      await page.getByRole('table', { name: kind }).getByRole('row').nth(1).waitFor();
      expect(await window.barriers()).toEqual([]);
    }
  });
});

describe('the warehouse', () => {
  test('is asked by attributes', async () => {
    const window = await on.open();
    const { page } = window;
    await window.go('/warehouse', 'Warehouse');
    const objects = page.getByRole('table', { name: 'Objects' });
    await objects.getByRole('link', { name: 'till' }).first().waitFor();
    await page.getByLabel('With the attributes').fill('image == ');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.getByLabel('With the attributes').and(page.locator('[aria-invalid]')).waitFor();
    await page.getByLabel('With the attributes').fill('image == "web"');
    await page.getByRole('button', { name: 'Show' }).click();
    await objects.getByRole('link', { name: 'till' }).first().waitFor({ state: 'detached' });
    await objects.getByRole('link', { name: 'web' }).first().waitFor();
    await page.waitForURL(/query=/);
    await lookedAt(window, 'warehouse');
  });
});

describe('all of these pages', () => {
  test('filter on the server, are no wider than the page, and need few reads', async () => {
    const window = await on.open();
    const { page } = window;
    await window.go('/images', 'Images');
    await page.getByLabel('Name begins with').fill('ti');
    await page.waitForURL(/q=ti/);
    const images = page.getByRole('table', { name: 'Images' });
    await images.getByRole('link', { name: 'cart' }).waitFor({ state: 'detached' });
    await images.getByRole('link', { name: 'till' }).waitFor();
    await page.getByLabel('Name begins with').fill('');
    await images.getByRole('link', { name: 'cart' }).waitFor();
    await page.getByLabel('Status').selectOption('FAILED');
    await images.getByRole('link', { name: 'sick' }).waitFor();
    await images.getByRole('link', { name: 'cart' }).waitFor({ state: 'detached' });
    await page.getByLabel('Status').selectOption('');
    await images.getByRole('link', { name: 'cart' }).waitFor();
    await lookedAt(window, 'images');
    const { id } = await newest('cart');
    for (const [path, heading] of [['/images', 'Images'], ['/images/web', /web/], ['/images/web/versions', /web/], ['/images/web/channels', /web/], [`/versions/${id}`, /version 1/], ['/catalogs/shop?open=till', /shop/], ['/warehouse', 'Warehouse'], ['/warehouse/policies', 'Warehouse']] as const) {
      await page.setViewportSize({ width: 1280, height: 800 });
      await window.go(path, heading);
      await page.getByRole('table').first().waitFor();
      await page.waitForLoadState('load');
      expect(await window.barriers(), path).toEqual([]);
      const reads = await page.evaluate<string[]>(`performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => name.includes('/api/v1/'))`);
      expect(reads.length, `${path}: ${reads.join(' ')}`).toBeLessThan(10);
      await page.setViewportSize({ width: 800, height: 800 });
      expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBe(800);
    }
    expect(await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Warehouse' }).getAttribute('aria-current')).toBe('page');
    await window.go(`/versions/${id}`, /version 1/);
    expect(await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Images' }).getAttribute('aria-current')).toBe('page');
  });

  test('show a viewer all, and no button that does anything', async () => {
    const { secret } = await on.live.berth.tokens.create({ name: 'onlooker', role: 'viewer', projects: null });
    const browser = await startBrowser();
    const window = await openWindow(browser, on.live.url, { token: secret });
    const { page } = window;
    /** Those that do something: what sorts a table, opens a board or asks a question does not. */
    const buttons = page.locator('main button:not(th button):not([aria-expanded]):not([role="search"] button), main a.button[href$="/edit"]');
    const { id } = await newest('cart');
    const pages: readonly [path: string, heading: string | RegExp, shows: string][] = [
      ['/images', 'Images', 'cart'], ['/images/web', /web/, 'us-failing'], ['/images/web/channels', /web/, 'follows what is built'], ['/images/web/template', /web/, 'revision 2'], [`/versions/${id}`, /version 1/, 'Lineage'],
      ['/catalogs', 'Catalogs', 'shop'], ['/catalogs/shop?open=till', /shop/, 'version 2'], ['/catalogs?of=providers', 'Catalogs', 'shelf'], ['/warehouse', 'Warehouse', 'till'], ['/warehouse/policies', 'Warehouse', 'Nothing is kept a second time'],
    ];
    for (const [path, heading, shows] of pages) {
      await window.go(path, heading);
      await page.locator('main').getByText(shows).first().waitFor();
      expect(await buttons.allInnerTexts(), path).toEqual([]);
    }
    expect(window.faults).toEqual([]);
  });
});
