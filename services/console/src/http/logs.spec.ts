import { randomUUID } from 'node:crypto';
import { headers as natsHeaders } from 'nats';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ActionLogLine, BuildLogLine, Page, Problem } from '@berth/client';
import { outputHeaders, savedPlan, subjects } from '@berth/contracts';
import { eventually } from '../console.testing.js';
import { scripted, type Scripted } from '../scripted.testing.js';

let berth: Scripted;
beforeAll(async () => {
  berth = await scripted();
});

/** An action as the gateway would make it: it prints and ends when the spec says so. */
class Printer {
  readonly id = randomUUID();
  private readonly reached = { stdout: 0, stderr: 0 };
  private chunks = 0;

  async begin(): Promise<this> {
    await berth.happen('action', this.id, { type: 'ActionRequested', data: { lease: randomUUID(), token: 1, spec: { kind: 'run-command', command: 'true' } } }, { type: 'ActionStarted', data: {} });
    return this;
  }
  async print(text: string, stream: 'stdout' | 'stderr' = 'stdout', cut = 0): Promise<void> {
    const headers = natsHeaders();
    headers.set(outputHeaders.stream, stream);
    headers.set(outputHeaders.offset, String(this.reached[stream]));
    headers.set(outputHeaders.time, timeOf(this.chunks++));
    if (cut > 0) headers.set(outputHeaders.cut, String(cut));
    this.reached[stream] += Buffer.byteLength(text) + cut;
    await berth.bus.jetstream().publish(subjects.output(this.id), Buffer.from(text), { headers });
  }
  async end(): Promise<void> {
    await berth.happen('action', this.id, { type: 'ActionSucceeded', data: { exitCode: 0, stdoutBytes: this.reached.stdout, stderrBytes: this.reached.stderr } });
  }
}
const timeOf = (chunk: number): string => new Date(Date.UTC(2030, 0, 1, 0, 0, chunk)).toISOString();
const text = async (path: string): Promise<string> => {
  const response = await berth.ask(path);
  expect([path, response.status]).toEqual([path, 200]);
  return response.text();
};
const json = async <T>(path: string): Promise<T> => JSON.parse(await text(path)) as T;
const ndjson = async <T>(path: string): Promise<T[]> => (await text(path)).split('\n').filter(Boolean).map((line) => JSON.parse(line) as T);
const refusal = async (path: string): Promise<Problem> => (await berth.ask(path)).json() as Promise<Problem>;

