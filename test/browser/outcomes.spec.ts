import { afterEach, beforeAll, expect, test } from 'vitest';
import { httpClient, type BerthHttp } from '@berth/client';
import { startBerth } from '../support/berth.js';
import { openWindow, startBrowser, type Window } from '../support/browser.js';
import { tempFolder } from '../support/cleanup.js';
import { startTestSshd } from '../support/sshd.js';
import { eventually } from '../support/wait.js';

const SOON = { timeoutMs: 30_000, everyMs: 100 };
const LINT = '<checkstyle><file name="src/math.c"><error line="3" severity="warning" message="declared twice" source="style.names"/><error line="7" column="2" severity="error" message="divides by zero" source="style.zero"/><error severity="info" message="has no licence"/></file></checkstyle>';
const PLAN = `name: gate
host: { pool: one }
steps:
  - { name: Check, run: 'printf %s "$REPORT" >lint.xml', env: { REPORT: '${LINT}' } }
  - { name: Remarks, needs: [check], uses: publish-fragment, continueOnError: true, with: { path: lint.xml } }
  - { name: Release?, id: ok, needs: [remarks], uses: wait-for-approval, with: { message: release it?, by: [ada, bob] } }
  - { name: Deploy, needs: [ok], run: echo deploying }
`;

let api: BerthHttp;
let berth: Awaited<ReturnType<typeof startBerth>>;
let browser: Awaited<ReturnType<typeof startBrowser>>;
let window: Window;

beforeAll(async () => {
  const [started, opened, sshd, folder] = await Promise.all([tempFolder('berth').then(startBerth), startBrowser(), startTestSshd(), tempFolder('host')]);
  [berth, browser] = [started, opened];
  api = httpClient(berth);
  await api.machines.add({ name: 'one', address: sshd.host, port: sshd.port, user: sshd.user, credential: `file:${sshd.privateKeyPath}`, platform: 'linux', slots: 2, attributes: { pool: 'one' }, folder });
  await api.plans.apply(PLAN);
});
afterEach(async () => {
  expect(window.faults).toEqual([]);
  await window.page.context().close();
});

/** A build that waits for its approval, looked at. */
async function waiting(): Promise<string> {
  const { id } = await api.builds.request({ plan: 'gate' });
  await eventually(async () => expect((await api.builds.get(id)).steps[2]!.outcome).toBe('running'), SOON);
  window = await openWindow(browser, berth.url, { token: berth.token });
  await window.go(`/builds/${id}`, /gate [0-9a-f]{8}/);
  return id;
}

test('an approval is refused in the name of somebody who may, which fails the build, and nothing that needs it runs', async () => {
  const id = await waiting();
  const { page } = window;
  const decision = page.getByRole('group', { name: 'Release? waits for an approval' });
  await decision.getByText(/of ada or bob/).waitFor();
  await decision.getByRole('button', { name: 'Refuse' }).click();
  const dialog = page.getByRole('dialog', { name: 'Refuse: Release?' });
  await dialog.getByLabel('What you say about it (if you like)').fill('not before the weekend');
  await dialog.getByLabel(/^In whose name/).fill('carol');
  await dialog.getByRole('button', { name: 'Refuse' }).click();
  // She is not among those who may, which is told beside her name.
  await eventually(async () => expect(await dialog.getByLabel(/^In whose name/).getAttribute('aria-invalid')).toBe('true'), SOON);
  expect(await window.barriers()).toEqual([]);
  expect((await api.builds.get(id)).status).toBe('building');
  await dialog.getByLabel(/^In whose name/).fill('bob');
  await dialog.getByRole('button', { name: 'Refuse' }).click();

  await page.locator('.now .badge').getByText('failed', { exact: true }).waitFor();
  await decision.waitFor({ state: 'detached' });
  await page.getByRole('group', { name: 'Why it failed' }).getByText(/not before the weekend/).first().waitFor();
  const steps = (await api.builds.get(id)).steps.map(({ name, outcome }) => [name, outcome]);
  expect(steps.slice(2)).toEqual([['Release?', 'failed'], ['Deploy', 'skipped']]);
  expect(await window.barriers()).toEqual([]);
});

test('an artifact that is elsewhere is a link there, which opens beside the page; remarks of an analysis are listed, errors first', async () => {
  const id = await waiting();
  const { page } = window;
  await page.getByRole('link', { name: /^Artifacts/ }).click();
  // Its host and its working copy are there while they are its own.
  await page.getByRole('table', { name: 'Artifacts' }).getByRole('row').filter({ hasText: 'working-copy://' }).waitFor();
  await api.builds.link(id, { name: 'docs', uri: 'https://docs.example/gate/1' });
  const link = page.getByRole('table', { name: 'Artifacts' }).getByRole('link', { name: 'docs' });
  await link.waitFor();
  expect(await Promise.all(['href', 'target', 'rel'].map((attribute) => link.getAttribute(attribute)))).toEqual(['https://docs.example/gate/1', '_blank', 'noopener noreferrer']);
  const row = page.getByRole('row').filter({ hasText: 'docs' });
  // It is not ours to hand out.
  expect(await row.getByRole('link', { name: /^Download/ }).count()).toBe(0);
  expect(await window.barriers()).toEqual([]);

  await page.getByRole('link', { name: 'Tests 1' }).click();
  const remarks = page.getByRole('region', { name: 'Remarks' });
  await remarks.getByText('checkstyle, 3 remarks').waitFor();
  const findings = remarks.getByRole('list', { name: 'Findings of Remarks' }).getByRole('listitem');
  expect((await findings.allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' '))).toEqual(['error divides by zero style.zero src/math.c:7', 'warning declared twice style.names src/math.c:3', 'note has no licence src/math.c']);
  expect(await window.barriers()).toEqual([]);
  await window.picture('build-remarks');
  await api.builds.abort(id);
  await eventually(async () => expect((await api.builds.get(id)).status).toBe('aborted'), SOON);
});
