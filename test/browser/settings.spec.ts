import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { httpClient, type BerthHttp } from '@berth/client';
import { startBerth } from '../support/berth.js';
import { openWindow, startBrowser, type Window } from '../support/browser.js';
import { atEndOfFile, tempFolder } from '../support/cleanup.js';
import { eventually } from '../support/wait.js';

const SOON = { timeoutMs: 30_000, everyMs: 50 };

let berth: Awaited<ReturnType<typeof startBerth>>;
let api: BerthHttp;
let browser: Awaited<ReturnType<typeof startBrowser>>;
let window: Window;

beforeAll(async () => {
  [berth, browser] = await Promise.all([tempFolder('berth').then(startBerth), startBrowser()]);
  api = httpClient(berth);
});
afterEach(async () => {
  expect(window.faults).toEqual([]);
  await window.page.context().close();
});

/** What is wrong with a page, light and dark; and, by a name, a picture of it. */
async function looked(name?: string): Promise<void> {
  const { page } = window;
  expect(await window.barriers()).toEqual([]);
  if (name !== undefined) await window.picture(name);
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await window.barriers()).toEqual([]);
  await page.emulateMedia({ colorScheme: 'light' });
}
const statusWith = (secret: string): Promise<number> => fetch(`${berth.url}/api/v1/me`, { headers: { Authorization: `Bearer ${secret}` } }).then(({ status }) => status);