describe('the log of an action', () => {
  let log: string;
  let running: string;
  beforeAll(async () => {
    const action = await new Printer().begin();
    await action.print('one\ntw');
    await action.print('oops\n', 'stderr');
    await action.print('o\n::group::Link\n\u001b[3');
    await action.print('1mred\u001b[0m thr');
    await action.print('ee\n::endgroup::\n');
    await action.print('', 'stdout', 5000);
    await action.print('last');
    await action.end();
    log = `actions/${action.id}/log`;
    const other = await new Printer().begin();
    await other.print('a\n::group::Open\nb');
    running = `actions/${other.id}/log`;
  });
  const all = 'one\ntwoops\no\n::group::Link\n\u001b[31mred\u001b[0m three\n::endgroup::\n[... 5000 bytes left out ...]\nlast';

  test('as bytes, from any byte on, and without escape sequences', async () => {
    expect(await text(log)).toBe(all);
    for (const offset of [0, 1, 17, 60, all.length, all.length + 9]) expect(await text(`${log}?offset=${offset}`)).toBe(all.slice(offset));
    const plain = all.replaceAll(/\u001b\[\d+m/g, '');
    expect(await text(`${log}?ansi=strip`)).toBe(plain);
    expect(await text(`${log}?ansi=strip&offset=40`)).toBe(plain.slice(40));
    expect(await text(`${log}?stream=stderr`)).toBe('oops\n');
    expect(await text(`${log}?follow=true`)).toBe(all);
  });

  test('with the time at which each line began', async () => {
    expect(await text(`${log}?timestamps=true&ansi=strip`)).toBe(
      [[0, 'one'], [1, 'oops'], [0, 'two'], [2, '::group::Link'], [2, 'red three'], [4, '::endgroup::'], [5, '[... 5000 bytes left out ...]'], [6, 'last']].map(([chunk, line]) => `${timeOf(chunk as number)} ${line}\n`).join(''),
    );
  });

  test('as one JSON value a line', async () => {
    const lines = await ndjson<ActionLogLine>(`${log}?format=ndjson`);
    expect(lines.map(({ n, stream }) => [n, stream])).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((n) => [n, n === 2 ? 'stderr' : 'stdout']));
    expect(lines[1]).toEqual({ n: 2, time: timeOf(1), stream: 'stderr', text: 'oops' });
    expect(lines[4]).toEqual({ n: 5, time: timeOf(2), stream: 'stdout', text: '\u001b[31mred\u001b[0m three', group: ['Link'] });
    expect((await ndjson<ActionLogLine>(`${log}?format=ndjson&stream=stderr`)).map(({ n }) => n)).toEqual([2]);
  });

  test('lines by number, and the last ones', async () => {
    expect(await text(`${log}?from=2&count=2`)).toBe('oops\ntwo\n');
    expect(await text(`${log}?from=7`)).toBe('[... 5000 bytes left out ...]\nlast\n');
    expect(await text(`${log}?from=99`)).toBe('');
    const response = await berth.ask(`${log}?tail=2&ansi=strip`);
    expect(response.headers.get('berth-from')).toBe('7');
    expect(await response.text()).toBe('[... 5000 bytes left out ...]\nlast\n');
    expect(await text(`${log}?tail=100`)).toBe(await text(`${log}?from=1`));
  });

  test('while it runs the last line waits for its end, and followers for what comes', async () => {
    const action = await new Printer().begin();
    await action.print('a\nb');
    expect(await text(`actions/${action.id}/log?from=1`)).toBe('a\n');
    expect(await text(`actions/${action.id}/log`)).toBe('a\nb');
    // Its headers come when it is known which lines were the last ones.
    const tailed = await berth.ask(`actions/${action.id}/log?follow=true&tail=1`);
    const [followed, lines] = ['follow=true', 'follow=true&from=2&format=ndjson'].map((query) => text(`actions/${action.id}/log?${query}`));
    await action.print('c\nd');
    await action.end();
    expect(await followed).toBe('a\nbc\nd');
    expect([tailed.headers.get('berth-from'), await tailed.text()]).toEqual(['1', 'a\nbc\nd\n']);
    expect(await lines).toBe(`${JSON.stringify({ n: 2, time: timeOf(0), stream: 'stdout', text: 'bc' })}\n${JSON.stringify({ n: 3, time: timeOf(1), stream: 'stdout', text: 'd' })}\n`);
  });

  test('its groups', async () => {
    expect(await json(`${log}/groups`)).toEqual({ items: [{ name: 'Link', within: [], firstLine: 4, lastLine: 6 }], cursor: null });
    expect(await json(`${running}/groups`)).toEqual({ items: [{ name: 'Open', within: [], firstLine: 2, lastLine: null }], cursor: null });
  });

  test('is searched as people read it: across chunks, without escape sequences', async () => {
    const found = async (query: string) => (await json<Page<ActionLogLine>>(`${log}/search?${query}`)).items.map(({ n, text: line }) => [n, line]);
    expect(await found('q=red%20three')).toEqual([[5, 'red three']]);
    expect(await found('q=two')).toEqual([[3, 'two']]);
    expect(await found('q=LAST')).toEqual([]);
    expect(await found('q=LAST&ignoreCase=true')).toEqual([[8, 'last']]);
    expect(await found('q=.')).toEqual([[7, '[... 5000 bytes left out ...]']]);
    const first = await json<Page<ActionLogLine>>(`${log}/search?q=o&limit=2`);
    expect(first.items.map(({ n }) => n)).toEqual([1, 2]);
    expect(first.cursor).toBe('3');
    expect((await json<Page<ActionLogLine>>(`${log}/search?q=o&limit=9&cursor=3`))).toMatchObject({ items: [{ n: 3, stream: 'stdout', time: timeOf(0) }, { n: 4, group: ['Link'] }, { n: 6 }, { n: 7 }], cursor: null });
  });

  test('is downloaded as a file, compressed for those who take it', async () => {
    const plain = await berth.ask(`${log}?download=true`, { headers: { 'Accept-Encoding': 'br, gzip;q=0' } });
    expect(plain.headers.get('content-disposition')).toBe(`attachment; filename*=UTF-8''action-${log.split('/')[1]}.log`);
    expect([plain.headers.get('content-encoding'), await plain.text()]).toEqual([null, all]);
    const zipped = await berth.ask(`${log}?download=true`, { headers: { 'Accept-Encoding': 'gzip' } });
    expect(zipped.headers.get('content-encoding')).toBe('gzip');
    expect(await zipped.text()).toBe(all); // fetch unpacks it
  });

  test.each([
    ['format=xml', 'format'],
    ['ansi=no', 'ansi'],
    ['stream=both', 'stream'],
    ['timestamps=true&format=ndjson', 'timestamps'],
    ['format=ndjson&offset=5', 'offset'],
    ['from=0', 'from'],
    ['from=2:3', 'from'],
    ['count=0', 'count'],
    ['tail=5&from=1', 'tail'],
    ['tail=5&count=1', 'tail'],
    ['tail=5&offset=1', 'tail'],
    ['tail=5&stream=stdout', 'tail'],
  ])('%s is refused by name', async (query, field) => {
    const problem = await refusal(`${log}?${query}`);
    expect([problem.code, problem.errors[0]!.field]).toEqual(['invalid-data', field]);
  });

  test.each([
    ['nothing to look for', '', 'q'],
    ['the end of a line', 'q=a%0Ab', 'q'],
    ['too long a text', `q=${'x'.repeat(1001)}`, 'q'],
    ['no room for a match', 'q=a&limit=0', 'limit'],
    ['a foreign cursor', 'q=a&cursor=x', 'cursor'],
  ])('a search with %s is refused by name', async (_what, query, field) => {
    expect((await refusal(`${log}/search?${query}`)).errors[0]!.field).toBe(field);
  });
});

