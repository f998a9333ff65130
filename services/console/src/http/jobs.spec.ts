import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { LiveEvent } from '@berth/client';
import { jobTasks, type Answer } from '@berth/contracts';
import { asker, problemOf, statusAndCode, type Asker } from '../access/access.testing.js';
import { scripted, type Scripted } from '../scripted.testing.js';
import { gateway, jobOf, LIVE } from './jobs.testing.js';

let berth: Scripted;
let operator: Asker;
let builder: Asker;
beforeAll(async () => {
  berth = await scripted({ jobTasks: ['ping', 'reboot'] });
  operator = await asker(berth, 'operator', 'operator');
  builder = await asker(berth, 'builder', 'builder');
});
const yes: Answer = { accepted: true, id: LIVE };
beforeEach(() => berth.script({ ...gateway(berth), CancelJob: () => yes, ReportInstalled: () => yes }));

const sent = (type: string) => berth.sent.filter((one) => one.type === type).map(({ data }) => data);
const json = async <T>(response: Response | Promise<Response>): Promise<T> => (await (await response).json()) as T;

describe('a job is asked for on a machine', () => {
  test('202 with its id and where it is; with all that can be said', async () => {
    const body = { task: 'reboot', force: true, reason: 'it hangs', softLimit: '5m', hardLimit: 600_000 };
    const response = await operator.ask('POST', 'machines/box/jobs', body);
    const { id } = await json<{ id: string }>(response);
    expect([response.status, response.headers.get('location')]).toEqual([202, `/api/v1/jobs/${id}`]);
    expect(sent('RequestJob')).toEqual([{ ...body, machine: 'box' }]);
    expect(await operator.berth.jobs.get(id)).toMatchObject({ id, status: 'QUEUED', task: 'reboot', machine: 'box' });
  });

  test('with wait: the answer comes when it is over', async () => {
    const asked = operator.berth.jobs.request('box', { task: 'reboot' }, { id: LIVE, wait: '30s' });
    await expect.poll(() => berth.sent.length).toBe(1);
    await berth.happen('job', LIVE, { type: 'JobStarted', data: {} });
    await berth.happen('job', LIVE, { type: 'JobCompleted', data: { machine: 'up', result: {} } });
    expect(await asked).toMatchObject({ id: LIVE, settled: true, status: 'COMPLETE' });
  });

  test('what is refused is a problem', async () => {
    expect(await statusAndCode(operator.ask('POST', 'machines/box/jobs', {}))).toEqual([422, 'invalid-data']);
    expect((await problemOf(operator.ask('POST', 'machines/box/jobs', { task: 'fly' }))).errors).toEqual([{ field: 'task', message: `is no task: use one of ${jobTasks.join(', ')}` }]);
    expect((await problemOf(operator.ask('POST', 'machines/box/jobs', { task: 'ping', worker: { id: 'w' } }))).errors).toEqual([{ field: 'worker', message: 'leave it out' }]);
    expect(await statusAndCode(operator.ask('POST', `machines/${encodeURIComponent('; echo foo')}/jobs`, { task: 'ping' }))).toEqual([404, 'unknown-hardware']);
    expect(await statusAndCode(operator.ask('POST', 'machines/box/jobs', { task: 'wake' }))).toEqual([400, 'unpublished-task']);
    expect(await problemOf(operator.ask('POST', 'machines/busy/jobs', { task: 'reboot' }))).toMatchObject({ status: 409, code: 'job-live', errors: [{ field: 'task', message: `is live as job ${LIVE}` }] });
    expect(await statusAndCode(builder.ask('POST', 'machines/box/jobs', { task: 'reboot' }))).toEqual([403, 'forbidden']);
    expect((await builder.ask('POST', 'machines/box/jobs', { task: 'ping' })).status).toBe(202);
  });
});

