import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { httpClient, type BerthHttp } from '@berth/client';
import { startBerth } from '../support/berth.js';
import { openWindow, startBrowser, type Window } from '../support/browser.js';
import { tempFolder } from '../support/cleanup.js';
import { startTestSshd } from '../support/sshd.js';
import { eventually } from '../support/wait.js';

const LINES = 100_000;
const LONG = `name: long
host: { pool: one }
steps:
  - name: Print
    run: |
      echo "::group::Set-up"
      printf '\\033[1;31mred\\033[0m and \\033[42mgreen\\033[0m\\n'
      echo three
      echo "::endgroup::"
      awk 'BEGIN { for (i = 5; i < ${LINES}; i++) print "line " i (i % 20000 == 0 ? " needle" : "") }'
      echo the end
  - { name: After, run: 'echo "<b>not bold</b> needle"' }
  - { name: Warn, run: "echo 'to stderr' >&2" }
`;
const GROWING = `name: growing
host: { pool: one }
variables: { GATE: { required: true } }
steps:
  - name: Print
    run: 'seq -f "early %g" 200; n=0; while [ ! -e "$GATE/enough" ]; do if [ -e "$GATE/more-$n" ]; then n=$((n+1)); seq -f "batch $n line %g" 50; fi; sleep 0.05; done; echo over'
`;

