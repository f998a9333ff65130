import { describe, expect, test } from 'vitest';
import type { Live } from '../support/live.js';
import { onLive } from '../support/on-live.js';

const short = (id: string): string => id.slice(0, 8);

const on = onLive();

/** A page: what it is called, and what must be on it of that which is going on. */
const pages: readonly [name: string, path: (live: Live) => string, heading: string, shows: (live: Live) => string[]][] = [
  ['overview', () => '/?by=pool', 'Overview', ({ waiting, builds }) => [short(waiting), short(builds.running), short(builds.failed), 'night', 'the disk is full', 'a crash is looked into', 'host-agent-gateway']],
  ['machines', () => '/machines', 'Machines', () => ['anvil', 'bellows', 'crucible', 'quarantined', 'held']],
  ['machine', () => '/machines/bellows', 'Machines / bellows', () => ['the disk is full', 'pool=night', 'End quarantine']],
  ['blueprints', () => '/blueprints', 'Blueprints', () => ['preallocated', 'local', 'postgres', 'disabled', 'project widgets']],
  ['blueprint', () => '/blueprints/postgres', 'Blueprints / postgres', () => ['its image is being renewed', 'project widgets', 'startTimeout']],
  ['blueprint-new', () => '/blueprints?new=ec2', 'Blueprints / New blueprint', () => ['Begin with', 'ask its provider']],
  ['resources', () => '/resources?type=host', 'Resources', () => ['anvil', 'ada', 'the disk is full']],
  ['leases', () => '/leases', 'Leases', ({ held, waiting }) => [short(held), short(waiting), 'grace', 'brian', 'pending']],
  ['lease-waiting', ({ waiting }) => `/leases/${waiting}`, '/ Lease', () => ['Why it waits', 'crucible is no longer held', 'grace asks for a host with gpu=yes']],
  ['lease', ({ held }) => `/leases/${held}`, '/ Lease', () => ['anvil', 'Fencing token', 'Can be used.']],
  ['history', ({ builds }) => `/history/${builds.failed}`, 'History / History of', () => ['A build of plan release is asked for.', 'Step 1 failed', 'exit code 3']],
  ['past', () => `/history?at=${new Date().toISOString()}`, 'History', ({ held }) => ['The fleet as it was', 'Builds under way', 'anvil', short(held)]],
  ['usage', () => '/usage', 'Usage', () => ['ada', 'brian', 'Wait p50', 'Hours that hosts were there']],
  ['settings', () => '/settings', 'Settings', () => ['Role', 'Limits', 'no limit']],
];

describe('every page, on what is going on', () => {
  test.each(pages)('%s', async (name, path, heading, shows) => {
    const window = await on.open();
    const { page } = window;
    await window.go(path(on.live), new RegExp(heading));
    for (const text of shows(on.live)) await page.getByText(text).first().waitFor();
    expect(await window.barriers()).toEqual([]);
    await window.picture(name);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await window.barriers()).toEqual([]);
    if (name === 'overview') await window.picture(`${name}-dark`);
    await page.setViewportSize({ width: 800, height: 800 });
    expect(await page.evaluate('document.documentElement.scrollWidth'), 'nothing is wider than the page').toBe(800);
  });

  test('a resource, from the list, with who holds which slot', async () => {
    const window = await on.open();
    const { page } = window;
    await window.go('/resources', 'Resources');
    await page.getByRole('link', { name: 'anvil' }).click();
    await page.getByRole('heading', { level: 1, name: /anvil/ }).waitFor();
    const slots = page.getByRole('table', { name: 'Slots' });
    await slots.getByText('ada').waitFor();
    expect(await slots.getByRole('row').count()).toBe(5);
    await page.getByText('Slot 0 goes to ada').waitFor();
    expect(await window.barriers()).toEqual([]);
    await window.picture('resource');
  });

  test('filters are in the address, where they can be sent to somebody', async () => {
    const window = await on.open();
    const { page } = window;
    await window.go('/leases', 'Leases');
    await page.getByLabel('Owner').fill('ada');
    await page.waitForURL(/owner=ada/);
    await page.getByRole('table', { name: 'Leases' }).getByText('grace').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'waiting' }).click();
    await page.getByText('No lease is like that.').waitFor();
    await page.getByRole('button', { name: 'active', exact: true }).click();
    const address = page.url();
    await page.goto(address);
    await page.getByRole('link', { name: short(on.live.held) }).waitFor();
    expect(await page.getByLabel('Owner').inputValue()).toBe('ada');
    expect(await page.getByRole('button', { name: 'active', exact: true }).getAttribute('aria-pressed')).toBe('true');
  });

  test('the first view needs few reads and few bytes', async () => {
    const window = await on.open();
    const started = performance.now();
    await window.page.goto('/', { waitUntil: 'commit' });
    await window.page.getByRole('table', { name: 'Capacity by blueprint' }).getByText('preallocated').waitFor();
    const took = performance.now() - started;
    const { reads, bytes } = await window.page.evaluate(() => {
      const all = performance.getEntriesByType('resource') as unknown as { encodedBodySize: number }[];
      return { reads: all.length, bytes: all.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0) };
    });
    // The time says more of the machine than of the page: it is told, and what it is made of is held to a budget.
    console.log(`first view after ${Math.round(took)} ms: ${reads} reads, ${Math.round(bytes / 1024)} KiB`);
    expect(reads).toBeLessThan(40);
    expect(bytes).toBeLessThan(400 * 1024);
  });
});
