import type { SavedStep } from '@berth/contracts';
import { describe, expect, test } from 'vitest';
import { ACTION, looked, V } from '../../spec/steps.testing.js';
import { active, acquired, BUILD, destroyed, ending, pending, phases, refused } from '../../spec/examples.js';
import type { Build } from '../build/build.js';
import type { Message } from '../build/state.js';
import { ids } from '../ids.js';
import type { LeaseView, Reply } from '../view.js';

type Step = Omit<SavedStep, 'name'>;

test('sleep passes after so long', () => {
  const step: Step = { uses: 'sleep', with: { for: 30_000 } };
  expect(looked(step, { now: 39_999 })).toEqual([{ to: 'clock', at: 40_000 }]);
  expect(looked(step, { now: 40_000 })).toEqual({ outcome: 'passed' });
});

test('wait-for-previous-builds passes once none is before', () => {
  const asked: unknown[] = [];
  const before = (there: boolean) => ({ view: { beforeOfPlan: (...what: unknown[]) => (asked.push(what.slice(1)), there ? { id: 'x', status: 'building' as const } : undefined) } });
  expect(looked({ uses: 'wait-for-previous-builds', with: {} }, before(true))).toEqual([]);
  expect(looked({ uses: 'wait-for-previous-builds', with: { plan: 'other', anyRef: true } }, before(false))).toEqual({ outcome: 'passed' });
  expect(asked).toEqual([['wordcount', 'main'], ['other', undefined]]);
});

describe.each(['wait-for-message', 'wait-for-approval'] as const)('%s', (uses) => {
  const after = (message?: Message) => looked({ uses, with: {} }, { build: { messages: message ? { 0: message } : {} } });
  const words = uses === 'wait-for-message' ? 'was reported as failed' : 'was refused';
  test.each<[string, Message | undefined, unknown]>([
    ['nothing so far', undefined, []],
    ['at work', { type: 'work', text: 'half' }, []],
    ['passed', { type: 'pass', by: 'ada', outputs: { a: 'b' } }, { outcome: 'passed', outputs: { a: 'b', by: 'ada' } }],
    ['passed by nobody', { type: 'pass' }, { outcome: 'passed', outputs: {} }],
    ['failed', { type: 'fail', by: 'ada', text: 'too late' }, { outcome: 'failed', error: `${words} by ada: too late` }],
    ['failed without a word', { type: 'fail' }, { outcome: 'failed', error: words }],
  ])('%s', (_what, message, expected) => expect(after(message)).toEqual(expected));
});

describe('http-request', () => {
  const question = ids.ask(ACTION, 'http');
  const step = (more: object = {}): Step => ({ uses: 'http-request', with: { url: 'https://x.example/a', ...more } });
  const request = (more: object, extra: object = {}) => (looked(step(more), extra) as { request: object }[])[0]?.request;
  test('what is sent', () => {
    expect(looked(step())).toEqual([{ to: 'http', id: question, request: { url: 'https://x.example/a', method: 'GET', headers: { 'idempotency-key': ACTION }, timeoutMs: 60_000 } }]);
    expect(request({ body: `v=${V}` }, { v: '"' })).toMatchObject({ method: 'POST', body: 'v="', headers: { 'content-type': 'text/plain; charset=utf-8' } });
    expect(request({ method: 'PUT', body: { a: [V, 1, null], b: { c: V } }, secret: 'deploy', headers: { 'Content-Type': 'application/x', 'X-A': V } }, { v: '"}\r\n' })).toEqual({
      url: 'https://x.example/a', method: 'PUT', headers: { 'idempotency-key': ACTION, 'content-type': 'application/x', 'x-a': '"}  ' }, body: '{"a":["\\"}\\r\\n",1,null],"b":{"c":"\\"}\\r\\n"}}', secret: 'deploy', timeoutMs: 60_000,
    });
    expect((looked({ ...step(), timeout: 5 }) as { request: object }[])[0]).toMatchObject({ request: { timeoutMs: 5 } });
  });
  test.each([['a/b?c=d#e', 'a%2Fb%3Fc%3Dd%23e'], ['../x', '..%2Fx'], ['\ud800', '%EF%BF%BD'], ['é', '%C3%A9']])('a value stays one part of the address: %j', (v, escaped) => expect(request({ url: `https://x.example/q/${V}/z` }, { v })).toMatchObject({ url: `https://x.example/q/${escaped}/z` }));
  test.each([['', 'url is "": use an http or https URL'], ['file:///etc', 'url is "file:///etc": use an http or https URL']])('no address: %s', (v, error) => expect(looked(step({ url: V }), { v })).toEqual({ outcome: 'failed', error }));
  const reply = (what: Partial<Reply>, expect?: number[]) => looked(step(expect ? { expect } : {}), { view: { reply: (id) => (id === question ? (what as Reply) : undefined) } });
  const answer = (status: number, body = '') => ({ kind: 'http', status, body, ms: 1 }) as const;
  test('what the answer says', () => {
    expect(reply(answer(204))).toEqual({ outcome: 'passed', outputs: { status: '204', body: '' } });
    expect(reply(answer(200, 'x'.repeat(5000)))).toEqual({ outcome: 'passed', outputs: { status: '200', body: 'x'.repeat(4096) } });
    expect(reply(answer(500, 'oops'))).toEqual({ outcome: 'failed', error: 'the answer was 500, not 2xx', outputs: { status: '500', body: 'oops' }, tail: 'oops' });
    expect(reply(answer(404), [404, 410])).toMatchObject({ outcome: 'passed' });
    expect(reply(answer(200), [404, 410])).toMatchObject({ outcome: 'failed', error: 'the answer was 200, not 404 or 410' });
    expect(reply({ kind: 'failed', error: "x.example can't be asked: ECONNREFUSED" })).toEqual({ outcome: 'failed', error: "x.example can't be asked: ECONNREFUSED" });
  });
});

