import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import { CHECKOUT } from '@berth/embedded/servers';
import { startBrowser } from '../support/browser.js';
import { atEndOfFile } from '../support/cleanup.js';
import { startLive, type Live } from '../support/live.js';
import { eventually } from '../support/wait.js';

const SOON = { timeoutMs: 20_000, everyMs: 50 };

/** As the how-to has it; what came and what went wrong stays on the page. */
const PAGE = `<!doctype html><title>A frontend</title><script type="module">
import { connect } from '/nats.js';
globalThis.heard = [];
globalThis.listen = async (options, subject) => {
  const nats = await connect({ ...options, reconnect: false, timeout: 10_000 });
  const subscription = nats.subscribe(subject);
  (async () => { for await (const message of subscription) heard.push([message.subject, message.json()]); })().catch((error) => (globalThis.refused = error.message));
  // Everything before it is with the server when this is answered.
  await nats.flush();
  globalThis.nats = nats;
};
globalThis.ready = true;
</script>`;

let live: Live;
let browser: Awaited<ReturnType<typeof startBrowser>>;
let address: string;

beforeAll(async () => {
  [live, browser] = await Promise.all([startLive({ BERTH_NATS_WS_PORT: '0' }), startBrowser()]);
  const client = await readFile(join(CHECKOUT, 'test', 'node_modules', 'nats.ws', 'esm', 'nats.js'));
  const server = createServer((request, response) => {
    if (request.url === '/nats.js') response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(client);
    else response.writeHead(200, { 'Content-Type': 'text/html' }).end(PAGE);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEndOfFile(() => new Promise<void>((resolve) => (server.close(() => resolve()), server.closeAllConnections())));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

/** A page of somebody's own, which has loaded the client. */
async function frontend(): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(address);
  await page.waitForFunction('globalThis.ready');
  return page;
}

const listen = (page: Page, subject: string, more: object = {}): Promise<unknown> => {
  const { username: user, password: pass } = new URL(live.natsUrl);
  return page.evaluate(`listen(${JSON.stringify({ servers: live.websocketUrl, user, pass, inboxPrefix: '_INBOX.frontend', ...more })}, ${JSON.stringify(subject)})`);
};

test('a page with the client of NATS follows a build, and asks for the last that was told of it', async () => {
  const page = await frontend();
  await listen(page, 'berth.status.>');
  const { id } = await live.berth.builds.request({ plan: 'lint' });
  const heard = await eventually(async () => {
    const all = await page.evaluate<[string, { data: { status: string } }][]>('heard');
    const own = all.filter(([subject]) => subject === `berth.status.build.${id}`).map(([, { data }]) => data.status);
    return own.includes('passed') && own;
  }, SOON);
  // Each step of it as it comes, not only how it ended.
  expect(heard.length).toBeGreaterThan(1);
  const last = await page.evaluate(`(async () => (await nats.request('$JS.API.DIRECT.GET.BERTH_STATUS', JSON.stringify({ last_by_subj: 'berth.status.build.${id}' }))).json())()`);
  expect(last).toMatchObject({ data: { status: 'passed' } });
  await page.close();
});

test('it is told so when it asks for what is not for it, or does not know the password', async () => {
  const page = await frontend();
  await listen(page, 'berth.evt.>');
  await eventually(async () => expect(await page.evaluate('globalThis.refused')).toMatch(/permissions violation/i), SOON);
  await expect(listen(page, 'berth.status.>', { pass: 'no such' })).rejects.toThrow(/authorization violation/i);
  await page.close();
});