describe('the log of a build', () => {
  let berth: Awaited<ReturnType<typeof startBerth>>;
  let api: BerthHttp;
  let browser: Awaited<ReturnType<typeof startBrowser>>;
  let window: Window;
  let gate: string;

  beforeAll(async () => {
    const [started, opened, sshd, folder] = await Promise.all([tempFolder('berth').then(startBerth), startBrowser(), startTestSshd(), tempFolder('gate')]);
    [berth, browser, gate] = [started, opened, folder];
    api = httpClient(berth);
    await mkdir(join(gate, 'host'));
    await api.machines.add({ name: 'one', address: sshd.host, port: sshd.port, user: sshd.user, credential: `file:${sshd.privateKeyPath}`, platform: 'linux', slots: 4, attributes: { pool: 'one' }, folder: join(gate, 'host') });
  });
  afterEach(async () => {
    expect(window.faults).toEqual([]);
    await window.page.context().close();
  });

  const open = (name: string) => writeFile(join(gate, name), '');
  const status = (id: string, wanted: string) => eventually(async () => expect((await api.builds.get(id)).status).toBe(wanted), { timeoutMs: 40_000, everyMs: 100 });
  const line = (place: string) => window.page.locator(`[data-line="${place}"]`);
  const says = (place: string, text: string) =>
    line(place).getByText(text, { exact: true }).waitFor().catch(async (error: unknown) => {
      throw new Error(`line ${place} is there as ${JSON.stringify(await line(place).allInnerTexts())}`, { cause: error });
    });
  const rowsInPage = () => window.page.locator('.log-line').count();

  test('a hundred thousand lines are scrolled, searched, folded and led to, and few of them are in the page', async () => {
    await api.plans.apply(LONG);
    const { id } = await api.builds.request({ plan: 'long' });
    await status(id, 'passed');
    window = await openWindow(browser, berth.url, { token: berth.token });
    const { page } = window;
    const asked: URL[] = [];
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (/^\/api\/.*\/log$/.test(url.pathname)) asked.push(url);
    });
    await window.go(`/builds/${id}/log`, /long [0-9a-f]{8}/);
    const box = page.getByRole('region', { name: 'Log of long' });

    // Colours, the two streams, and text that is no markup.
    await says('0:2', 'red');
    expect(await line('0:2').locator('.fore-1').evaluate((one) => one.textContent)).toBe('red');
    expect(await line('0:2').locator('.back-2').evaluate((one) => one.textContent)).toBe('green');
    expect(await window.barriers()).toEqual([]);
    await window.picture('log');

    // By keyboard to the end and back.
    await box.focus();
    await page.keyboard.press('End');
    await says('1:1', '<b>not bold</b> needle');
    await line('2:1').getByTitle('written to stderr').waitFor();
    await says(`0:${LINES}`, 'the end');
    await page.keyboard.press('Home');
    await says('0:5', 'line 5');
    expect(await rowsInPage()).toBeLessThan(120);
    expect(asked.filter((url) => !url.searchParams.has('count') && !url.searchParams.has('tail'))).toEqual([]);
    expect(asked.length).toBeLessThan(20);
    expect(asked.every((url) => Number(url.searchParams.get('count') ?? 0) <= 500)).toBe(true);

    // Found on the server, from one match to the next and around.
    await page.getByLabel('Find').fill('NEEDLE');
    await page.getByText('1 of 5', { exact: true }).waitFor();
    await line('0:20000').getByText('needle').waitFor();
    expect(await line('0:20000').getAttribute('aria-current')).toBe('location');
    await page.getByRole('button', { name: 'Next match' }).click();
    await line('0:40000').locator('mark').waitFor();
    await page.getByLabel('Find').press('Shift+Enter');
    await page.getByLabel('Find').press('Shift+Enter');
    await page.getByText('5 of 5', { exact: true }).waitFor();
    await line('1:1').locator('mark').waitFor();
    expect(await window.barriers()).toEqual([]);
    await window.picture('log-search');
    await page.getByLabel('Find').fill('no such thing');
    await page.getByText('not found').waitFor();
    await page.getByLabel('Find').fill('');

    // A line has an address, which leads to it in another window too.
    await page.getByLabel('Go to line').fill('0:77777');
    await page.getByLabel('Go to line').press('Enter');
    await says('0:77777', 'line 77777');
    expect(new URL(page.url()).hash).toBe('#L0:77777');
    await line('0:77780').getByRole('link', { name: 'Line 77780' }).click();
    expect(new URL(page.url()).hash).toBe('#L0:77780');
    await page.reload();
    await says('0:77780', 'line 77780');
    expect(await line('0:77780').getAttribute('aria-current')).toBe('location');
    await page.goto(`/builds/${id}/log?step=Print#L50000`);
    await says('0:50000', 'line 50000');
    await page.getByRole('region', { name: 'Log of Print' }).waitFor();

    // Groups fold, and unfold when a line in them is asked for.
    await page.getByLabel('Go to line').fill('0:1');
    await page.getByLabel('Go to line').press('Enter');
    const fold = page.getByRole('button', { name: 'Set-up, lines' });
    await fold.click();
    await line('0:2').waitFor({ state: 'detached' });
    await says('0:5', 'line 5');
    expect(await fold.getAttribute('aria-expanded')).toBe('false');
    await page.getByLabel('Go to line').fill('0:3');
    await page.getByLabel('Go to line').press('Enter');
    await says('0:3', 'three');
    await page.getByRole('button', { name: 'Fold all' }).click();
    await line('0:3').waitFor({ state: 'detached' });
    await page.getByText(`passed, ${LINES} lines`).waitFor();
    await page.getByRole('button', { name: 'Unfold all' }).click();

    await page.getByRole('button', { name: 'Times' }).click();
    await line('0:3').locator('time').getByText(/^\d\d:\d\d:\d\d$/).waitFor();
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download as text' }).click()]);
    const text = await readFile(await file.path(), 'utf8');
    expect(text.split('\n')).toHaveLength(LINES + 1);
    expect(text.endsWith('the end\n')).toBe(true);
    expect(await rowsInPage()).toBeLessThan(120);
  });

  test('a log that grows is followed at its end until one scrolls away, and again when one comes back', async () => {
    await api.plans.apply(GROWING);
    const { id } = await api.builds.request({ plan: 'growing', variables: { GATE: gate } });
    window = await openWindow(browser, berth.url, { token: berth.token, dark: true });
    const { page } = window;
    // Opened before anything was printed.
    await window.go(`/builds/${id}/log`, /growing [0-9a-f]{8}/);
    await says('0:200', 'early 200');
    await open('more-0');
    await says('0:250', 'batch 1 line 50');
    await page.getByRole('button', { name: 'Follows the end' }).waitFor();
    expect(await window.barriers()).toEqual([]);
    await window.picture('log-follow-dark');

    await page.getByRole('region', { name: 'Log of growing' }).focus();
    await page.keyboard.press('Home');
    await says('0:1', 'early 1');
    await page.getByRole('button', { name: 'Follow the end' }).waitFor();
    await open('more-1');
    await page.getByText('running, 300 lines').waitFor();
    await says('0:1', 'early 1');
    await line('0:300').waitFor({ state: 'detached' });
    await page.keyboard.press('End');
    await says('0:300', 'batch 2 line 50');
    await page.getByRole('button', { name: 'Follows the end' }).waitFor();
    await open('more-2');
    await says('0:350', 'batch 3 line 50');
    await open('enough');
    await says('0:351', 'over');
    await status(id, 'passed');
    await page.getByRole('button', { name: 'Fold all' }).click();
    await page.getByText('passed, 351 lines').waitFor();
  });
});
