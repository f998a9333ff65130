import { beforeAll, describe, expect, test } from 'vitest';
import { fakeBerth, type FakeBerth } from '../fake-berth.testing.js';

let fake: FakeBerth;
beforeAll(async () => {
  fake = await fakeBerth();
});

const attempt = { attempt: 1, method: 'ssh_reboot', outcome: 'succeeded', steps: [{ step: 'sent', at: '2030-01-01T00:00:00Z' }, { step: 'down', at: '2030-01-01T00:00:10Z' }], fault: null, error: null, output: 'bye\nbye', startedAt: '2030-01-01T00:00:00Z', endedAt: '2030-01-01T00:01:00Z', durationMs: 60_000 };
const job = {
  id: 'j1', task: 'reboot', machine: 'mac-7', worker: { id: 'w-7', group: 'releng' }, status: 'COMPLETE', activity: null, error: null, machineOutcome: 'up', result: { up: true, by: 'ping' }, ticket: null, requester: 'token:ci', reason: 'hangs', to: null,
  force: false, cancelling: null, lease: null, softLimit: 600_000, hardLimit: 1_200_000, escalation: null, attempts: [attempt], created: '2030-01-01T00:00:00Z', started: '2030-01-01T00:00:00Z', finished: '2030-01-01T00:01:00Z', modified: '2030-01-01T00:01:00Z', position: 9,
};
const page = (...items: unknown[]) => [200, { items, cursor: null }] as const;
const problem = (status: number, code: string, detail: string, errors: unknown[] = []) => [status, { code, detail, errors }] as const;
const feed = (...events: [string, unknown][]) => events.map(([type, data], i) => `id: ${i + 3}\nevent: ${type}\ndata: ${JSON.stringify({ kind: 'job', id: 'j1', type, data, at: '2030-01-01T00:00:00Z', actor: 'x' })}\n\n`).join('');
const began = [['JobRequested', { task: 'reboot', machine: 'mac-7' }], ['JobStarted', {}]] as [string, unknown][];
const run = (...words: string[]) => fake.berth('job', 'run', ...words);

describe('berth job run', () => {
  test.each<[string[], string, unknown]>([
    [['ping', 'mac-7'], 'machines/mac-7/jobs', { task: 'ping' }],
    [['reboot', 'mac-7', '--force', '--reason', 'hangs', '--soft-limit', '5m', '--hard-limit', '1h'], 'machines/mac-7/jobs', { task: 'reboot', force: true, reason: 'hangs', softLimit: '5m', hardLimit: '1h' }],
    [['loan', 'mac-7', '--to', 'ada'], 'machines/mac-7/jobs', { task: 'loan', to: 'ada' }],
    [['ping', 'w-7', '--worker'], 'workers/w-7/jobs?task_name=ping', undefined],
    [['ping', 'w-7', '--group', 'releng', '--type', 'mac', '--provisioner', 'hw'], 'workers/w-7/jobs?task_name=ping&worker_group=releng&worker_type=mac&provisioner_id=hw', undefined],
    [['reboot', 'w-7', '--worker', '--force', '--reason', 'it hangs', '--hard-limit', '1h'], 'workers/w-7/jobs?task_name=reboot&hard_limit=1h&force=true&reason=it+hangs', undefined],
  ])('%j', async (words, path, body) => {
    fake.routes({ 'POST machines/*/jobs': [202, { id: 'j1' }], 'POST workers/*/jobs': [201, { task_name: 'ping', tc_worker_id: 'w-7', task_id: 'j1' }] });
    const { code, stdout } = await run(...words);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^[0-9a-f-]{36}\n$/)]);
    expect(fake.asked).toEqual([{ method: 'POST', path, body }]);
  });

  test.each([
    [['fly', 'mac-7'], /There is no task "fly": use ping, status, reboot, /],
    [['ping'], /missing required argument 'machine'/],
    [['ping', 'mac-7', '--soft-limit', 'long'], /Use a duration/],
    [['reboot', 'mac-7', '--to', 'ada'], /--to says for whom a loan is: it does not go with reboot/],
  ])('%j is used wrongly, and nothing is sent', async (words, message) => {
    fake.routes({});
    expect(await run(...words)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
    expect(fake.asked).toEqual([]);
  });

  test('a refusal says the way on', async () => {
    fake.routes({ 'POST machines/*/jobs': problem(404, 'unknown-hardware', 'Machine mac-9 is not managed.', [{ field: 'machine', message: 'is not the name of a machine' }]) });
    expect(await run('ping', 'mac-9')).toEqual({ code: 1, stdout: '', stderr: 'berth: Nobody has said how machine mac-9 is managed: `berth hardware list` shows the machines that are, `berth hardware set` adds one.\n' });
    fake.routes({ 'POST machines/*/jobs': problem(409, 'job-live', 'A job reboot is live.', [{ field: 'task_id', message: 'j0' }]) });
    expect(await run('reboot', 'mac-7')).toMatchObject({ code: 1, stderr: 'berth: A job reboot is live on mac-7 already: follow it with `berth job watch j0`, or end it with `berth job cancel j0`.\n' });
    fake.routes({ 'POST workers/*/jobs': [409, { detail: 'The task is under way.', task_id: 'j0' }] });
    expect((await run('reboot', 'w-7', '--worker')).stderr).toContain('live on the machine of w-7 already: follow it with `berth job watch j0`');
    fake.routes({ 'POST workers/*/jobs': [404, { tc_worker_id: 'TC worker with that ID not found.' }] });
    expect((await run('ping', 'w-9', '--worker')).stderr).toBe('berth: Worker w-9: TC worker with that ID not found. `berth hardware list` shows the workers.\n');
    fake.routes({ 'POST machines/*/jobs': problem(409, 'unconfigured-task', "Task ipmi_on can't be done: machine mac-7 has no interface ipmi.") });
    expect((await run('ipmi_on', 'mac-7')).stderr).toBe("berth: Task ipmi_on can't be done: machine mac-7 has no interface ipmi.\n");
  });
});

