import { afterEach, describe, expect, test } from 'vitest';
import { SecretFault } from '../../secrets/fault.js';
import { DriverFault } from '../drivers/driver.js';
import { BugzillaStandIn } from './bugzilla.testing.js';
import { bugzillaTracker } from './bugzilla.js';
import { Tickets } from './tickets.js';
import type { Trouble } from './tracker.js';

const KEY = 'k3yOfTheTracker0123456789abcdefABCDEF012';
const JOBS = ['7f8c1d66-0000-4000-8000-000000000001', '7f8c1d66-0000-4000-8000-000000000002', '7f8c1d66-0000-4000-8000-000000000003'] as const;
const never = new AbortController().signal;
let zilla: BugzillaStandIn;
afterEach(() => zilla.stop());

const start = async (options: Parameters<typeof BugzillaStandIn.start>[0] = {}) => (zilla = await BugzillaStandIn.start({ key: KEY, ...options }));
const tickets = ({ key = KEY, type = undefined as string | undefined, component = 'Hardware', limitMs = 10_000 } = {}) =>
  new Tickets(
    bugzillaTracker(
      { kind: 'bugzilla', url: zilla.url, product: 'Ops', component, version: 'unspecified', ...(type !== undefined && { type }), machines: { product: 'Inventory', component: 'Machines' }, secret: 'zilla' },
      { read: () => Promise.resolve(Buffer.from(key)) },
      { answerMs: 2000, pausesMs: [1, 1] },
    ),
    limitMs,
  );
