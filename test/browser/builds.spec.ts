import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { httpClient, type BerthHttp } from '@berth/client';
import { startBerth } from '../support/berth.js';
import { openWindow, startBrowser, type Window } from '../support/browser.js';
import { tempFolder } from '../support/cleanup.js';
import { startTestSshd } from '../support/sshd.js';
import { eventually } from '../support/wait.js';

const REPORT = '<testsuite name="math" tests="3"><testcase classname="math" name="adds"/><testcase classname="math" name="waits"><skipped/></testcase><testcase classname="math" name="divides"><failure message="by zero">at math.c:7</failure></testcase></testsuite>';
const PLAN = `name: ship
host: { pool: one }
variables:
  GATE: { required: true, description: a folder that steps wait in }
  LEVEL: { type: number, default: 3 }
  TARGET: { type: choice, choices: [staging, production], default: staging }
steps:
  - { name: Prepare, run: 'while [ ! -e "$GATE/prepare" ]; do sleep 0.05; done; echo "version=1.2.3" >>"$BERTH_OUTPUT"' }
  - { name: Compile, run: 'echo compiling; mkdir out; echo "made for $TARGET" >out/ship.txt; printf %s "$REPORT" >report.xml', env: { REPORT: '${REPORT}' } }
  - { name: Lint, needs: [prepare], run: 'while [ ! -e "$GATE/lint" ]; do sleep 0.05; done' }
  - { name: Results, needs: [compile], uses: publish-fragment, continueOnError: true, with: { path: report.xml } }
  - { name: Keep, needs: [compile], uses: upload-artifact, with: { path: 'out/*' } }
  - { name: Release?, id: ok, needs: [lint, results, keep], uses: wait-for-approval, with: { message: release it? } }
  - { name: Deploy, needs: [ok], run: "echo deploying; echo 'error: no such host' >&2; exit 3" }
`;

