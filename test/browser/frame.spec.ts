import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { httpClient } from '@berth/client';
import { startBerth } from '../support/berth.js';
import { openWindow, startBrowser, type Window } from '../support/browser.js';
import { tempFolder } from '../support/cleanup.js';
import { eventually } from '../support/wait.js';

const SOON = { timeoutMs: 30_000, everyMs: 50 };

let berth: Awaited<ReturnType<typeof startBerth>>;
let browser: Awaited<ReturnType<typeof startBrowser>>;
let window: Window;

beforeAll(async () => {
  [berth, browser] = await Promise.all([tempFolder('berth').then(startBerth), startBrowser()]);
});
afterEach(async () => {
  expect(window.faults).toEqual([]);
  await window.page.context().close();
});

describe('the frame of the dashboard', () => {
  test('asks who is there, says what is wrong with a token, and goes on to the page that was asked for', async () => {
    window = await openWindow(browser, berth.url);
    const { page } = window;
    await page.goto('/leases');
    await page.getByLabel('Token').fill('wrong');
    expect(await window.barriers()).toEqual([]);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('This token is not valid here.').waitFor();
    await page.getByLabel('Token').fill(berth.token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { level: 1, name: 'Leases' }).waitFor();
    await page.getByText('live', { exact: true }).waitFor();
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Leases' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
  });

  test('offers no provider where there is none', async () => {
    window = await openWindow(browser, berth.url);
    const { page } = window;
    const told = page.waitForResponse((response) => response.url().endsWith('/api/v1/session/ways'));
    await page.goto('/');
    expect(await (await told).json()).toEqual({ provider: null });
    await page.getByLabel('Token').waitFor();
    expect(await page.getByRole('link', { name: /^Sign in with/ }).count()).toBe(0);
  });

  test('a link signs in once', async () => {
    const { url } = await httpClient(berth).loginLink();
    window = await openWindow(browser, berth.url);
    const { page } = window;
    await page.goto(url);
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    // What it says once is neither in the address nor good a second time.
    expect(page.url()).not.toContain('once=');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.goto(url);
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Token').waitFor();
  });

  test('every entry of the navigation is a page of its own address, by keyboard too', async () => {
    window = await openWindow(browser, berth.url, { token: berth.token });
    const { page } = window;
    await window.go('/', 'Overview');
    const labels = await page.getByRole('navigation', { name: 'Pages' }).getByRole('listitem').allTextContents();
    expect(labels).toEqual(['Overview', 'Machines', 'Hardware', 'Jobs', 'Blueprints', 'Resources', 'Leases', 'Plans', 'Builds', 'Images', 'Catalogs', 'Warehouse', 'History', 'Usage', 'Settings']);
    for (const label of labels) {
      await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: label }).press('Enter');
      await page.getByRole('heading', { level: 1, name: label }).waitFor();
      expect(await page.title()).toBe(`${label} · Berth`);
    }
    await window.go('/no-such-page', 'Not found');
  });

  test('is light or dark as the system is, until one says otherwise', async () => {
    window = await openWindow(browser, berth.url, { token: berth.token, dark: true });
    const { page } = window;
    const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    await window.go('/', 'Overview');
    expect(await ground()).toBe('rgb(21, 24, 28)');
    expect(await window.barriers()).toEqual([]);
    await page.getByLabel('Appearance').selectOption('light');
    await eventually(async () => (await ground()) === 'rgb(255, 255, 255)', SOON);
    expect(await window.barriers()).toEqual([]);
    await page.reload();
    await page.getByRole('heading', { level: 1 }).waitFor();
    expect(await ground()).toBe('rgb(255, 255, 255)');
  });
});
