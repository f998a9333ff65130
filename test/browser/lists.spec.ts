import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { httpClient, type BerthHttp } from '@berth/client';
import { startBerth } from '../support/berth.js';
import { openWindow, startBrowser, type Window } from '../support/browser.js';
import { tempFolder } from '../support/cleanup.js';
import { eventually } from '../support/wait.js';

const SOON = { timeoutMs: 30_000, everyMs: 50 };

/** More than a page of a list has. */
const PLANS = 210;
const nameOf = (nth: number): string => `plan-${String(nth).padStart(3, '0')}`;

let berth: Awaited<ReturnType<typeof startBerth>>;
let api: BerthHttp;
let browser: Awaited<ReturnType<typeof startBrowser>>;
let window: Window;

beforeAll(async () => {
  [berth, browser] = await Promise.all([tempFolder('berth').then(startBerth), startBrowser()]);
  api = httpClient(berth);
  const save = (nth: number) => api.plans.apply(`name: ${nameOf(nth)}\nhost: {}\nsteps:\n  - { name: Do, run: "true" }\n`);
  // Only which are the first and the last matters.
  await save(0);
  for (let nth = 1; nth < PLANS - 1; nth += 16) await Promise.all(Array.from({ length: Math.min(16, PLANS - 1 - nth) }, (_, i) => save(nth + i)));
  await save(PLANS - 1);
});
afterEach(async () => {
  expect(window.faults).toEqual([]);
  await window.page.context().close();
});

/** The queries that were sent for a list. */
function asked(list: string): URLSearchParams[] {
  const found: URLSearchParams[] = [];
  window.page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.pathname === `/api/v1/${list}`) found.push(url.searchParams);
  });
  return found;
}
const first = (table: string): Promise<string> => window.page.getByRole('table', { name: table }).getByRole('row').nth(1).getByRole('cell').first().innerText();

describe('a list that is longer than its page', () => {
  test('is sorted by the server, which the address and the heading say', async () => {
    window = await openWindow(browser, berth.url, { token: berth.token });
    const { page } = window;
    const queries = asked('plans');
    await window.go('/plans', 'Plans');
    const heading = page.getByRole('columnheader', { name: 'Plan', exact: false }).first();
    await eventually(async () => expect(await first('Plans')).toBe(nameOf(0)), SOON);
    expect(await heading.getAttribute('aria-sort')).toBe('ascending');
    // By what the server cannot sort, nothing is.
    expect(await page.getByRole('columnheader', { name: 'Steps' }).getByRole('button').count()).toBe(0);

    await heading.getByRole('button').press('Enter');
    // The last one was not on the page that was read.
    await eventually(async () => expect(await first('Plans')).toBe(nameOf(PLANS - 1)), SOON);
    expect(await heading.getAttribute('aria-sort')).toBe('descending');
    expect(new URL(page.url()).search).toBe('?sort=-name');
    await page.getByRole('columnheader', { name: 'Saved' }).getByRole('button').click();
    await eventually(async () => expect(await first('Plans')).toBe(nameOf(0)), SOON);
    expect(await heading.getAttribute('aria-sort')).toBe('none');
    await page.getByRole('columnheader', { name: 'Saved' }).getByRole('button').click();
    await eventually(async () => expect(await first('Plans')).toBe(nameOf(PLANS - 1)), SOON);
    expect(new URL(page.url()).search).toBe('?sort=-saved');
    expect([...new Set(queries.filter((query) => !query.has('cursor')).map((query) => query.get('sort')))]).toEqual(['name', '-name', 'saved', '-saved']);

    const address = page.url();
    await page.goto('/');
    await page.goto(address);
    await eventually(async () => expect(await first('Plans')).toBe(nameOf(PLANS - 1)), SOON);
    expect(await page.getByRole('columnheader', { name: 'Saved' }).getAttribute('aria-sort')).toBe('descending');
    expect(await window.barriers()).toEqual([]);
  });

  test('is searched by the server', async () => {
    window = await openWindow(browser, berth.url, { token: berth.token });
    const { page } = window;
    const queries = asked('plans');
    await window.go('/plans', 'Plans');
    await page.getByLabel('Name begins with').fill('PLAN-20');
    await page.waitForURL(/q=PLAN-20/);
    const rows = page.getByRole('table', { name: 'Plans' }).getByRole('row');
    await eventually(async () => expect(await rows.count()).toBe(11), SOON);
    expect(await rows.nth(10).innerText()).toContain(nameOf(209));
    expect(queries.at(-1)!.get('q')).toBe('PLAN-20');
    await page.getByLabel('Name begins with').fill('none');
    await page.getByText('No plan is called so.').waitFor();
  });

  test.each([
    ['machines', 'Machines', 'Machine', 'name', '-name'], ['machines', 'Machines', 'Added', 'name', 'created'], ['blueprints', 'Blueprints', 'Blueprint', 'name', '-name'], ['resources', 'Resources', 'Since', 'name', 'created'],
    ['leases', 'Leases', 'Priority', '-created', 'priority'], ['builds', 'Builds', 'Asked', '-created', 'created'],
  ])('%s (%s): as usual, and by %s', async (list, title, column, usual, other) => {
    window = await openWindow(browser, berth.url, { token: berth.token });
    const { page } = window;
    const queries = asked(list);
    await window.go(`/${list}`, title);
    await eventually(() => expect(queries.at(-1)?.get('sort')).toBe(usual), SOON);
    await page.getByRole('columnheader', { name: column }).getByRole('button').click();
    await eventually(() => expect(queries.at(-1)?.get('sort')).toBe(other), SOON);
    expect(new URL(page.url()).searchParams.get('sort')).toBe(other);
    expect(await page.getByRole('columnheader', { name: column }).getAttribute('aria-sort')).toBe(other.startsWith('-') ? 'descending' : 'ascending');
  });

  test('an order that the server does not have is told', async () => {
    window = await openWindow(browser, berth.url, { token: berth.token });
    await window.go('/builds?sort=colour', 'Builds');
    await window.page.getByRole('alert').getByText('the list can\'t be sorted by "colour"').waitFor();
  });
});