describe('a job is looked at', () => {
  test('by its id: all that happened to it, in any case of its letters', async () => {
    const worker = { id: 'tc-1', group: 'g' };
    const id = await jobOf(berth, { worker, reason: 'it hangs', to: 'ada', lease: LIVE, escalation: [{ method: 'ssh_reboot', timeout: 1, downWithin: 2, upWithin: 3 }] });
    await berth.happen('job', id, { type: 'JobStarted', data: {} }, { type: 'AttemptSkipped', data: { attempt: 1, method: 'ssh_reboot', reason: 'no SSH' } }, { type: 'AttemptStarted', data: { attempt: 2, method: 'ipmi_reset' } });
    await berth.happen('job', id, { type: 'AttemptStep', data: { attempt: 2, step: 'sent' } }, { type: 'AttemptEnded', data: { attempt: 2, outcome: 'failed', fault: 'stayed-up', error: 'it stayed up', output: 'x', durationMs: 7 } }, { type: 'JobNoted', data: { activity: 'files a ticket' } });
    expect(await operator.berth.jobs.get(id)).toMatchObject({
      id, task: 'reboot', worker, status: 'RUNNING', activity: 'files a ticket', requester: 'spec', reason: 'it hangs', to: 'ada', lease: LIVE, error: null, machineOutcome: null, force: false, escalation: [{ method: 'ssh_reboot' }],
      attempts: [
        { attempt: 1, method: 'ssh_reboot', outcome: 'skipped', error: 'no SSH', durationMs: 0 },
        { attempt: 2, method: 'ipmi_reset', outcome: 'failed', fault: 'stayed-up', error: 'it stayed up', output: 'x', durationMs: 7, steps: [{ step: 'sent', at: expect.any(String) as string }] },
      ],
    });
    const ticket = { tracker: 'bugzilla', id: '7', url: 'https://bugs.example/7', how: 'filed' };
    const after = await berth.happen('job', id, { type: 'TicketTold', data: ticket }, { type: 'JobFailed', data: { machine: 'down', code: 'ticket-filed', error: 'no method worked' } });
    const view = await operator.berth.jobs.get(id, { after });
    expect(view).toMatchObject({ status: 'FAILED', activity: null, ticket, machineOutcome: 'down', error: { code: 'ticket-filed', message: 'no method worked' }, position: after });
    expect([view.started, view.finished].every((time) => time !== null)).toBe(true);
    expect((await operator.berth.jobs.list({ worker: 'tc-1', after })).items).toEqual([view]);
  });

  test('one that is not there', async () => {
    for (const id of [LIVE.replace('1', '2'), 'x', encodeURIComponent('; echo foo')]) expect(await statusAndCode(operator.ask('GET', `jobs/${id}`))).toEqual([404, 'unknown-job']);
    expect(await statusAndCode(operator.ask('GET', 'jobs/x/events'))).toEqual([404, 'unknown-job']);
  });

  test('in a list, by each filter, page by page', async () => {
    const own = [await jobOf(berth, { machine: 'rack-1', task: 'ping' }), await jobOf(berth, { machine: 'rack-2', worker: { id: 'rack-worker' } }), await jobOf(berth, { machine: 'rack-3' })];
    const after = await berth.happen('job', own[2]!, { type: 'CancelRequested', data: { reason: 'no need' } }, { type: 'JobCancelled', data: { reason: 'no need' } });
    const ids = async (query: object) => (await operator.berth.jobs.list({ q: 'rack-', after, ...query })).items.map(({ id }) => id);
    expect(await ids({})).toEqual([...own].reverse());
    expect(await ids({ sort: 'created' })).toEqual(own);
    expect(await ids({ task: 'ping' })).toEqual([own[0]]);
    expect(await ids({ machine: ['rack-1', 'rack-3'] })).toEqual([own[2], own[0]]);
    expect(await ids({ worker: 'rack-worker' })).toEqual([own[1]]);
    expect(await ids({ status: 'CANCELLED' })).toEqual([own[2]]);
    expect(await ids({ requester: 'nobody' })).toEqual([]);
    expect(await ids({ requester: 'spec' })).toHaveLength(3);
    const first = await operator.berth.jobs.list({ q: 'rack-', limit: 2, after, total: true });
    expect([first.items.map(({ id }) => id), first.total]).toEqual([[own[2], own[1]], 3]);
    expect((await operator.berth.jobs.list({ q: 'rack-', limit: 2, cursor: first.cursor! })).items.map(({ id }) => id)).toEqual([own[0]]);
    expect(await statusAndCode(operator.ask('GET', 'jobs?status=DONE'))).toEqual([422, 'invalid-data']);
    expect(await statusAndCode(operator.ask('GET', 'jobs?task=fly'))).toEqual([422, 'invalid-data']);
  });

  test('as it goes on: from its beginning, then live, and from where a reader was', async () => {
    const id = await jobOf(berth);
    const other = await jobOf(berth);
    const read = async (until: string, after?: string): Promise<(LiveEvent & { position: string })[]> => {
      const stop = new AbortController();
      const seen: (LiveEvent & { position: string })[] = [];
      for await (const event of operator.berth.jobs.events(id, { signal: stop.signal, after })) {
        seen.push(event);
        if (event.type !== until) continue;
        stop.abort();
        break;
      }
      return seen;
    };
    expect((await read('JobRequested')).map(({ id }) => id)).toEqual([id]);
    const following = read('JobCompleted');
    await berth.happen('job', other, { type: 'JobStarted', data: {} });
    await berth.happen('job', id, { type: 'JobStarted', data: {} }, { type: 'JobNoted', data: { activity: 'pings' } });
    await berth.happen('job', id, { type: 'JobCompleted', data: { machine: 'up', result: {} } });
    const all = await following;
    expect(all.map((event) => [event.id, event.type])).toEqual([[id, 'JobRequested'], [id, 'JobStarted'], [id, 'JobNoted'], [id, 'JobCompleted']]);
    expect(await read('JobCompleted', all[1]!.position)).toEqual(all.slice(2));
    expect(await read('JobCompleted', all[2]!.position)).toEqual(all.slice(3));
    expect(await statusAndCode(operator.ask('GET', `jobs/${id}/events?after=x`))).toEqual([422, 'invalid-data']);
  });
});