describe('a job that is watched', () => {
  const watched = (end: [string, unknown], view: object) => fake.routes({ 'POST machines/*/jobs': [202, { id: 'j1' }], 'GET jobs/*/events': [200, feed(...began, end)], 'GET jobs/*': [200, { ...job, ...view }] });

  test('ends with 0 when it is complete: what happened line by line, then the job as it is', async () => {
    watched(['JobCompleted', { machine: 'up', result: {} }], {});
    const { code, stdout, stderr } = await run('reboot', 'mac-7', '--watch');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^QUEUED: reboot on mac-7\nRUNNING\nCOMPLETE: the machine is up\n\njob +j1\ntask +reboot\n/);
    // The view is asked for as it is after its last event.
    expect(fake.asked.at(-1)!.path).toMatch(/^jobs\/[0-9a-f-]{36}\?after=5$/);
    const asJson = await fake.berth('job', 'watch', 'j1', '--json');
    expect([asJson.code, JSON.parse(asJson.stdout), asJson.stderr]).toEqual([0, job, 'QUEUED: reboot on mac-7\nRUNNING\nCOMPLETE: the machine is up\n']);
  });

  test.each([
    [['JobFailed', { machine: 'down', code: 'stayed-down', error: 'it stays down' }], { status: 'FAILED' }, 'FAILED: it stays down; the machine is down\n'],
    [['JobCancelled', { reason: 'not today' }], { status: 'CANCELLED' }, 'CANCELLED: not today\n'],
  ] as [[string, unknown], object, string][])('%j ends with 1', async (end, view, line) => {
    watched(end, view);
    const { code, stdout } = await fake.berth('job', 'watch', 'j1');
    expect([code, stdout.includes(line)]).toEqual([1, true]);
  });

  test('one that is not there is said to be so', async () => {
    fake.routes({ 'GET jobs/*/events': problem(404, 'unknown-job', 'There is no hardware job "j9": /api/v1/jobs shows what there is.') });
    expect(await fake.berth('job', 'watch', 'j9')).toEqual({ code: 1, stdout: '', stderr: 'berth: There is no hardware job "j9": `berth job list` shows what there is.\n' });
  });
});

test('jobs are listed by what they are asked for, and one is shown with its attempts', async () => {
  fake.routes({ 'GET jobs': [200, { items: [job, { ...job, id: 'j2', status: 'FAILED', machineOutcome: 'down', error: { code: 'stayed-down', message: 'it stays down' } }], cursor: 'c' }], 'GET jobs/j1': [200, job] });
  const { stdout } = await fake.berth('job', 'list', '--status', 'RUNNING,FAILED', '--task', 'reimage', '--machine', 'a', 'b', '--worker', 'w', '--requester', 'token:ci', '--sort', '-created', '--limit', '5', '--cursor', 'x');
  expect(stdout).toMatch(/^JOB +TASK +MACHINE +STATUS +MACHINE IS +BY +CREATED +ACTIVITY\nj1 +reboot +mac-7 +COMPLETE +up +token:ci .*\nj2 +reboot +mac-7 +FAILED +down +token:ci .* it stays down\nMore: --cursor c\n$/);
  expect(Object.fromEntries(new URLSearchParams(fake.asked[0]!.path.slice(5)))).toEqual({ status: 'RUNNING,FAILED', task: 'reimage', machine: 'b', worker: 'w', requester: 'token:ci', sort: '-created', limit: '5', cursor: 'x' });
  const shown = (await fake.berth('job', 'show', 'j1')).stdout;
  for (const line of [/^worker +w-7, releng$/m, /^outcome +the machine is up$/m, /^up +true$/m, /^by +ping$/m, /^limits +10m, 20m$/m, /^1 +ssh_reboot +succeeded +sent, down +1m +- +-$/m, /^attempt 1, ssh_reboot:\n {2}bye\n {2}bye$/m]) expect(shown).toMatch(line);
  fake.routes({ 'GET jobs': page() });
  expect((await fake.berth('job', 'list')).stdout).toBe('No hardware jobs.\n');
});

test('a job is cancelled, and the tasks are told', async () => {
  fake.routes({
    'POST jobs/j1/cancel': [202, { id: 'j1' }],
    'GET job-tasks': page({ task: 'ping', title: 'Ping', description: 'Looks.', published: true, permission: 'jobs:ping', least: 'builder', may: true }, { task: 'wake', title: 'Wake', description: 'Wakes.', published: false, permission: 'jobs:wake', least: 'operator', may: true }),
  });
  expect(await fake.berth('job', 'cancel', 'j1', '--reason', 'enough')).toEqual({ code: 0, stdout: 'Job j1 ends as soon as the machine is not left half-done: `berth job watch j1` tells when.\n', stderr: '' });
  expect(fake.asked[0]!.body).toEqual({ reason: 'enough' });
  expect((await fake.berth('job', 'tasks')).stdout).toMatch(/^TASK +PUBLISHED +YOU MAY +LEAST ROLE +WHAT IT DOES\nping +yes +yes +builder +Looks\.\nwake +no +no +operator +Wakes\.\n$/);
});