describe('the pages of the settings', () => {
  test('lead to each other by keyboard', async () => {
    window = await openWindow(browser, berth.url, { token: berth.token });
    const { page } = window;
    await window.go('/settings', 'Settings');
    const ways = page.getByRole('navigation', { name: 'Pages of the settings' });
    const labels = await ways.getByRole('link').allTextContents();
    expect(labels).toEqual(['You and limits', 'Tokens', 'Secrets', 'Webhooks', 'Audit']);
    await ways.getByRole('link', { name: 'You and limits' }).focus();
    for (const label of labels.slice(1)) {
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name: `Settings / ${label}` }).waitFor();
      expect(await page.title()).toBe(`${label} · Berth`);
      expect(await ways.locator('[aria-current=page]').allTextContents()).toEqual([label]);
    }
    await page.setViewportSize({ width: 800, height: 800 });
    expect(await page.evaluate('document.documentElement.scrollWidth'), 'nothing is wider than the page').toBe(800);
  });

  test('are not there for whoever may not see them, and nothing of them is asked for', async () => {
    const { secret } = await api.tokens.create({ name: 'operates', role: 'operator', projects: null });
    window = await openWindow(browser, berth.url, { token: secret });
    const { page } = window;
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await window.go('/settings', 'Settings');
    expect(await page.getByRole('navigation', { name: 'Pages of the settings' }).getByRole('link').allTextContents()).toEqual(['You and limits']);
    const change = page.getByRole('button', { name: 'Change' });
    expect([await change.isDisabled(), await change.getAttribute('title')]).toEqual([true, 'Needs the permission quota:write']);
    for (const [path, permission] of [['tokens', 'tokens:read'], ['secrets', 'secrets:read'], ['webhooks', 'webhooks:read'], ['webhooks/ci', 'webhooks:read'], ['audit', 'audit:read']] as const) {
      await window.go(`/settings/${path}`, /Settings/);
      await page.getByText(`You need the permission ${permission} to see this.`).waitFor();
      expect(await page.getByRole('button', { name: /^New/ }).count()).toBe(0);
    }
    expect(asked.filter((path) => /^\/api\/v1\/(tokens|secrets|webhooks|audit)/.test(path))).toEqual([]);
  });

  test('a token is made, shown once, copied, and revoked', async () => {
    window = await openWindow(browser, berth.url, { token: berth.token });
    const { page } = window;
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await window.go('/settings/tokens', 'Settings / Tokens');
    await page.getByRole('button', { name: 'New token' }).click();
    const dialog = page.getByRole('dialog', { name: 'New token' });
    await dialog.getByRole('button', { name: 'Make it' }).click();
    await dialog.getByRole('alert').waitFor();
    expect(await dialog.getByLabel('Name').getAttribute('aria-invalid')).toBe('true');
    await dialog.getByLabel('Name').fill('ci');
    await dialog.getByLabel('Role').selectOption('viewer');
    await dialog.getByLabel('Projects').fill('compilers, graphics');
    await dialog.getByLabel('Expires').selectOption('after 30 days');
    await looked('settings-token-new');
    await dialog.getByRole('button', { name: 'Make it' }).click();

    const shown = page.getByRole('dialog', { name: 'Token ci' });
    const secret = await shown.getByLabel('The token').inputValue();
    expect(secret).toMatch(/^berth_/);
    expect(await window.barriers()).toEqual([]);
    // What has the focus copies it, and does not lose it.
    await page.keyboard.press('Enter');
    await shown.getByText('Copied.').waitFor();
    expect(await page.evaluate(() => (globalThis as unknown as { navigator: { clipboard: { readText(): Promise<string> } } }).navigator.clipboard.readText())).toBe(secret);
    await shown.getByRole('button', { name: 'Done' }).click();
    await shown.waitFor({ state: 'detached' });
    expect(await page.content()).not.toContain(secret);
    expect(await statusWith(secret)).toBe(200);
    const made = await api.tokens.get('ci');
    expect(made).toMatchObject({ role: 'viewer', projects: ['compilers', 'graphics'], state: 'live' });
    expect(Math.round((Date.parse(made.expires!) - Date.now()) / 86_400_000)).toBe(30);

    const row = page.getByRole('table', { name: 'Tokens' }).getByRole('row').filter({ hasText: 'compilers, graphics' });
    await row.getByText('live').waitFor();
    await row.getByText(/^in \d+d/).waitFor();
    // It was used a moment ago, and the page is told so.
    await eventually(async () => expect(await row.getByRole('cell').nth(7).innerText()).toMatch(/ago$/), SOON);
    await looked('settings-tokens');
    await row.getByRole('button', { name: 'Revoke ci' }).click();
    await page.getByRole('dialog', { name: 'Revoke ci' }).getByRole('button', { name: 'Cancel' }).click();
    expect(await statusWith(secret)).toBe(200);
    await row.getByRole('button', { name: 'Revoke ci' }).click();
    await page.getByRole('dialog', { name: 'Revoke ci' }).getByRole('button', { name: 'Revoke it' }).click();
    await row.getByText('revoked').waitFor();
    expect(await row.getByRole('button').count()).toBe(0);
    expect(await statusWith(secret)).toBe(401);
  });

  test('a name that is taken is told beside it, and whoever revokes their own token is told what that means', async () => {
    const { secret } = await api.tokens.create({ name: 'boss', role: 'admin', projects: null });
    window = await openWindow(browser, berth.url, { token: secret });
    const { page } = window;
    await window.go('/settings/tokens', 'Settings / Tokens');
    await page.getByRole('button', { name: 'New token' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('boss');
    await page.getByRole('dialog').getByRole('button', { name: 'Make it' }).click();
    await page.getByRole('dialog').getByText(/is taken by another token/).waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Revoke boss' }).click();
    await page.getByText('You are signed in with it').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke it' }).click();
    await page.getByText('You were signed out.').waitFor();
  });

  test('a secret is set, replaced and removed, and its value is nowhere', async () => {
    window = await openWindow(browser, berth.url, { token: berth.token });
    const { page } = window;
    const VALUE = 'correct horse battery';
    const heard: string[] = [];
    page.on('response', (response) => void response.text().then((text) => heard.push(text), () => undefined));
    await window.go('/settings/secrets', 'Settings / Secrets');
    await page.getByText('There is no secret yet').waitFor();
    await page.getByRole('button', { name: 'New secret' }).click();
    const dialog = page.getByRole('dialog', { name: 'New secret' });
    await dialog.getByLabel('Value').fill('abc');
    await dialog.getByRole('button', { name: 'Set it' }).click();
    await dialog.getByText('The secret has no name.').waitFor();
    await dialog.getByLabel('Name').fill('npm-token');
    await dialog.getByRole('button', { name: 'Set it' }).click();
    // Too short to be masked.
    await dialog.getByText('The secret npm-token is refused: it is shorter').waitFor();
    await dialog.getByLabel('Value').fill(`${VALUE}\n`);
    expect(await window.barriers()).toEqual([]);
    await dialog.getByRole('button', { name: 'Set it' }).click();
    const row = page.getByRole('table', { name: 'Secrets' }).getByRole('row').filter({ hasText: 'npm-token' });
    await row.getByText('token:admin').waitFor();
    // The clock of the page stood still while it had no time to show.
    await row.getByText(/^\d+s ago$/).waitFor();
    await dialog.waitFor({ state: 'detached' });
    await looked('settings-secrets');
    const first = (await api.secrets.list()).items[0]!;
    expect(first).toMatchObject({ name: 'npm-token', by: 'token:admin' });

    await row.getByRole('button', { name: 'Replace npm-token' }).click();
    await page.getByRole('dialog', { name: 'Replace npm-token' }).getByLabel('Value').fill(`${VALUE} 2`);
    await page.getByRole('dialog').getByRole('button', { name: 'Set it' }).click();
    await eventually(async () => (await api.secrets.list()).items[0]!.set !== first.set, SOON);
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await page.content()).not.toContain(VALUE);
    expect(heard.filter((text) => text.includes(VALUE))).toEqual([]);

    await row.getByRole('button', { name: 'Remove npm-token' }).click();
    await page.getByRole('dialog', { name: 'Remove npm-token' }).getByRole('button', { name: 'Remove it' }).click();
    await page.getByText('There is no secret yet').waitFor();
    expect((await api.secrets.list()).items).toEqual([]);
  });

  test('a webhook is made, tried, suspended, changed and removed; what was sent is listed with what came back', { timeout: 180_000 }, async () => {
    const taken: { headers: IncomingHttpHeaders; body: { type: string; subject: string } }[] = [];
    let answer = 204;
    const target = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        taken.push({ headers: request.headers, body: JSON.parse(text) as { type: string; subject: string } });
        response.writeHead(answer).end();
      });
    });
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
    atEndOfFile(() => new Promise<void>((resolve) => void target.close(() => resolve())));
    const url = `http://127.0.0.1:${(target.address() as AddressInfo).port}/berth`;

    window = await openWindow(browser, berth.url, { token: berth.token });
    const { page } = window;
    await window.go('/settings/webhooks', 'Settings / Webhooks');
    await page.getByText('Nothing is sent anywhere').waitFor();
    await page.getByRole('button', { name: 'New webhook' }).click();
    const dialog = page.getByRole('dialog', { name: 'New webhook' });
    await dialog.getByLabel('Name').fill('ci');
    await dialog.getByLabel('URL').fill('ftp://nowhere');
    await dialog.getByLabel('blueprint').check();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByRole('alert').waitFor();
    expect(await dialog.getByLabel('URL').getAttribute('aria-invalid')).toBe('true');
    await dialog.getByLabel('URL').fill(url);
    await looked();
    await dialog.getByRole('button', { name: 'Save' }).click();
    const key = await page.getByRole('dialog', { name: 'Key of ci' }).getByLabel('The key').inputValue();
    expect(key).toMatch(/^whsec_/);
    await page.getByRole('dialog', { name: 'Key of ci' }).getByRole('button', { name: 'Done' }).click();
    expect(await api.webhooks.get('ci')).toMatchObject({ url, kinds: ['blueprint'], statuses: [], status: 'active' });
    await page.getByRole('table', { name: 'Webhooks' }).getByText('every status of blueprint').waitFor();
    await window.picture('settings-webhooks');
    expect(await window.barriers()).toEqual([]);

    await page.getByRole('link', { name: 'ci', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'Settings / Webhooks / ci' }).waitFor();
    await page.getByRole('button', { name: 'Send a test' }).click();
    await page.getByText(/^answered 204, after \d+ ms$/).waitFor();
    expect(taken.at(-1)!.body).toMatchObject({ type: 'berth.webhook.test', subject: 'ci' });

    await api.blueprints.save('postgres', { kind: 'service', start: 'true' }, { check: false });
    const rows = page.getByRole('table', { name: 'Deliveries' }).getByRole('row');
    await rows.filter({ hasText: 'delivered' }).filter({ hasText: '204' }).first().waitFor();
    answer = 503;
    await api.blueprints.disable('postgres');
    await rows.filter({ hasText: 'failed' }).filter({ hasText: '503' }).first().waitFor();
    // Each try is longer after the one before: while the page is looked at it would be too long.
    answer = 204;
    await rows.filter({ hasText: 'delivered' }).nth(1).waitFor({ timeout: 75_000 });
    await looked('settings-webhook');

    await page.getByRole('button', { name: 'Suspend' }).click();
    await page.getByLabel('Why (if you like)').fill('the target moves');
    await page.getByRole('dialog').getByRole('button', { name: 'Suspend it' }).click();
    await page.getByText('the target moves').waitFor();
    expect((await api.webhooks.get('ci')).status).toBe('suspended');
    await page.getByRole('button', { name: 'Change' }).click();
    await page.getByRole('dialog').getByLabel('blueprint').uncheck();
    await page.getByRole('dialog').getByLabel('build').check();
    await page.getByRole('dialog').getByLabel('Only these statuses').fill('passed, failed');
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await page.getByText('passed, failed of build').waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('button', { name: 'Suspend' }).waitFor();
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Make it' }).click();
    const other = await page.getByRole('dialog', { name: 'Key of ci' }).getByLabel('The key').inputValue();
    expect(other).toMatch(/^whsec_/);
    expect(other).not.toBe(key);
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove it' }).click();
    await page.getByText('Nothing is sent anywhere').waitFor();
    expect((await api.webhooks.list()).items).toEqual([]);
  });

  test('a new webhook does not take the place of one that is there', async () => {
    await api.webhooks.save('kept', { url: 'http://127.0.0.1:9/', kinds: ['build'] });
    window = await openWindow(browser, berth.url, { token: berth.token });
    const { page } = window;
    await window.go('/settings/webhooks', 'Settings / Webhooks');
    await page.getByRole('button', { name: 'New webhook' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('kept');
    await page.getByRole('dialog').getByLabel('URL').fill('http://127.0.0.1:10/');
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').getByText('has a webhook already').waitFor();
    expect((await api.webhooks.get('kept')).url).toBe('http://127.0.0.1:9/');
  });

  test('what is shown once is selected, where the browser lets no page copy', async () => {
    window = await openWindow(browser, berth.url, { token: berth.token });
    const { page } = window;
    // As over plain HTTP from another machine.
    await page.addInitScript(() => Object.defineProperty((globalThis as unknown as { navigator: object }).navigator, 'clipboard', { value: undefined }));
    await window.go('/settings/tokens', 'Settings / Tokens');
    await page.getByRole('button', { name: 'New token' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('by-hand');
    await page.getByRole('dialog').getByRole('button', { name: 'Make it' }).click();
    const shown = page.getByRole('dialog', { name: 'Token by-hand' });
    await shown.getByRole('button', { name: 'Copy' }).click();
    await shown.getByText(/copy it with the keyboard/).waitFor();
    const selected = await shown.getByLabel('The token').evaluate((field) => {
      const { value, selectionStart, selectionEnd } = field as unknown as { value: string; selectionStart: number; selectionEnd: number };
      return value.slice(selectionStart, selectionEnd);
    });
    expect(await statusWith(selected)).toBe(200);
  });
});