describe('call-plan', () => {
  const step: Step = { uses: 'call-plan', with: { plan: 'deploy', variables: { A: V }, ref: V } };
  test('what is asked for', () => {
    expect(looked(step, { v: 'v1' })).toEqual([{ to: 'builds', type: 'RequestBuild', id: ACTION, data: { plan: 'deploy', variables: { A: 'v1' }, initiator: 'ada', ref: 'v1', parent: { build: BUILD, step: 'it' } } }]);
  });
  const child = (build: Build) => looked(step, { view: { build: (id) => (id === ACTION ? build : undefined) } });
  const outputs = { build: ACTION };
  test.each<[keyof typeof phases, unknown]>([
    ['pending', []], ['preparing the host', []], ['running the first step', []],
    ['passed', { outcome: 'passed', outputs }], ['passed and cleaned up', { outcome: 'passed', outputs }],
    ['failed', { outcome: 'failed', error: `build ${ACTION} of plan deploy failed: step Test failed: exit code 1`, outputs }],
    ['errored', { outcome: 'failed', error: `build ${ACTION} of plan deploy could not be carried out: no such repository`, outputs }],
    ['aborted', { outcome: 'failed', error: `build ${ACTION} of plan deploy was aborted: not needed`, outputs }],
  ])('one that is %s', (phase, expected) => expect(child(phases[phase])).toEqual(expected));
  test('one that was refused', () => expect(looked(step, { view: { reply: () => ({ kind: 'failed', error: 'There is no plan deploy.', ms: 0 }) } })).toEqual({ outcome: 'failed', error: 'There is no plan deploy.' }));
});

describe('lease', () => {
  const step = (more: object = {}): Step => ({ uses: 'lease', with: { type: 'service', attributes: { db: 'postgres' }, ...more } });
  test('what is asked for', () => {
    expect(looked(step())).toEqual([{ to: 'lease', type: 'RequestLease', id: ACTION, after: 0, data: { type: 'service', owner: 'ada', attributes: { db: 'postgres' }, blueprints: [], wait: 'served' } }]);
    const places = { main: { host: 'main', attempt: 1, hostLease: 'h', workingCopyLease: 'c', path: '/w' } };
    expect(looked(step({ on: 'main', blueprints: ['pg'] }), { build: { places }, view: { lease: (id) => (id === 'h' ? active : undefined) } })).toMatchObject([{ after: 13, data: { host: { lease: 'h' }, blueprints: ['pg'] } }]);
    expect(looked(step({ on: 'main' }))).toEqual({ outcome: 'failed', error: 'host main is not there: a step on it has to come before' });
  });
  test.each<[string, LeaseView, unknown]>([
    ['pending', pending(), []], ['acquired', acquired, []],
    ['active', { ...active, uri: 'pg://x', port: 5432 } as LeaseView, { outcome: 'passed', outputs: { lease: ACTION, resource: 'r', uri: 'pg://x', port: '5432' } }],
    ['refused', refused('unservable', 'there is none'), { outcome: 'failed', error: 'the lease was refused: there is none' }],
    ['ending', ending('broken', 'it burns'), { outcome: 'failed', error: 'the lease broke: it burns' }],
    ['destroyed', destroyed('expired', 'too long'), { outcome: 'failed', error: 'the lease expired: too long' }],
  ])('%s', (_what, lease, expected) => expect(looked(step(), { view: { lease: (id) => (id === ACTION ? lease : undefined) } })).toEqual(expected));
});
