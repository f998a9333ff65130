import { createRequire } from 'node:module';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { CHECKOUT, findTool } from '@berth/embedded/servers';
import { atEndOfFile, tempFolder } from './cleanup.js';

/** Nothing of the browser's own goes out, and nothing is left of an earlier run: its folder is a new one each time. */
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
/** What the dashboard has to live with, whoever sets it. */
export const POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";
const SHOTS = join(CHECKOUT, 'docs', 'images');

/** A window of the browser on the dashboard, and all that must not happen in it. */
export interface Window {
  page: Page;
  /** what was asked of anybody but the console, what scripts threw, what the browser complains of */
  faults: string[];
  /** Opens a page and waits for its heading. */
  go(path: string, heading: string | RegExp): Promise<void>;
  /** What axe finds that is serious or worse, as text. */
  barriers(): Promise<string[]>;
  /** Keeps a picture in docs/images, when BERTH_SCREENSHOTS=1. */
  picture(name: string): Promise<void>;
}

/** Starts the browser of this machine; it ends with the test file. */
export async function startBrowser(): Promise<Browser> {
  // It leaves files behind when it ends in a hurry.
  const TMPDIR = await tempFolder('chromium');
  const browser = await chromium.launch({ executablePath: await findTool('chromium'), args: FLAGS, env: { ...process.env, TMPDIR } as Record<string, string> });
  atEndOfFile(() => browser.close());
  return browser;
}

/** Opens a window. With a token it is signed in. */
export async function openWindow(browser: Browser, url: string, options: { token?: string; dark?: boolean; width?: number; height?: number } = {}): Promise<Window> {
  const { token, dark = false, width = 1280, height = 800 } = options;
  const context = await browser.newContext({ baseURL: url, viewport: { width, height }, colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce' });
  // Of a page that goes through our hands, as below, the browser does not see that it is one of this machine.
  await context.grantPermissions(['local-network-access']);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin && !request.url().startsWith('data:') && !request.url().startsWith('blob:')) faults.push(`asked ${request.url()}`);
  });
  page.on('websocket', (socket) => {
    if (new URL(socket.url()).host !== new URL(url).host) faults.push(`opened ${socket.url()}`);
  });
  page.on('pageerror', (error) => faults.push(`threw ${error.stack ?? error.message}`));
  // What the API refuses is a part of its answers; the browser writes it down as well.
  page.on('console', (message) => message.type() === 'error' && !message.text().startsWith('Failed to load resource') && faults.push(`said ${message.text()}`));
  if (token !== undefined) await signIn(page, url, token);
  // Only documents: whatever else went through our hands would take its time, and what leads elsewhere would not lead there.
  await page.route((address) => address.origin === new URL(url).origin && !/^\/(api|assets|healthz|login)(\/|$)/.test(address.pathname), async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, headers: { 'content-security-policy': POLICY, ...response.headers() } });
  });
  return {
    page,
    faults,
    async go(path, heading) {
      await page.goto(path);
      await page.getByRole('heading', { level: 1, name: heading }).waitFor();
    },
    barriers: () => barriers(page),
    async picture(name) {
      if (process.env['BERTH_SCREENSHOTS'] !== '1') return;
      await mkdir(SHOTS, { recursive: true });
      await page.screenshot({ path: join(SHOTS, `${name}.png`) });
    },
  };
}

/** As the page of that name does. */
export async function signIn(page: Page, url: string, token: string): Promise<void> {
  const answer = await page.context().request.post(`${url}/api/v1/session`, { data: { token } });
  if (!answer.ok()) throw new Error(`signing in: ${answer.status()} ${await answer.text()}`);
}

interface Axe {
  run(): Promise<{ violations: { id: string; impact: string | null; help: string; nodes: { html: string }[] }[] }>;
}

async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: Axe }).axe.run());
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' ')}`);
}