test('a job is cancelled by whoever may ask for its task', async () => {
  const [reboot, ping] = [await jobOf(berth), await jobOf(berth, { task: 'ping' })];
  const response = await operator.ask('POST', `jobs/${reboot}/cancel`, { reason: 'no need' });
  expect([response.status, response.headers.get('location')]).toEqual([202, `/api/v1/jobs/${reboot}`]);
  expect(await statusAndCode(builder.ask('POST', `jobs/${reboot}/cancel`, {}))).toEqual([403, 'forbidden']);
  expect((await builder.ask('POST', `jobs/${ping}/cancel`, {})).status).toBe(202);
  expect(sent('CancelJob')).toEqual([{ reason: 'no need', job: reboot }, { job: ping }]);
  expect(await statusAndCode(operator.ask('POST', `jobs/${LIVE.replace('1', '2')}/cancel`, {}))).toEqual([404, 'unknown-job']);
});

test('who was refused a task is written down, with the permission that was missing', async () => {
  const curious = await asker(berth, 'curious', 'builder');
  for (const [path, body] of [['jobs?tc_worker_id=w&task_name=reimage'], ['machines/box/jobs', { task: 'loan' }]] as const) expect((await curious.ask('POST', path, body)).status).toBe(403);
  await expect.poll(async () => (await berth.berth.audit({ what: 'refused', actor: 'token:curious' })).items.map(({ detail }) => detail)).toEqual([
    'POST /api/v1/machines/:name/jobs (/api/v1/machines/box/jobs) from 127.0.0.1: You may not do this: it needs jobs:loan, which the role builder does not have.',
    'POST /api/v1/jobs (/api/v1/jobs) from 127.0.0.1: You may not do this: it needs jobs:reimage, which the role builder does not have.',
  ]);
  const [newest] = (await berth.berth.audit({ what: 'refused', actor: 'token:curious' })).items;
  expect((await berth.berth.history(newest!.id)).items.map(({ data }) => (data as { needs: string }).needs)).toEqual(['jobs:reimage', 'jobs:loan']);
});