const trouble = (more: Partial<Trouble> = {}): Trouble => ({
  machine: 'mac-17', job: JOBS[0], task: 'reboot', requester: 'ada', summary: 'problem with mac-17: it could not be brought back', body: 'ssh_reboot: unreachable\nipmi_cycle: stayed-down', ...more,
});
const problems = () => zilla.bugs.all.filter(({ product }) => product === 'Ops');
const trackers = () => zilla.bugs.all.filter(({ product }) => product === 'Inventory');
const close = (id: number) => zilla.bugs.update(String(id), { status: 'RESOLVED', resolution: 'FIXED' });
const fault = async (told: Promise<unknown>): Promise<DriverFault> => {
  const error: unknown = await told.then(() => undefined, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(DriverFault);
  return error as DriverFault;
};

describe('the first trouble of a machine', () => {
  test('makes its tracker, and files a ticket that blocks it', async () => {
    await start();
    expect(await tickets().tell(trouble(), never)).toEqual({ tracker: 'bugzilla', id: '1001', url: `${zilla.url}/show_bug.cgi?id=1001`, how: 'filed' });
    expect(trackers()).toMatchObject([{ id: 1000, alias: ['mac-17'], component: 'Machines', summary: 'mac-17: problems', depends_on: [1001] }]);
    expect(problems()).toMatchObject([
      { component: 'Hardware', summary: 'problem with mac-17: it could not be brought back', blocks: [1000], whiteboard: `[berth unreachable mac-17] [berth filed ${JOBS[0]}]`, comments: [`ssh_reboot: unreachable\nipmi_cycle: stayed-down\n\nJob ${JOBS[0]} (reboot), asked for by ada.`] },
    ]);
  });

  test('with a tracker of its own, by alias or number', async () => {
    await start();
    const id = zilla.bugs.create({ product: 'Inventory', component: 'Machines', version: 'unspecified', summary: 'rack 4', alias: 'rack-4' });
    await tickets().tell(trouble({ tracker: 'rack-4' }), never);
    await tickets().tell(trouble({ tracker: String(id), machine: 'mac-18', job: JOBS[1] }), never);
    expect(trackers()).toHaveLength(1);
    expect(problems()).toMatchObject([{ blocks: [id] }, { blocks: [id] }]);
  });

  test('where a Bugzilla asks for the type of a bug', async () => {
    await start({ needsType: true });
    await tickets({ type: 'task' }).tell(trouble(), never);
    expect(problems()).toMatchObject([{ type: 'task' }]);
  });

  test.each([[['blocks']], [['whiteboard']], [['blocks', 'whiteboard']]])('where a Bugzilla leaves out %j when it files', async (leavesOut) => {
    await start({ leavesOut });
    expect(await tickets().tell(trouble(), never)).toMatchObject({ how: 'filed' });
    expect(problems()).toMatchObject([{ blocks: [1000], whiteboard: `[berth unreachable mac-17] [berth filed ${JOBS[0]}]` }]);
  });

  test('what is too long is cut, and who asked still stands at its end', async () => {
    await start();
    await tickets().tell(trouble({ summary: 'x'.repeat(300), body: 'y'.repeat(100_000) }), never);
    expect(problems()[0]!.summary).toHaveLength(255);
    expect(problems()[0]!.comments[0]).toMatch(/yy\n\nJob \S+ \(reboot\), asked for by ada\.$/);
  });
});

describe('never a second open ticket', () => {
  test('the next job comments on the one there is', async () => {
    await start();
    await tickets().tell(trouble(), never);
    expect(await tickets().tell(trouble({ job: JOBS[1], body: 'again' }), never)).toMatchObject({ id: '1001', how: 'commented' });
    expect(problems()).toMatchObject([{ comments: [expect.anything(), `again\n\nJob ${JOBS[1]} (reboot), asked for by ada.`], whiteboard: `[berth unreachable mac-17] [berth filed ${JOBS[0]}] [berth commented ${JOBS[1]}]` }]);
  });

  test('two at the same time', async () => {
    await start();
    const one = tickets();
    const told = await Promise.all(JOBS.map((job) => one.tell(trouble({ job }), never)));
    expect(told.map(({ how }) => how)).toEqual(['filed', 'commented', 'commented']);
    expect(problems()).toHaveLength(1);
  });

  test('one that a person filed counts, and keeps the whiteboard it has', async () => {
    await start();
    const id = zilla.bugs.create({ product: 'Inventory', component: 'Machines', version: 'unspecified', summary: 'mac-17', alias: 'mac-17' });
    zilla.bugs.create({ product: 'Ops', component: 'Hardware', version: 'unspecified', summary: 'mac-17 needs a new disk', blocks: [id] });
    zilla.bugs.create({ product: 'Ops', component: 'Hardware', version: 'unspecified', summary: 'mac-177 is unreachable', blocks: [id] });
    const theirs = zilla.bugs.create({ product: 'Ops', component: 'Hardware', version: 'unspecified', summary: 'MAC-17 is unreachable', blocks: [id], whiteboard: 'asked vendor' });
    expect(await tickets().tell(trouble(), never)).toMatchObject({ id: String(theirs), how: 'commented' });
    expect(zilla.bugs.get(String(theirs)).whiteboard).toBe(`asked vendor [berth unreachable mac-17] [berth commented ${JOBS[0]}]`);
    expect(problems()).toHaveLength(3);
  });

  test('one of another machine with the same tracker does not count', async () => {
    await start();
    await tickets().tell(trouble({ tracker: 'rack-4' }), never);
    expect(await tickets().tell(trouble({ tracker: 'rack-4', machine: 'mac-18', job: JOBS[1], summary: 'problem with mac-18' }), never)).toMatchObject({ how: 'filed' });
  });

  test('one that is closed does not count, and the tracker that is closed is opened', async () => {
    await start();
    await tickets().tell(trouble(), never);
    close(1001);
    close(1000);
    expect(await tickets().tell(trouble({ job: JOBS[1] }), never)).toMatchObject({ id: '1002', how: 'filed' });
    expect(trackers()).toMatchObject([{ status: 'CONFIRMED', resolution: '', depends_on: [1001, 1002] }]);
    expect(trackers()[0]!.comments[1]).toContain('Opened again: problem with mac-17');
  });

  test('in a workflow with REOPENED it is that, also from VERIFIED', async () => {
    await start({ workflow: 'classic' });
    await tickets().tell(trouble(), never);
    close(1001);
    close(1000);
    zilla.bugs.update('1000', { status: 'VERIFIED' });
    await tickets().tell(trouble({ job: JOBS[1] }), never);
    expect(trackers()).toMatchObject([{ status: 'REOPENED', resolution: '' }]);
  });
});

describe('the same job that tells twice', () => {
  test('finds what it filed, also when that is closed by now, and opens nothing again', async () => {
    await start();
    await tickets().tell(trouble(), never);
    close(1001);
    close(1000);
    expect(await tickets().tell(trouble(), never)).toMatchObject({ id: '1001', how: 'filed' });
    expect(zilla.bugs.all.map(({ is_open: open, comments }) => [open, comments.length])).toEqual([[false, 1], [false, 1]]);
  });

  test('finds what it commented, also when others did since and the whiteboard is empty', async () => {
    await start();
    for (const job of JOBS) await tickets().tell(trouble({ job }), never);
    zilla.bugs.update('1001', { whiteboard: '' });
    expect(await tickets().tell(trouble({ job: JOBS[1] }), never)).toMatchObject({ id: '1001', how: 'commented' });
    expect(await tickets().tell(trouble({ job: JOBS[0] }), never)).toMatchObject({ id: '1001', how: 'filed' });
    expect(problems()).toMatchObject([{ comments: { length: 3 } }]);
  });

  test.each([
    ['the tracker was made', 'POST', 0], ['the ticket was filed', 'POST', 1],
  ])('after an answer that was lost: %s', async (_what, method, passed) => {
    await start();
    if (passed === 1) zilla.bugs.create({ product: 'Inventory', component: 'Machines', version: 'unspecified', summary: 'mac-17', alias: 'mac-17' });
    zilla.mishaps.push({ method, path: /rest\/bug$/, how: 'lost' });
    expect(await fault(tickets().tell(trouble(), never))).toMatchObject({ fault: 'tracker', message: expect.stringContaining("can't be asked") });
    expect(await tickets().tell(trouble(), never)).toMatchObject({ id: '1001', how: 'filed' });
    expect([trackers().length, problems().length]).toEqual([1, 1]);
  });

  test('after an answer that was lost: it had commented', async () => {
    await start();
    await tickets().tell(trouble(), never);
    zilla.mishaps.push({ method: 'PUT', path: /rest\/bug\/1001$/, how: 'lost' });
    await fault(tickets().tell(trouble({ job: JOBS[1] }), never));
    expect(await tickets().tell(trouble({ job: JOBS[1] }), never)).toMatchObject({ id: '1001', how: 'commented' });
    expect(problems()).toMatchObject([{ comments: { length: 2 } }]);
  });

  test('the whiteboard does not grow with each job', async () => {
    await start();
    for (let at = 10; at < 20; at++) await tickets().tell(trouble({ job: `7f8c1d66-0000-4000-8000-0000000000${at}` }), never);
    expect(problems()[0]!.whiteboard.match(/\[berth (filed|commented)/g)).toHaveLength(4);
  });
});

describe('what goes wrong is told in one sentence, without the key', () => {
  test('a key that is not taken', async () => {
    await start();
    const { fault: why, message } = await fault(tickets({ key: 'wrong-key-that-nobody-knows' }).tell(trouble(), never));
    expect([why, message]).toEqual(['tracker', expect.stringMatching(/^Bugzilla at 127\.0\.0\.1:\d+ does not take the API key \(306\): make a new one/)]);
    expect(message).not.toContain('wrong-key');
  });

  test.each([
    ['a key of two lines', { key: 'two\nlines' }, {}, /must be one line of letters and digits/],
    ['a component that there is not', { component: 'Nowhere' }, {}, /refused it \(105\): There is no component named 'Nowhere'/],
    ['a number that there is not', {}, { tracker: '4711' }, /Bugzilla has no bug 4711/],
    ['a machine whose name is a number', {}, { machine: '1000' }, /takes digits for the number of a bug/],
    ['an alias that may not be', {}, { machine: 'm'.repeat(50) }, /does not take the alias mmm/],
  ])('%s', async (_what, options, more, message) => {
    await start();
    expect(await fault(tickets(options).tell(trouble(more), never))).toMatchObject({ fault: 'tracker', message: expect.stringMatching(message) });
    expect(problems()).toEqual([]);
  });

  test('a secret that there is not', async () => {
    await start();
    const gone = new Tickets(bugzillaTracker({ kind: 'bugzilla', url: zilla.url, product: 'Ops', component: 'Hardware', version: 'unspecified', machines: { product: 'Ops', component: 'Hardware' }, secret: 'zilla' }, { read: (name) => Promise.reject(new SecretFault(name, 'there is none')) }));
    expect(await fault(gone.tell(trouble(), never))).toMatchObject({ fault: 'no-secret', message: "The secret zilla can't be used: there is none." });
  });

  test('what only reads is asked again, what writes is not', async () => {
    await start();
    zilla.mishaps.push({ method: 'GET', path: /./, how: 503 }, { method: 'GET', path: /./, how: 'lost' });
    expect(await tickets().tell(trouble(), never)).toMatchObject({ how: 'filed' });
    zilla.mishaps.push({ method: 'PUT', path: /./, how: 503 });
    expect(await fault(tickets().tell(trouble({ job: JOBS[1] }), never))).toMatchObject({ message: expect.stringMatching(/answered 503: <h1>Not now<\/h1>$/) });
    expect(problems()).toMatchObject([{ comments: { length: 1 } }]);
  });

  test('a redirect is not followed', async () => {
    await start();
    zilla.mishaps.push({ method: 'GET', path: /./, how: 'away' });
    expect(await fault(tickets().tell(trouble(), never))).toMatchObject({ fault: 'tracker', message: expect.stringMatching(/answered 307: it redirects, which is not followed/) });
  });

  test('a page that is no answer of the API', async () => {
    await start();
    zilla.mishaps.push({ method: 'GET', path: /./, how: 200 });
    expect(await fault(tickets().tell(trouble(), never))).toMatchObject({ message: expect.stringMatching(/is BERTH_TICKETS the URL of Bugzilla itself\? It said: <h1>Not now/) });
  });

  test('no answer in time, and a job that is cancelled while it waits', async () => {
    await start();
    const silent = () => zilla.mishaps.push({ method: 'GET', path: /./, how: 'silent' });
    silent();
    expect(await fault(tickets({ limitMs: 50 }).tell(trouble(), never))).toMatchObject({ fault: 'tracker', message: 'the tracker was not told within 0.05 s' });
    silent();
    const stop = new AbortController();
    const told = fault(tickets().tell(trouble(), stop.signal));
    stop.abort(new DriverFault('cancelled', 'the job was cancelled'));
    expect(await told).toMatchObject({ fault: 'cancelled', message: 'the job was cancelled' });
    expect(zilla.bugs.all).toEqual([]);
  });
});