describe('a long log', () => {
  test('is read from the middle without reading all before it again', async () => {
    const action = await new Printer().begin();
    const line = (n: number) => `line ${n} ${'x'.repeat(50)} ${n % 1000 === 7 ? 'Nadel' : ''}`;
    for (let chunk = 0; chunk < 60; chunk++) await action.print(Array.from({ length: 1000 }, (_, i) => `${line(chunk * 1000 + i + 1)}\n`).join(''));
    await action.end();
    const log = `actions/${action.id}/log`;
    expect(await text(`${log}?from=59999`)).toBe(`${line(59_999)}\n${line(60_000)}\n`);
    expect(await text(`${log}?from=30000&count=1`)).toBe(`${line(30_000)}\n`);
    expect(await text(`${log}?tail=1`)).toBe(`${line(60_000)}\n`);
    const whole = await text(log);
    expect(await text(`${log}?offset=${whole.length - 10}`)).toBe(whole.slice(-10));
    expect((await json<Page<ActionLogLine>>(`${log}/search?q=NADEL&ignoreCase=true`)).items.map(({ n }) => n)).toEqual(Array.from({ length: 60 }, (_, i) => i * 1000 + 7));
  });
});

describe('the log of a build', () => {
  const plan = savedPlan.parse({ name: 'app', host: {}, workingCopy: {}, env: {}, steps: ['Get', 'Make', 'Wait', 'Test'].map((name) => ({ name, run: 'true', env: {} })) });
  const build = randomUUID();
  const log = `builds/${build}/log`;
  const steps: Record<string, Printer> = {};
  const all = 'get\nmake 1\nmake 2\ntest\nmake again';
  let followed: Promise<string>;
  let lines: Promise<BuildLogLine[]>;

  beforeAll(async () => {
    const started = (step: number, name: string, action: string) => ({ type: 'StepStarted', data: { step, name, action } });
    const finished = (step: number, outcome: 'passed' | 'failed') => ({ type: 'StepFinished', data: { step, outcome, durationMs: 1 } });
    for (const name of ['Get', 'Make', 'Wait', 'Test', 'Again']) steps[name] = new Printer();
    const { Get, Make, Wait, Test, Again } = steps as Record<'Get' | 'Make' | 'Wait' | 'Test' | 'Again', Printer>;
    await berth.happen('build', build, { type: 'BuildRequested', data: { plan, planVersion: 1, variables: {}, initiator: 'ada' } }, { type: 'BuildPreparing', data: { attempt: 1, hostLease: randomUUID() } });
    await eventually(async () => expect((await berth.ask(`builds/${build}`)).status).toBe(200));
    followed = text(`${log}?follow=true`);
    lines = ndjson(`${log}?follow=true&format=ndjson`);
    // Get and Make run side by side; Wait has no action; Make fails and is tried again.
    await berth.happen('build', build, { type: 'BuildStarted', data: { path: '/x' } }, started(0, 'Get', Get.id), started(1, 'Make', Make.id));
    await Make.begin();
    await Make.print('make 1\n');
    await Get.begin();
    await Make.print('make 2\n');
    await Make.end();
    await berth.happen('build', build, finished(1, 'failed'), started(2, 'Wait', Wait.id), started(3, 'Test', Test.id), started(1, 'Make', Again.id));
    await Get.print('get\n');
    await Get.end();
    await berth.happen('build', build, finished(0, 'passed'), finished(2, 'passed'));
    for (const [step, printed] of [[Test, 'test\n'], [Again, 'make again']] as const) {
      await step.begin();
      await step.print(printed);
      await step.end();
    }
    await berth.happen('build', build, finished(3, 'passed'), finished(1, 'passed'), { type: 'BuildPassed', data: {} });
  });

  test('is that of its steps, each whole, in the order in which they began; followed or not', async () => {
    expect(await followed).toBe(all);
    expect(await text(log)).toBe(all);
    for (const offset of [3, 4, 5, 20, all.length]) expect(await text(`${log}?offset=${offset}`)).toBe(all.slice(offset));
    expect(await text(`${log}?step=Make`)).toBe('make 1\nmake 2\nmake again');
  });

  test('by lines: where each stands, its step as the outermost group', async () => {
    expect((await lines).map(({ at, step, text: line, group }) => [at, step, line, group])).toEqual([
      ['0:1', 'Get', 'get', ['Get']],
      ['1:1', 'Make', 'make 1', ['Make']],
      ['1:2', 'Make', 'make 2', ['Make']],
      ['3:1', 'Test', 'test', ['Test']],
      ['4:1', 'Make', 'make again', ['Make']],
    ]);
    expect(await ndjson(`${log}?format=ndjson`)).toEqual(await lines);
    expect(await text(`${log}?from=1:2&count=2`)).toBe('make 2\ntest\n');
    expect(await text(`${log}?step=Make&from=1`)).toBe('make again\n');
    expect(await text(`${log}?step=Test&timestamps=true`)).toBe(`${timeOf(0)} test\n`);
  });

  test('its last lines', async () => {
    const response = await berth.ask(`${log}?tail=3`);
    expect([response.headers.get('berth-from'), await response.text()]).toEqual(['1:2', 'make 2\ntest\nmake again\n']);
    expect(await text(`${log}?tail=1&step=Get`)).toBe('get\n');
    expect(await text(`${log}?tail=50`)).toBe(`${all}\n`);
  });

  test('each try of a step is a group', async () => {
    const { items } = await json<Page<{ section: number; name: string; within: string[]; firstLine: number | null; lastLine: number | null }>>(`${log}/groups`);
    expect(items.map(({ section, name, within, firstLine, lastLine }) => [section, name, within, firstLine, lastLine])).toEqual([
      [0, 'Get', [], 1, 1], [1, 'Make', [], 1, 2], [2, 'Wait', [], null, null], [3, 'Test', [], 1, 1], [4, 'Make', [], 1, 1],
    ]);
  });

  test('is searched over all steps, or one, and page by page', async () => {
    const first = await json<Page<BuildLogLine>>(`${log}/search?q=make&limit=2`);
    expect(first.items.map(({ at, step, action, n, text: line }) => [at, step, action, n, line])).toEqual([['1:1', 'Make', steps['Make']!.id, 1, 'make 1'], ['1:2', 'Make', steps['Make']!.id, 2, 'make 2']]);
    expect(first.cursor).toBe('4:1');
    expect(await json(`${log}/search?q=make&cursor=4:1`)).toMatchObject({ items: [{ at: '4:1', text: 'make again' }], cursor: null });
    expect((await json<Page<BuildLogLine>>(`${log}/search?q=t&step=Test`)).items).toHaveLength(1);
  });

  test('is downloaded under the name of its plan', async () => {
    const response = await berth.ask(`${log}?download=true`);
    expect(response.headers.get('content-disposition')).toBe(`attachment; filename*=UTF-8''app-${build}.log`);
    expect(await response.text()).toBe(all);
  });

  test('from a program: the same calls', async () => {
    const { builds, actions } = berth.berth;
    const whole = async (source: AsyncIterable<Uint8Array | string>) => {
      const pieces: Uint8Array[] = [];
      for await (const piece of source) pieces.push(Buffer.from(piece));
      return Buffer.concat(pieces).toString();
    };
    expect(await whole(builds.log(build, { follow: true, tail: 2 }))).toBe('test\nmake again\n');
    expect(await whole(builds.log(build, { step: 'Make', from: 1, count: 1, plain: true }))).toBe('make again\n');
    expect(await whole(await builds.downloadLog(build))).toBe(all);
    expect((await builds.search(build, { text: 'AGAIN', ignoreCase: true })).items.map(({ at }) => at)).toEqual(['4:1']);
    expect((await builds.logGroups(build)).items).toHaveLength(5);
    expect((await actions.search(steps['Make']!.id, { text: 'make', limit: 1 })).cursor).toBe('2');
    expect((await actions.logGroups(steps['Make']!.id)).items).toEqual([]);
    await expect(builds.downloadLog(randomUUID())).rejects.toMatchObject({ code: 'unknown-build' });
  });

  test('a step that is not there, a line without a step, and a build that is not there', async () => {
    expect(await refusal(`${log}?step=Fly`)).toMatchObject({ code: 'invalid-data', errors: [{ field: 'step', message: 'use one of: Get, Make, Wait, Test' }] });
    expect((await refusal(`${log}?from=7`)).errors[0]!.field).toBe('from');
    expect((await refusal(`${log}/search?q=a&cursor=7`)).errors[0]!.field).toBe('cursor');
    for (const path of ['log', 'log/groups', 'log/search?q=a']) {
      expect((await refusal(`builds/${randomUUID()}/${path}`)).code).toBe('unknown-build');
      expect((await refusal(`actions/${randomUUID()}/${path}`)).code).toBe('unknown-action');
    }
  });

  test('a build that is run again after its end goes on where its log ended', async () => {
    await berth.happen('build', build, { type: 'BuildPreparing', data: { attempt: 2, hostLease: randomUUID() } });
    const again = text(`${log}?follow=true`);
    const more = await new Printer().begin();
    await berth.happen('build', build, { type: 'StepStarted', data: { step: 0, name: 'Get', action: more.id } });
    await more.print('\nonce more');
    await more.end();
    await berth.happen('build', build, { type: 'StepFinished', data: { step: 0, outcome: 'passed', durationMs: 1 } }, { type: 'BuildPassed', data: {} });
    expect(await again).toBe(`${all}\nonce more`);
  });
});