test('buttons go by permissions: what a role may not is out of use, with the reason, and what it may is not', async () => {
  const { secret } = await api.tokens.create({ name: 'builds', role: 'builder', projects: null });
  window = await openWindow(browser, berth.url, { token: secret });
  const { page } = window;
  const told = async (name: string) => {
    const button = page.getByRole('button', { name });
    await button.waitFor();
    return [await button.isDisabled(), await button.getAttribute('title')];
  };
  await window.go('/plans', 'Plans');
  expect(await told('New plan')).toEqual([true, 'Needs the permission plan:write']);
  await page.getByRole('link', { name: `Start ${nameOf(0)}` }).click();
  await page.getByRole('heading', { level: 1, name: /Start/ }).waitFor();
  expect(await told('Start')).toEqual([false, null]);
  await window.go(`/plans/${nameOf(0)}`, /plan-000/);
  expect(await told('Edit')).toEqual([true, 'Needs the permission plan:write']);
  await window.go('/blueprints/local', /local/);
  expect(await told('Edit')).toEqual([true, 'Needs the permission fleet:write']);
  await window.page.context().close();

  const viewer = await api.tokens.create({ name: 'views', role: 'viewer', projects: null });
  window = await openWindow(browser, berth.url, { token: viewer.secret });
  await window.go('/plans', 'Plans');
  await window.page.getByRole('link', { name: `Builds of ${nameOf(0)}` }).waitFor();
  expect(await window.page.getByRole('link', { name: /^Start/ }).count()).toBe(0);
  await window.go('/builds', 'Builds');
  await window.page.getByText('Nothing was built yet.').waitFor();
  expect(await window.page.getByRole('link', { name: 'Start a build' }).count()).toBe(0);
  await window.page.context().close();

  // Operators may change blueprints and plans, which roles alone did not tell.
  const operator = await api.tokens.create({ name: 'runs', role: 'operator', projects: null });
  window = await openWindow(browser, berth.url, { token: operator.secret });
  await window.go('/blueprints/local', /local/);
  await eventually(async () => expect(await window.page.getByRole('button', { name: 'Edit' }).isDisabled()).toBe(false), SOON);
  await window.go('/plans', 'Plans');
  await eventually(async () => expect(await window.page.getByRole('button', { name: 'New plan' }).isDisabled()).toBe(false), SOON);
});
