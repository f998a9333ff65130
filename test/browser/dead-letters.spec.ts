import { randomUUID } from 'node:crypto';
import { connectBus } from '@berth/client';
import { beforeAll, expect, test } from 'vitest';
import { openWindow, startBrowser } from '../support/browser.js';
import { atEndOfFile } from '../support/cleanup.js';
import { startLive, type Live } from '../support/live.js';
import { eventually } from '../support/wait.js';

const SOON = { timeoutMs: 30_000, everyMs: 50 };

let live: Live;
let browser: Awaited<ReturnType<typeof startBrowser>>;

beforeAll(async () => {
  [live, browser] = await Promise.all([startLive(), startBrowser()]);
});

test('a dead letter is sent again, refused as before, and dropped', async () => {
  const { connection, close } = await connectBus(live.natsUrl);
  atEndOfFile(close);
  connection.publish('berth.cmd.lease.ReleaseLease', JSON.stringify({ id: randomUUID(), type: 'ReleaseLease', data: { lease: 'none' } }));
  await eventually(async () => (await live.berth.deadLetters.list()).items.length === 1, SOON);
  const window = await openWindow(browser, live.url, { token: live.token });
  const { page } = window;
  await window.go('/', 'Overview');
  const look = page.getByRole('button', { name: 'Look at ReleaseLease of lease' });
  await look.click();
  const dialog = page.getByRole('dialog', { name: 'ReleaseLease for lease' });
  await dialog.getByLabel('The command').getByText('"lease": "none"').waitFor();
  expect(await window.barriers()).toEqual([]);
  await dialog.getByRole('button', { name: 'Send it again' }).click();
  await dialog.getByText('It was sent again, and refused').waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  // It failed again, so there is another one.
  await look.click();
  await dialog.getByRole('button', { name: 'Drop it' }).click();
  await page.getByRole('dialog', { name: 'Drop ReleaseLease' }).getByRole('button', { name: 'Drop', exact: true }).click();
  await page.getByText('Every command was carried out or refused.').waitFor();
  expect((await live.berth.deadLetters.list()).items).toEqual([]);
  expect(window.faults).toEqual([]);
  await page.context().close();
});

test('who may not see them is not asked about them', async () => {
  const { secret } = await live.berth.tokens.create({ name: 'looker', role: 'viewer', projects: null });
  const window = await openWindow(browser, live.url, { token: secret });
  const { page } = window;
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await window.go('/', 'Overview');
  await page.getByText('host-agent-gateway').first().waitFor();
  expect(asked.filter((url) => url.includes('dead-letters'))).toEqual([]);
  expect(window.faults).toEqual([]);
  await page.context().close();
});
