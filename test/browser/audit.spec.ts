import { beforeAll, expect, test } from 'vitest';
import { httpClient, type BerthHttp } from '@berth/client';
import { startBerth } from '../support/berth.js';
import { openWindow, startBrowser } from '../support/browser.js';
import { tempFolder } from '../support/cleanup.js';
import { eventually } from '../support/wait.js';

const SOON = { timeoutMs: 30_000, everyMs: 50 };

let berth: Awaited<ReturnType<typeof startBerth>>;
let api: BerthHttp;
let browser: Awaited<ReturnType<typeof startBrowser>>;

beforeAll(async () => {
  [berth, browser] = await Promise.all([tempFolder('berth').then(startBerth), startBrowser()]);
  api = httpClient(berth);
});

test('the audit says who did what and who was refused what, as it happens, by who and by what, page after page', async () => {
  await api.tokens.create({ name: 'first', role: 'viewer', projects: null });
  const { secret } = await api.tokens.create({ name: 'curious', role: 'viewer', projects: null });
  const window = await openWindow(browser, berth.url, { token: berth.token });
  const { page } = window;
  await window.go('/settings/audit', 'Settings / Audit');
  const table = page.getByRole('table', { name: 'Audit' });
  await table.getByRole('row').filter({ hasText: 'token:admin' }).filter({ hasText: 'TokenCreated' }).filter({ hasText: 'curious' }).waitFor();
  // What happens now comes to the page by itself.
  expect((await fetch(`${berth.url}/api/v1/tokens`, { headers: { Authorization: `Bearer ${secret}` } })).status).toBe(403);
  const refused = table.getByRole('row').filter({ hasText: 'token:curious' }).filter({ hasText: 'was refused' });
  await refused.first().waitFor();
  expect(await refused.first().innerText()).toContain('GET /api/v1/tokens');
  expect(await window.barriers()).toEqual([]);
  await window.picture('settings-audit');
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await window.barriers()).toEqual([]);

  await page.getByLabel('What').selectOption('was refused');
  await table.getByText('TokenCreated').first().waitFor({ state: 'detached' });
  await page.getByLabel('Who').fill('token:curious');
  await page.waitForURL(/what=refused.*actor=token%3Acurious/);
  await refused.first().waitFor();
  await eventually(async () => expect(new Set(await table.locator('tbody td:nth-child(2)').allInnerTexts())).toEqual(new Set(['token:curious'])), SOON);
  await page.getByLabel('Who').fill('token:nobody');
  await page.getByText('Nothing is like that.').waitFor();

  for (let i = 0; i < 230; i += 10) await Promise.all(Array.from({ length: 10 }, (_, nth) => api.quota.set({ hosts: i + nth + 1, owners: {} })));
  const asked: string[] = [];
  page.on('request', (request) => request.url().includes('/api/v1/audit') && asked.push(request.url()));
  await window.go('/settings/audit?actor=token%3Aadmin', 'Settings / Audit');
  await table.getByRole('row').filter({ hasText: 'fleet' }).first().waitFor();
  await page.getByRole('group', { name: 'Audit, list' }).focus();
  await eventually(async () => {
    await page.keyboard.press('End');
    expect(asked.some((url) => url.includes('cursor='))).toBe(true);
    // The first that the administrator did.
    await table.getByRole('row').filter({ hasText: 'first' }).first().waitFor({ timeout: 500 });
  }, { timeoutMs: 20_000 });
  expect(window.faults).toEqual([]);
  await page.context().close();
});
