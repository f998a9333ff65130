import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { startMachine, type Machine } from '../../services/host-agent-gateway/src/jobs/drivers/machine.testing.js';
import { openWindow, startBrowser, type Window } from '../support/browser.js';
import { atEndOfFile } from '../support/cleanup.js';
import { onLive } from '../support/on-live.js';
import { eventually } from '../support/wait.js';

const SOON = { timeoutMs: 30_000, everyMs: 50 };
const LADDER = (['ssh_reboot', 'ipmi_reset', 'snmp_reboot', 'file_ticket'] as const).map((method) => ({ method, timeout: 10_000, downWithin: 2000, upWithin: 20_000 }));
const STEPS = ['Take it out of monitoring', 'Make a login for whoever borrows it'];

const TICKET = 'https://tickets.example/OPS-1';

/** A tracker that files whatever it is told. */
async function startTracker(): Promise<string> {
  const server = createServer((request, response) => request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ id: 'OPS-1', url: TICKET }))));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEndOfFile(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/tickets`;
}

const on = onLive(async () => ({ BERTH_TICKETS: `webhook+${await startTracker()}`, BERTH_TICKETS_SECRET: 'tickets' }));
/** Its operating system refuses to reboot, so that it takes a second attempt. */
let forge: Machine;
beforeAll(async () => {
  forge = await startMachine({ ignoresSsh: true, bootMs: 3000 });
  const { berth, sshd } = on.live;
  for (const [name, value] of Object.entries(forge.secrets)) await berth.secrets.set(name, new TextEncoder().encode(value));
  await berth.secrets.set('tickets', new TextEncoder().encode(`whsec_${Buffer.alloc(32, 9).toString('base64')}`));
  await berth.hardwareGroups.set('forges', { escalation: LADDER, loanSteps: STEPS });
  await berth.hardware.set('forge', { address: '127.0.0.1', groups: ['forges'], workers: [{ id: 'tc-forge-1', group: 'releng' }], interfaces: forge.hardware });
  await berth.hardware.set('anvil', { address: sshd.host, workers: [{ id: 'tc-anvil-1' }, { id: 'tc-anvil-2' }] });
});

/** Nothing serious, light and dark; and nothing that is secret. */
async function lookedAt(window: Window, picture?: string): Promise<void> {
  const { page } = window;
  expect(await window.barriers()).toEqual([]);
  if (picture !== undefined) await window.picture(picture);
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await window.barriers()).toEqual([]);
  await page.emulateMedia({ colorScheme: 'light' });
  const text = await page.content();
  for (const secret of Object.values(forge.secrets)) expect(text).not.toContain(secret);
}

describe('hardware jobs', () => {
  test('a reboot is asked for from the page, and its attempts come as they go until it is complete', async () => {
    const window = await on.open();
    const { page } = window;
    await window.go('/hardware', 'Hardware');
    const row = page.getByRole('table', { name: 'Hardware' }).getByRole('row').filter({ hasText: 'forge' });
    await row.getByText('tc-forge-1').waitFor();
    await page.getByRole('button', { name: 'Reboot forge' }).click();
    const dialog = page.getByRole('dialog', { name: 'Reboot: forge' });
    await dialog.getByLabel('Why').fill('it hangs');
    await dialog.getByRole('button', { name: 'Reboot' }).click();
    await dialog.getByText('Confirm first').waitFor();
    expect((await on.live.berth.jobs.list({ machine: 'forge' })).items).toEqual([]);
    await lookedAt(window, 'job-ask');
    await dialog.getByRole('checkbox').check();
    await dialog.getByRole('button', { name: 'Reboot' }).click();
    await page.getByRole('heading', { level: 1, name: 'reboot of forge' }).waitFor();
    // Whatever is seen from here on has come without a reload.
    await page.evaluate('globalThis.opened = true');
    const attempts = page.getByRole('list', { name: 'Attempts' }).getByRole('listitem');
    await attempts.nth(0).getByText('1. ssh_reboot').waitFor();
    await attempts.nth(0).getByText('failed', { exact: true }).waitFor();
    await attempts.nth(0).getByText('refused', { exact: true }).waitFor();
    await attempts.nth(1).getByText('2. ipmi_reset').waitFor();
    await attempts.nth(1).getByText('running', { exact: true }).waitFor();
    await attempts.nth(1).getByText(/sent \d\d:/).waitFor();
    await page.getByRole('region', { name: 'How it is' }).getByText('reboots it by ipmi_reset').waitFor();
    await window.picture('job-running');
    await page.getByRole('region', { name: 'How it is' }).getByText('complete', { exact: true }).waitFor();
    await attempts.nth(1).getByText('succeeded', { exact: true }).waitFor();
    await page.getByRole('region', { name: 'How it is' }).getByText('up', { exact: true }).waitFor();
    await page.getByText('Complete; the machine is up.').waitFor();
    expect(await page.evaluate('globalThis.opened')).toBe(true);
    expect(forge.events).toEqual(['ssh reboot', 'reset', 'down', 'up']);
    expect((await on.live.berth.jobs.list({ machine: 'forge' })).items).toMatchObject([{ task: 'reboot', status: 'COMPLETE', reason: 'it hangs' }]);
    await lookedAt(window, 'job');
    await page.goBack();
    await row.getByText('complete', { exact: true }).waitFor();
    await lookedAt(window, 'hardware');
    await page.setViewportSize({ width: 800, height: 800 });
    expect(await page.evaluate('document.documentElement.scrollWidth'), 'nothing is wider than the page').toBe(800);
  });

  test('what can not be done is not offered, and said why; interfaces are told with the names of their secrets', async () => {
    const window = await on.open();
    const { page } = window;
    await window.go('/hardware/forge', /forge/);
    const can = page.getByRole('region', { name: 'What can be done' });
    await can.getByRole('button', { name: 'Power off by IPMI' }).waitFor();
    expect(await can.getByRole('button', { name: 'Wake' }).count()).toBe(0);
    await can.getByText(/more can not be asked for/).click();
    await can.getByText('Wake (wake): needs the interface wake.').waitFor();
    await page.getByRole('table', { name: 'Interfaces' }).getByText('bmc-password').waitFor();
    await page.getByRole('table', { name: 'Ladder' }).getByText('snmp_reboot').waitFor();
    await lookedAt(window, 'hardware-machine');
  });

  test('how a machine is managed is written, with what is wrong by line', async () => {
    const window = await on.open();
    const { page } = window;
    await window.go('/hardware', 'Hardware');
    await page.getByRole('button', { name: 'New hardware' }).click();
    const text = page.getByRole('textbox', { name: 'Specification' });
    await text.fill('name: dross\naddress: 10.0.0.9\ninterfaces:\n  ipmi:\n    address: 10.1.0.9\n    user: root\n    password: p\n    port: many\n');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('list', { name: 'What is wrong' }).getByRole('button', { name: 'line 8' }).waitFor();
    await lookedAt(window);
    await text.fill((await text.inputValue()).replace('many', '624'));
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('link', { name: 'dross' }).click();
    await page.getByText('10.1.0.9:624').waitFor();
    await page.getByRole('button', { name: 'Edit' }).click();
    await text.fill((await text.inputValue()).replace('groups: []', 'groups: [ forges ]'));
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('table', { name: 'Ladder' }).waitFor();
    expect(await on.live.berth.hardware.get('dross')).toMatchObject({ groups: ['forges'], interfaces: { ipmi: { port: 624, password: 'p' } } });
    await page.getByRole('link', { name: 'forges', exact: true }).click();
    await text.fill((await text.inputValue()).replace('mail: []', 'mail: [ ops@example.com ]'));
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { level: 1, name: 'Hardware' }).waitFor();
    await eventually(async () => expect(await on.live.berth.hardwareGroups.get('forges')).toMatchObject({ mail: ['ops@example.com'], loanSteps: STEPS, escalation: LADDER }), SOON);
    await page.getByRole('table', { name: 'Hardware' }).getByRole('link', { name: 'dross' }).click();
    await page.getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('heading', { level: 1, name: 'Hardware' }).waitFor();
    await page.getByRole('table', { name: 'Hardware' }).getByRole('link', { name: 'dross' }).waitFor({ state: 'detached' });
  });

  test('one that waits for the work on its machine says so wherever that is looked at, and is cancelled', async () => {
    const window = await on.open();
    const { page } = window;
    await window.go('/hardware/anvil', /anvil/);
    const ask = async () => {
      await page.getByRole('button', { name: 'Disable', exact: true }).click();
      const dialog = page.getByRole('dialog', { name: 'Disable: anvil' });
      await dialog.getByRole('button', { name: 'Disable' }).click();
      return dialog;
    };
    await ask();
    await page.getByRole('heading', { level: 1, name: 'disable of anvil' }).waitFor();
    const how = page.getByRole('region', { name: 'How it is' });
    await how.getByText('queued', { exact: true }).waitFor();
    await how.getByText(/waits: machine anvil is in use by .*ada/).waitFor();
    await lookedAt(window);
    const job = (await on.live.berth.jobs.list({ machine: 'anvil' })).items[0]!;
    await how.getByRole('link', { name: job.lease!.slice(0, 8) }).click();
    await page.getByText(/the whole of anvil: nothing else is on it meanwhile/).waitFor();
    await window.go('/machines/anvil', /anvil/);
    await page.getByText('Taken as a whole').waitFor();
    await page.getByRole('link', { name: job.id.slice(0, 8) }).waitFor();
    await lookedAt(window);
    await window.go('/', 'Overview');
    await page.getByRole('table', { name: 'Hardware jobs' }).getByText('disable', { exact: true }).waitFor();
    await window.go('/machines/anvil', /anvil/);
    await page.getByRole('region', { name: 'How it is' }).getByRole('link', { name: 'anvil' }).click();
    // A second one is refused, and the page says which is under way.
    const dialog = await ask();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByRole('link', { name: job.id.slice(0, 8) }).click();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('dialog').getByLabel('Why').fill('not today');
    await page.getByRole('dialog').getByRole('button', { name: 'End it' }).click();
    await how.getByText('cancelled', { exact: true }).waitFor();
    await how.getByText('not today').waitFor();
    await page.getByRole('button', { name: 'Cancel', exact: true }).waitFor({ state: 'detached' });
    await eventually(async () => expect((await on.live.berth.leases.get(job.lease!)).status).toBe('destroyed'), SOON);
  });

  test('a loan: its steps are done one after the other, then it is theirs, and comes back', async () => {
    const window = await on.open();
    const { page } = window;
    await window.go('/hardware/forge', /forge/);
    await page.getByRole('button', { name: 'Loan', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Loan: forge' });
    await dialog.getByLabel('For whom').fill('ada');
    await dialog.getByRole('button', { name: 'Loan' }).click();
    await page.getByRole('heading', { level: 1, name: 'loan of forge' }).waitFor();
    await page.getByRole('region', { name: 'What was asked for' }).getByRole('link', { name: 'forge' }).click();
    const loan = page.getByRole('region', { name: 'Loan' });
    await loan.getByText('pending', { exact: true }).waitFor();
    await loan.getByText('comes later').waitFor();
    expect(await loan.getByRole('button').count()).toBe(1);
    await loan.getByRole('button', { name: `Done: ${STEPS[0]}` }).click();
    await loan.getByText('1 of 2 steps are done').waitFor();
    await lookedAt(window, 'hardware-loan');
    await loan.getByRole('button', { name: `Done: ${STEPS[1]}` }).click();
    await loan.getByText('active', { exact: true }).waitFor();
    expect(await loan.getByRole('button').count()).toBe(0);
    expect((await on.live.berth.hardware.get('forge')).loan).toMatchObject({ to: 'ada', status: 'ACTIVE' });
    expect(await page.getByRole('button', { name: 'Loan', exact: true }).count()).toBe(0);
    await page.getByRole('button', { name: 'Return a loan' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Return a loan' }).click();
    await page.getByRole('region', { name: 'How it is' }).getByText('complete', { exact: true }).waitFor();
    await page.getByRole('region', { name: 'What was asked for' }).getByRole('link', { name: 'forge' }).click();
    await page.getByRole('button', { name: 'Loan', exact: true }).waitFor();
    await loan.waitFor({ state: 'detached' });
  });

  test('a ticket that was filed is linked, and what a method said is there for whoever opens it', async () => {
    const window = await on.open();
    const { page } = window;
    await window.go('/hardware/forge', /forge/);
    await page.getByRole('button', { name: 'File a ticket' }).click();
    await page.getByRole('dialog').getByLabel('Why').fill('it is hot');
    await page.getByRole('dialog').getByRole('button', { name: 'File a ticket' }).click();
    const how = page.getByRole('region', { name: 'How it is' });
    await how.getByText('complete', { exact: true }).waitFor();
    expect(await how.getByRole('link', { name: 'OPS-1' }).getAttribute('href')).toBe(TICKET);
    await how.getByText('at webhook, filed').waitFor();
    const said = page.getByLabel('What attempt 1 said');
    expect(await said.isVisible()).toBe(false);
    await page.getByText('What it said').click();
    await said.getByText(TICKET).waitFor();
    await lookedAt(window);
  });

  test('jobs are filtered by the server, by what is in the address', async () => {
    const window = await on.open();
    const { page } = window;
    await window.go('/jobs', 'Jobs');
    const table = page.getByRole('table', { name: 'Jobs' });
    await page.getByText('Nothing is being done with a machine.').waitFor();
    await page.getByRole('button', { name: 'all', exact: true }).click();
    await table.getByText('reboot', { exact: true }).waitFor();
    await table.getByText('return_loan', { exact: true }).waitFor();
    await lookedAt(window, 'jobs');
    await page.getByLabel('Task').selectOption('disable');
    await table.getByText('reboot', { exact: true }).waitFor({ state: 'detached' });
    await page.getByLabel('Machine').fill('anvil');
    await page.waitForURL(/status=all&task=disable&machine=anvil/);
    await table.getByText('not today').waitFor();
    await page.getByRole('button', { name: 'failed' }).click();
    await page.getByText('No job is like that.').waitFor();
  });

  test('a viewer sees all of it, and no button that does anything', async () => {
    const { secret } = await on.live.berth.tokens.create({ name: 'onlooker', role: 'viewer', projects: null });
    const browser = await startBrowser();
    const window = await openWindow(browser, on.live.url, { token: secret });
    const { page } = window;
    /** Those that do something: what sorts a table does not. */
    const buttons = page.locator('main button:not(th button)');
    const tasks = page.waitForResponse(/\/job-tasks/);
    await window.go('/hardware', 'Hardware');
    await tasks;
    await page.getByRole('link', { name: 'forge', exact: true }).waitFor();
    expect(await buttons.allInnerTexts()).toEqual([]);
    await page.getByRole('link', { name: 'forge', exact: true }).click();
    await page.getByRole('table', { name: 'Interfaces' }).getByText('bmc-password').waitFor();
    await page.getByRole('table', { name: 'Jobs' }).getByText('reboot', { exact: true }).waitFor();
    expect(await buttons.allInnerTexts()).toEqual([]);
    expect(await page.getByText('What can be done').count()).toBe(0);
    const { items } = await on.live.berth.jobs.list({ task: 'reboot' });
    await window.go(`/jobs/${items[0]!.id}`, /reboot of forge/);
    await page.getByText('Complete; the machine is up.').waitFor();
    expect(await page.getByRole('button', { name: 'Cancel' }).count()).toBe(0);
    expect(window.faults).toEqual([]);
  });
});
