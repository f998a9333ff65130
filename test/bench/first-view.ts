import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadavg } from 'node:os';
import type { Browser, Page } from 'playwright-core';
import { signIn, startBrowser } from '../support/browser.js';
import { atEndOfFile } from '../support/cleanup.js';
import { eventually } from '../support/wait.js';
import { largePast, plan, position, type Past, type Publisher } from './console-past.js';
import { startConsole, type Console } from './console-process.js';
import { median, ms, timed, times, type Row } from './measure.js';

const ROUNDS = 11;
const AIM_MS = 1000;
/** What goes on beside what ended: as much of each as one sees on the first view. */
const ACTIVE = 4000;
const WAITING = 300;
const UNDER_WAY = 400;
const OUT = 150;

/** A page, and the expression that is true once it shows what was asked for. */
interface View {
  what: string;
  path: string;
  shown: string;
}

/** What was seen of one loading, in milliseconds since it began. */
interface Seen {
  shown: number;
  painted: number;
  reads: { path: string; bytes: number; begun: number; spent: number }[];
  bytes: number;
}

/** The dashboard over 10,000 hosts and 100,000 builds, in a browser that has nothing of it yet. */
export async function firstView(): Promise<Row[]> {
  const past = await largePast();
  const build = await present(past);
  const console = await startConsole(past.environment);
  await eventually(async () => {
    const now = await position(past.pool);
    if (now < past.publisher.commits) throw new Error(`${now} of ${past.publisher.commits} commits are in the rows`);
  }, { timeoutMs: 900_000, everyMs: 100 });
  for (const table of ['machine', 'resource', 'lease', 'build']) await past.pool.query(`ANALYZE berth_views.${table}`);

  const views: View[] = [
    { what: 'overview: its figures', path: '/', shown: `[...document.querySelectorAll('dl.figures dd')].length >= 5 && [...document.querySelectorAll('dl.figures dd')].every((one) => one.textContent !== '–') && document.querySelector('table[aria-label="Capacity by blueprint"]')?.textContent.includes('preallocated')` },
    { what: 'overview: all of it', path: '/', shown: `document.querySelector('dl.figures') && !document.querySelector('[aria-busy="true"]')` },
    { what: 'machines: the first rows', path: '/machines', shown: `document.querySelector('a[href="/machines/host-0"]')` },
    { what: 'builds: the first rows', path: '/builds', shown: `document.querySelectorAll('a[href^="/builds/"]').length > 10` },
    { what: 'a build: its steps', path: `/builds/${build}`, shown: `document.querySelector('table[aria-label="Steps"], [aria-label="Steps"]')?.textContent.includes('Test')` },
  ];
  const browser = await startBrowser();
  const rows: Row[] = [];
  for (const view of views) rows.push(...(await measured(browser, console, view)));
  rows.push({ what: 'load of the machine at the end', ours: loadavg()[0]!.toFixed(1), floor: '', ratio: '', aim: '', met: undefined });
  return rows;
}

async function measured(browser: Browser, console: Console, view: View): Promise<Row[]> {
  const [shown, painted, floors, slowest]: number[][] = [[], [], [], []];
  let last: Seen | undefined;
  for (let round = 0; round <= ROUNDS; round++) {
    const seen = await look(browser, console, view);
    const floor = await plain(browser, seen.bytes);
    const asked = seen.reads.filter(({ path }) => path.startsWith('/api/') && !path.startsWith('/api/v1/events'));
    const times = [];
    for (const { path } of asked) times.push(await timed(async () => (await fetch(`${console.url}${path}`, { headers: { Authorization: `Bearer ${console.token}` } })).arrayBuffer()));
    // The first loading of all starts parts of the browser that the next ones find there.
    if (round === 0) continue;
    shown!.push(seen.shown);
    painted!.push(seen.painted);
    floors!.push(floor);
    slowest!.push(Math.max(...times));
    last = seen;
  }
  if (process.env['BERTH_BENCH_READS'] === '1') for (const { path, bytes, begun, spent } of last!.reads) process.stderr.write(`  ${ms(begun).padStart(9)} + ${ms(spent).padStart(9)} ${String(bytes).padStart(8)} ${path}\n`);
  const floor = median(floors!) + median(slowest!);
  const aim = view.path === '/' ? `< ${AIM_MS} ms` : '';
  return [
    { what: `${view.what}, empty cache, ${last!.reads.length} reads, ${Math.round(last!.bytes / 1024)} KiB`, ours: ms(median(shown!)), floor: `${ms(floor)} a plain page of as many bytes, and the slowest read`, ratio: times(median(shown!) / floor), aim, met: aim === '' ? undefined : median(shown!) < AIM_MS },
    { what: '... the first that is painted', ours: ms(median(painted!)), floor: ms(median(floors!)), ratio: times(median(painted!) / median(floors!)), aim: '', met: undefined },
  ];
}

