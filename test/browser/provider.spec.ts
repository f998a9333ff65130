import { beforeAll, expect, test } from 'vitest';
import { startBerth } from '../support/berth.js';
import { openWindow, startBrowser } from '../support/browser.js';
import { tempFolder } from '../support/cleanup.js';
import { CLIENT, startProvider, type Provider } from '../support/oidc.js';

let berth: Awaited<ReturnType<typeof startBerth>>;
let browser: Awaited<ReturnType<typeof startBrowser>>;
let provider: Provider;

beforeAll(async () => {
  provider = await startProvider({ ada: { email: 'ada@example.org', email_verified: true, groups: ['staff'] } });
  const home = await tempFolder('berth');
  const env = { BERTH_OIDC_ISSUER: provider.issuer, BERTH_OIDC_NAME: 'Example', BERTH_OIDC_CLIENT_ID: CLIENT.id, BERTH_OIDC_CLIENT_SECRET: CLIENT.secret, BERTH_OIDC_ROLES: 'staff=builder' };
  [berth, browser] = await Promise.all([startBerth(home, env), startBrowser()]);
  provider.serve(`${berth.url}/login/oidc/callback`);
});

test('people sign in with their provider, and see what their role lets them', async () => {
  const window = await openWindow(browser, berth.url);
  const { page, faults } = window;
  // Its own pages would fetch a font from far away.
  await page.route((url) => ![berth.url, provider.issuer].includes(url.origin), (route) => route.abort());
  await page.goto('/');
  const way = page.getByRole('link', { name: 'Sign in with Example' });
  await way.waitFor();
  expect(await window.barriers()).toEqual([]);
  await window.picture('login');
  expect(faults).toEqual([]);
  await page.getByLabel('Token').focus();
  // By keyboard too: the button beside the token is out of use while that is empty.
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.locator('input[name=login]').fill('ada');
  await page.locator('input[name=password]').fill('x');
  await page.locator('button[type=submit]').click();
  // It asks whether Berth may know who that is.
  await page.locator('input[name=login]').waitFor({ state: 'detached' });
  await page.locator('button[type=submit]').click();
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  expect(new URL(page.url()).origin).toBe(berth.url);
  await page.getByText('ada@example.org').first().waitFor();
  // Beside the provider's own pages nobody was asked for anything.
  expect(faults.filter((fault) => !fault.startsWith(`asked ${provider.issuer}/`) && !fault.startsWith('asked https://fonts.'))).toEqual([]);
  await page.goto('/machines');
  const add = page.getByRole('button', { name: 'Add a machine' });
  await add.waitFor();
  expect([await add.isDisabled(), await add.getAttribute('title')]).toEqual([true, 'Needs the permission fleet:write']);
  await page.context().close();
});