test('an installation is reported with a permission of its own', async () => {
  const { secret } = await berth.berth.tokens.create({ name: 'installer', role: 'viewer', jobs: ['installed'] });
  const report = (as: string, name = 'box') => fetch(`${berth.console.url}/api/v1/machines/${name}/installed`, { method: 'POST', headers: { Authorization: `Bearer ${as}`, 'Content-Type': 'application/json' }, body: JSON.stringify({ hostKey: 'ssh-ed25519 AAAA' }) });
  expect((await report(secret)).status).toBe(202);
  expect(sent('ReportInstalled')).toEqual([{ hostKey: 'ssh-ed25519 AAAA', machine: 'box' }]);
  expect(await statusAndCode(report(builder.secret))).toEqual([403, 'forbidden']);
  expect(await statusAndCode(report(secret, '%3B%20echo'))).toEqual([404, 'unknown-hardware']);
});

test('the tasks there are, which are published, and who may', async () => {
  const { items } = await builder.berth.jobs.tasks();
  expect(items.map(({ task }) => task)).toEqual([...jobTasks]);
  expect(items.filter(({ published }) => published).map(({ task }) => task)).toEqual(['ping', 'reboot']);
  expect(items.filter(({ may }) => may).map(({ task, least }) => [task, least])).toEqual([['ping', 'builder'], ['status', 'builder'], ['ipmi_list', 'builder'], ['redfish_list', 'builder']]);
  expect(items.find(({ task }) => task === 'reboot')).toEqual({ task: 'reboot', title: 'Reboot', description: 'Reboots the machine: one method after the other until it goes down and comes back.', effect: 'power', published: true, permission: 'jobs:reboot', least: 'operator', may: false, needs: [['enrolled', 'ssh', 'ipmi', 'redfish', 'pdu', 'xen', 'ilo']] });
  expect(items.find(({ task }) => task === 'reimage')?.needs).toEqual([['redfish', 'ipmi'], ['enrolled', 'ssh']]);
  expect((await operator.berth.jobs.tasks()).items.every(({ may }) => may)).toBe(true);
});

test('the client reads a "no" of the form that other controllers have', async () => {
  await expect(operator.berth.jobs.requestOn('stranger', 'ping')).rejects.toMatchObject({ status: 404, code: 'unknown-worker', message: 'TC worker with that ID not found.' });
  await expect(operator.berth.jobs.requestOn('busy', 'ping')).rejects.toMatchObject({ status: 409, code: 'job-live', errors: [{ field: 'detail' }, { field: 'task_id', message: LIVE }] });
  await expect(operator.berth.jobs.requestInGroup('w', ';', 'fly')).rejects.toMatchObject({ status: 400, code: 'invalid-data', message: expect.stringMatching(/^task_name: there is no task "fly".*; worker_group: use 1 to 128/) as string });
  expect(await operator.berth.jobs.requestOnOneOf('w', 'ping', { group: 'g' })).toMatchObject({ task_name: 'ping', tc_worker_id: 'w' });
});

test('by its worker as much can be said as by its machine, all of it in the address', async () => {
  const more = { reason: 'it hangs & burns', to: 'ada', softLimit: '5m', hardLimit: '1h' };
  await operator.berth.jobs.requestOnOneOf('w', 'reboot', { group: 'g', force: true, ...more });
  await operator.berth.jobs.requestOnOneOf('w', 'ping', { force: false });
  expect(sent('RequestJob')).toEqual([{ task: 'reboot', worker: { id: 'w', group: 'g' }, force: true, ...more }, { task: 'ping', worker: { id: 'w' } }]);
  expect(await statusAndCode(operator.ask('POST', 'workers/w/jobs?task_name=ping&force=perhaps'))).toEqual([400, undefined]);
});