/** In a window of its own, which has an empty cache. */
async function look(browser: Browser, { url, token }: Console, { path, shown }: View): Promise<Seen> {
  const context = await browser.newContext({ baseURL: url, viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await signIn(page, url, token);
  // The page looks at itself, after each of its changes: whoever asks from outside learns of it later.
  await page.addInitScript(`{
    let shown;
    globalThis.shownAt = new Promise((resolve) => (shown = resolve));
    const look = () => { if (${shown}) { requestAnimationFrame(() => setTimeout(() => shown(performance.now()))); observer.disconnect(); } };
    const observer = new MutationObserver(look);
    observer.observe(document, { childList: true, subtree: true, characterData: true, attributes: true });
  }`);
  await page.goto(path, { waitUntil: 'commit' });
  const seen = await page.evaluate<Seen>(`(async () => {
    const shown = await shownAt;
    const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
    return {
      shown,
      painted: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN,
      reads: all.map((one) => ({ path: one.name.slice(location.origin.length), bytes: one.encodedBodySize, begun: one.startTime, spent: one.duration })),
      bytes: all.reduce((sum, one) => sum + one.encodedBodySize, 0),
    };
  })()`);
  await context.close();
  return seen;
}

/** How long the same browser takes to show a page of text of so many bytes, from a server that only hands it out. */
async function plain(browser: Browser, bytes: number): Promise<number> {
  const text = Buffer.from(`<!doctype html><title>plain</title><pre>${'0123456789abcde\n'.repeat(Math.ceil(bytes / 16))}`);
  const server = createServer((_request, response) => response.writeHead(200, { 'Content-Type': 'text/html', 'Content-Length': text.length }).end(text)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = atEndOfFile(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page: Page = await context.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { waitUntil: 'load' });
  const spent = await page.evaluate<number>(`performance.getEntriesByType('navigation')[0].loadEventStart`);
  await context.close();
  server.closeAllConnections();
  await stop();
  return spent;
}

/** Leases that are held, a queue, builds that run, hosts out of service. Gives the id of a build that runs. */
async function present({ connection, publisher, hosts }: Past): Promise<string> {
  for (let i = 0; i < ACTIVE; i++) {
    const [lease, host, owner] = [randomUUID(), hosts[i]!, `user-${i % 500}`];
    publisher.say('lease', lease, { type: 'LeaseRequested', data: { type: 'host', owner, attributes: { os: 'linux' } } });
    publisher.say('resource', host, { type: 'SlotClaimed', data: { slot: 0, lease, owner } });
    publisher.say('lease', lease, { type: 'LeaseAcquired', data: { resource: host, blueprint: 'preallocated', slot: 0, token: 1 } }, { type: 'LeaseActivated', data: {} });
    if (i % 200 === 0) await connection.flush();
  }
  for (let i = 0; i < WAITING; i++) publisher.say('lease', randomUUID(), { type: 'LeaseRequested', data: { type: 'host', owner: `user-${i}`, attributes: { os: 'mac' } } });
  const until = new Date(Date.now() + 3_600_000).toISOString();
  for (const host of hosts.slice(-OUT)) publisher.say('resource', host, { type: 'ResourceQuarantined', data: { until, reason: 'the disk is full', count: 1 } });
  let last = '';
  for (let i = 0; i < UNDER_WAY; i++) last = begun(publisher, i);
  await connection.flush();
  return last;
}

function begun(publisher: Publisher, i: number): string {
  const [id, action] = [randomUUID(), randomUUID()];
  const about = { plan: { ...plan, name: `plan-${i % 300}` }, planVersion: 1, variables: {}, initiator: `user-${i % 500}`, project: `project-${i % 40}` };
  publisher.say('build', id, { type: 'BuildRequested', data: about }, { type: 'BuildPreparing', data: { attempt: 1, hostLease: randomUUID() } });
  publisher.say('build', id, { type: 'BuildStarted', data: { path: '/x', machine: `host-${i}` } }, { type: 'StepStarted', data: { step: 0, name: 'Build', action } });
  return id;
}