describe('plans and builds', () => {
  let berth: Awaited<ReturnType<typeof startBerth>>;
  let api: BerthHttp;
  let browser: Awaited<ReturnType<typeof startBrowser>>;
  let window: Window;
  let gate: string;
  let sshd: Awaited<ReturnType<typeof startTestSshd>>;

  beforeAll(async () => {
    const [started, opened, server, folder] = await Promise.all([tempFolder('berth').then(startBerth), startBrowser(), startTestSshd(), tempFolder('gate')]);
    [berth, browser, sshd, gate] = [started, opened, server, folder];
    api = httpClient(berth);
    await Promise.all(['host', 'two'].map((name) => mkdir(join(gate, name))));
    await api.machines.add({ name: 'one', address: sshd.host, port: sshd.port, user: sshd.user, credential: `file:${sshd.privateKeyPath}`, platform: 'linux', slots: 4, attributes: { pool: 'one' }, folder: join(gate, 'host') });
  });
  afterEach(async () => {
    expect(window.faults).toEqual([]);
    await window.page.context().close();
  });

  const open = (name: string) => writeFile(join(gate, name), '');
  const outcome = (name: string, word: string) => window.page.getByRole('table', { name: 'Steps' }).getByRole('row').filter({ has: window.page.getByRole('button', { name, exact: true }) }).getByText(word, { exact: true }).waitFor();
  const status = (word: string) => window.page.locator('.now .badge').getByText(word, { exact: true }).waitFor();
  /** A build that a test has no more use for is ended, so that its host is free. */
  const over = (id: string) => eventually(async () => expect(['passed', 'failed', 'aborted', 'error']).toContain((await api.builds.get(id)).status), { timeoutMs: 30_000, everyMs: 100 });

  test('a plan is written, with what is wrong told by line, and saved in versions', async () => {
    window = await openWindow(browser, berth.url, { token: berth.token });
    const { page } = window;
    await window.go('/plans', 'Plans');
    await page.getByRole('button', { name: 'New plan' }).click();
    await page.getByLabel('Plan', { exact: true }).fill(PLAN.replace('needs: [ok]', 'needs: [oh]').replace('uses: publish-fragment, ', 'uses: publish, '));
    await page.getByRole('button', { name: 'Check' }).click();
    const faults = page.getByRole('list', { name: 'What is wrong' }).getByRole('listitem');
    await faults.filter({ hasText: 'line 11, column' }).waitFor();
    expect(await window.barriers()).toEqual([]);
    await window.picture('plan-faults');
    await faults.filter({ hasText: 'line 11, column' }).getByRole('button').click();
    const chosen = await page.getByLabel('Plan', { exact: true }).evaluate((area) => {
      const { value, selectionStart } = area as unknown as { value: string; selectionStart: number };
      return value.slice(0, selectionStart).split('\n').length;
    });
    expect(chosen).toBe(11);

    await page.getByLabel('Plan', { exact: true }).fill(PLAN);
    await page.getByRole('button', { name: 'Check' }).click();
    await page.getByText('It can be saved as ship: 7 steps').waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { level: 1, name: 'ship' }).waitFor();

    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Plan', { exact: true }).fill(PLAN.replace('default: 3', 'default: 4'));
    await page.getByRole('button', { name: 'Save as version 2' }).click();
    const versions = page.getByLabel('Version', { exact: true });
    await versions.waitFor();
    await page.getByRole('group', { name: 'Source of the plan' }).getByText('default: 4').waitFor();
    await page.getByRole('group', { name: 'Graph of the steps' }).getByRole('button', { name: 'Deploy' }).waitFor();
    expect(await window.barriers()).toEqual([]);
    await window.picture('plan');
    await versions.selectOption('1');
    await page.getByText('This is version 1. Builds start from the newest one, 2.').waitFor();
    await page.getByRole('group', { name: 'Source of the plan' }).getByText('default: 3').waitFor();
    expect(page.url()).toContain('version=1');

    // Somebody else saves it while one writes: what was written stays, and does not take the place of theirs unless one says so.
    await page.getByRole('button', { name: 'Edit' }).click();
    const mine = PLAN.replace('default: 3', 'default: 5');
    await page.getByLabel('Plan', { exact: true }).fill(mine);
    await api.plans.apply(PLAN.replace('default: 3', 'default: 6'));
    await page.getByRole('button', { name: 'Save as version 4' }).click();
    await page.getByRole('alert').getByText('It was changed meanwhile').waitFor();
    expect(await page.getByLabel('Plan', { exact: true }).inputValue()).toBe(mine);
    expect(await window.barriers()).toEqual([]);
    await page.getByRole('button', { name: 'Save over it' }).click();
    await page.getByRole('group', { name: 'Source of the plan' }).getByText('default: 3').waitFor();
    await versions.selectOption({ index: 0 });
    await page.getByRole('group', { name: 'Source of the plan' }).getByText('default: 5').waitFor();
    expect(await api.plans.get('ship')).toMatchObject({ version: 4, source: mine });
  });

  test('a build is started by the form of its plan, watched as it goes, paused, decided on, and its failure is told', async () => {
    await api.plans.apply(PLAN);
    window = await openWindow(browser, berth.url, { token: berth.token });
    const { page } = window;
    await window.go('/plans/ship/start', 'Start ship');
    await page.getByLabel('LEVEL').fill('high');
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByText('is required (a folder that steps wait in)', { exact: true }).waitFor();
    const wrong = page.getByLabel('GATE');
    expect(await wrong.getAttribute('aria-invalid')).toBe('true');
    expect(await page.getByLabel('LEVEL').getAttribute('aria-invalid')).toBe('true');
    expect(await window.barriers()).toEqual([]);
    await window.picture('plan-start');
    await wrong.fill(gate);
    await page.getByLabel('LEVEL').fill('5');
    await page.getByLabel('TARGET').selectOption('production');
    await page.getByLabel('Priority').fill('7');
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByRole('heading', { level: 1, name: /ship [0-9a-f]{8}/ }).waitFor();
    const id = new URL(page.url()).pathname.split('/').at(-1)!;
    const loads = await page.evaluate(() => performance.timeOrigin);

    // Everything below comes to the page by itself.
    await outcome('Prepare', 'running');
    await status('building');
    await page.getByRole('link', { name: 'one', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await status('paused');
    await open('prepare');
    await outcome('Prepare', 'passed');
    expect((await api.builds.get(id)).steps.map((step) => step.outcome)).toEqual(['passed', 'waiting', 'waiting', 'waiting', 'waiting', 'waiting', 'waiting']);
    await page.getByRole('button', { name: 'Resume' }).click();
    await outcome('Compile', 'passed');
    await outcome('Lint', 'running');
    await outcome('Results', 'failed, allowed');
    await outcome('Keep', 'passed');
    expect(await window.barriers()).toEqual([]);
    await window.picture('build-running');

    // From step to step with arrow keys.
    await page.getByRole('group', { name: 'Graph of the steps' }).getByRole('button', { name: 'Prepare' }).focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'Step Lint' }).getByText('run-command').waitFor();
    await page.getByRole('table', { name: 'Steps' }).getByRole('button', { name: 'Prepare', exact: true }).click();
    await page.getByRole('region', { name: 'Step Prepare' }).getByText('1.2.3').waitFor();

    await open('lint');
    const decision = page.getByRole('group', { name: 'Release? waits for an approval' });
    await decision.getByText(': release it?').waitFor();
    await window.picture('build-approval');
    await decision.getByRole('button', { name: 'Approve' }).click();
    await page.getByLabel('What you say about it (if you like)').fill('looks good');
    await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
    await status('failed');
    const failure = page.getByRole('group', { name: 'Why it failed' });
    await failure.getByText('ended with exit code 3').waitFor();
    await failure.getByLabel('What it printed last').getByText('error: no such host').waitFor();
    expect(await page.evaluate(() => performance.timeOrigin)).toBe(loads);
    expect(await window.barriers()).toEqual([]);
    await window.picture('build-failed');

    await page.getByRole('link', { name: 'Tests 1' }).click();
    const findings = page.getByRole('list', { name: 'Findings of Results' }).getByRole('listitem');
    await findings.first().getByText('divides').waitFor();
    expect(await findings.first().innerText()).toContain('failed');
    expect(await findings.last().innerText()).toContain('skipped');
    expect(await window.barriers()).toEqual([]);
    await window.picture('build-tests');

    await page.getByRole('link', { name: 'History' }).last().click();
    await page.getByText('Step 7, Deploy, begins.').waitFor();
    expect(await window.barriers()).toEqual([]);

    await page.getByRole('link', { name: 'Steps', exact: true }).click();
    await page.getByRole('table', { name: 'Steps' }).getByRole('button', { name: 'Run Deploy again' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Run it again' }).click();
    await page.getByText('generation 2', { exact: false }).first().waitFor();
    // It shares its host with all that it builds on, so that is run again too.
    await outcome('Release?', 'waits for an approval');
    await api.builds.abort(id);
    await status('aborted');
    await over(id);
  });

  test('artifacts are downloaded, pinned and dropped; a build is restarted, its generations stand side by side, and it is aborted', async () => {
    await api.plans.apply(PLAN);
    await Promise.all(['prepare', 'lint'].map(open));
    const { id } = await api.builds.request({ plan: 'ship', variables: { GATE: gate } });
    window = await openWindow(browser, berth.url, { token: berth.token, dark: true });
    const { page } = window;
    await window.go(`/builds/${id}/artifacts`, /ship [0-9a-f]{8}/);
    const row = page.getByRole('row').filter({ hasText: 'ship.txt' });
    const [file] = await Promise.all([page.waitForEvent('download'), row.getByRole('link', { name: /^Download/ }).click()]);
    expect(await readFile(await file.path(), 'utf8')).toBe('made for staging\n');
    expect(file.suggestedFilename()).toBe('ship.txt');
    await row.getByRole('button', { name: /^Pin/ }).click();
    await row.getByText('pinned').waitFor();
    expect((await api.builds.artifacts(id)).items.find(({ name }) => name.endsWith('ship.txt'))?.pinned).toBe(true);
    expect(await window.barriers()).toEqual([]);
    await window.picture('build-artifacts-dark');
    await row.getByRole('button', { name: /^Drop/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Drop it' }).click();
    await row.waitFor({ state: 'detached' });

    await page.getByRole('link', { name: 'Steps', exact: true }).click();
    await page.getByRole('button', { name: 'Restart' }).click();
    expect(await window.barriers()).toEqual([]);
    await page.getByLabel('Where').selectOption('same');
    await page.getByRole('dialog').getByRole('button', { name: 'Restart it' }).click();
    await page.getByText('generation 2', { exact: false }).first().waitFor();
    expect((await api.builds.get(id)).generation).toBe(2);
    await outcome('Release?', 'waits for an approval');
    await page.getByRole('button', { name: 'Abort' }).click();
    await page.getByLabel('Why (if you like)').fill('not now');
    await page.getByRole('dialog').getByRole('button', { name: 'Abort it' }).click();
    await status('aborted');
    await page.getByText('Aborted: not now').waitFor();

    await page.getByRole('link', { name: 'Generations 2' }).click();
    const table = page.getByRole('table', { name: 'Generations' });
    await table.getByRole('columnheader', { name: 'Generation 2, the present one' }).waitFor();
    await table.getByText('not now').waitFor();
    await table.getByText('begun anew').waitFor();
    expect(await window.barriers()).toEqual([]);
    await window.picture('build-generations-dark');
    await over(id);
  });

  test('builds are listed as they come and go, filtered by the address; what is refused is told in words', async () => {
    await api.plans.apply('name: quick\nhost: { pool: one }\nrestartable: never\nsteps:\n  - { name: Do, run: "true" }\n');
    window = await openWindow(browser, berth.url, { token: berth.token, width: 800 });
    const { page } = window;
    await window.go('/builds?plan=quick', 'Builds');
    await page.getByText('No build is like that.').waitFor();
    const { id } = await api.builds.request({ plan: 'quick' });
    const row = page.getByRole('row').filter({ hasText: id.slice(0, 8) });
    await row.getByText('passed').waitFor();
    expect(await window.barriers()).toEqual([]);
    await window.picture('builds-narrow');
    await page.getByLabel('Status').selectOption('failed or in error');
    await page.getByText('No build is like that.').waitFor();
    expect(new URL(page.url()).search).toBe('?plan=quick&status=failed%2Cerror');
    await window.go(`/builds/${id}`, /quick [0-9a-f]{8}/);
    await outcome('Do', 'passed');
    expect(await window.barriers()).toEqual([]);
    await window.picture('build-narrow');
    await page.getByRole('button', { name: 'Restart' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Restart it' }).click();
    await page.getByRole('dialog').getByText('Builds of plan quick are not run again.').waitFor();
    expect(await window.barriers()).toEqual([]);
  });

  test('a build that waits for a host says why, and goes on by itself when there is one', async () => {
    const { host, port, user, privateKeyPath } = sshd;
    await api.machines.add({ name: 'two', address: host, port, user, credential: `file:${privateKeyPath}`, platform: 'linux', slots: 1, attributes: { pool: 'two' }, folder: join(gate, 'two') });
    const lease = await api.leases.request({ type: 'host', owner: 'ada', attributes: { pool: 'two' } });
    await eventually(async () => expect((await api.leases.get(lease.id)).status).toBe('active'), { timeoutMs: 20_000, everyMs: 100 });
    await api.plans.apply('name: waiting\nhost: { pool: two }\nsteps:\n  - { name: Do, run: "true" }\n');
    const { id } = await api.builds.request({ plan: 'waiting' });
    window = await openWindow(browser, berth.url, { token: berth.token, dark: true });
    const { page } = window;
    await window.go(`/builds/${id}`, /waiting [0-9a-f]{8}/);
    const why = page.getByRole('region', { name: 'Why it waits' });
    await why.getByRole('table').getByRole('row').filter({ hasText: 'two' }).getByText('ada', { exact: true }).waitFor();
    expect(await window.barriers()).toEqual([]);
    await window.picture('build-waiting-dark');
    await api.leases.release(lease.id);
    await outcome('Do', 'passed');
    await status('passed');
    await why.waitFor({ state: 'detached' });
    await over(id);
  });
});
