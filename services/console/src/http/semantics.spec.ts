import { randomUUID } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { schemas, type Accepted, type BuildView, type LeaseView, type Page, type Problem } from '@berth/client';
import { rejected, savedPlan } from '@berth/contracts';
import { scripted, type Script, type Scripted } from '../scripted.testing.js';

let berth: Scripted;
beforeAll(async () => {
  berth = await scripted();
});

const requested = { type: 'LeaseRequested', data: { type: 'host', owner: 'ada', attributes: {}, blueprints: [], priority: 100 } };
const plan = savedPlan.parse({ name: 'p', host: {}, workingCopy: {}, env: {}, steps: [{ name: 'One', run: 'x', env: {} }] });
const begun = { type: 'BuildRequested', data: { plan, planVersion: 1, variables: {}, initiator: 'ada' } };
const problem = async (response: Response): Promise<Problem> => {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  return (await response.json()) as Problem;
};
/** What a service answers that carries a command out at once. */
const stores = (kind: 'lease' | 'build', event: { type: string; data: unknown }): Script => async ({ id, data }) => {
  const of = String(data[kind] ?? id);
  return { accepted: true, id: of, position: await berth.happen(kind, of, event) };
};
/** The raw answer, as `fetch` would not show it. */
const raw = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<{ response: IncomingMessage; body: Buffer }> =>
  new Promise((resolve, reject) => {
    const { url, token } = berth.berth.access;
    const asked = httpRequest(`${url}/api/v1/${path}`, { method, headers: { Authorization: `Bearer ${token}`, ...headers } }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () => resolve({ response, body: Buffer.concat(pieces) }));
    });
    asked.on('error', reject);
    asked.end();
  });

describe('a write with ?wait=', () => {
  beforeAll(() =>
    berth.script({
      RequestLease: stores('lease', requested),
      ReleaseLease: stores('lease', { type: 'LeaseReleased', data: { reason: 'done' } }),
      PauseBuild: stores('build', { type: 'BuildPaused', data: { reason: 'lunch' } }),
      RestartBuild: stores('build', { type: 'BuildRestarted', data: { ...begun.data, generation: 2, reason: 'again', host: 'any' } }),
      AbortBuild: () => rejected('build-ended', 'The build is over.'),
    }),
  );
  const post = async (path: string, id: string, body: unknown = { type: 'host', wait: 'always' }) => {
    const response = await berth.send('POST', path, body, { 'Idempotency-Key': id });
    return { status: response.status, headers: response.headers, body: (await response.json()) as Accepted };
  };

  test('is answered at once without it', async () => {
    const id = randomUUID();
    const { status, headers, body } = await post('leases', id);
    expect([status, body.id, headers.get('location'), headers.get('berth-position')]).toEqual([202, id, `/api/v1/leases/${id}`, String(body.position)]);
    expect(body).not.toHaveProperty('settled');
  });

  test('comes when the lease is active, with the position that it wrote', async () => {
    const id = randomUUID();
    const answer = post('leases?wait=30s', id);
    await until(async () => (await berth.ask(`leases/${id}`)).status === 200);
    await berth.happen('lease', id, { type: 'LeaseAcquired', data: { resource: randomUUID(), blueprint: 'b', slot: 0, token: 1 } });
    await berth.happen('lease', id, { type: 'LeaseActivated', data: {} });
    const { status, body } = await answer;
    expect([status, body.settled, body.status]).toEqual([200, true, 'active']);
    expect(((await (await berth.ask(`leases/${id}`)).json()) as LeaseView).position).toBeGreaterThan(body.position!);
  });

  test('comes when the time is up, and says how it is then', async () => {
    const { status, body } = await post('leases?wait=1s', randomUUID());
    expect([status, body.settled, body.status]).toEqual([202, false, 'pending']);
  });

  test('a release waits for the end of the lease, not for its being active', async () => {
    const id = randomUUID();
    await berth.happen('lease', id, requested);
    await berth.happen('lease', id, { type: 'LeaseAcquired', data: { resource: randomUUID(), blueprint: 'b', slot: 0, token: 1 } }, { type: 'LeaseActivated', data: {} });
    const answer = post(`leases/${id}/release?wait=30s`, randomUUID(), {});
    await until(async () => ((await (await berth.ask(`leases/${id}`)).json()) as LeaseView).status === 'released');
    await berth.happen('lease', id, { type: 'LeaseDestroyed', data: {} });
    expect((await answer).body).toMatchObject({ settled: true, status: 'destroyed' });
  });

  test('a build that runs again has not ended because it had before', async () => {
    const id = randomUUID();
    await berth.happen('build', id, begun);
    await berth.happen('build', id, { type: 'BuildPassed', data: {} });
    const answer = post(`builds/${id}/restart?wait=30s`, randomUUID(), {});
    await until(async () => ((await (await berth.ask(`builds/${id}`)).json()) as BuildView).generation === 2);
    await berth.happen('build', id, { type: 'BuildAborted', data: { reason: 'enough' } });
    expect((await answer).body).toMatchObject({ settled: true, status: 'aborted' });
  });

  test('a pause is at rest when it is paused', async () => {
    const id = randomUUID();
    await berth.happen('build', id, begun);
    expect(await post(`builds/${id}/pause?wait=30s`, randomUUID(), {})).toMatchObject({ status: 200, body: { settled: true, status: 'paused' } });
  });

  test('a time that can not be read, or is too long, has no effect', async () => {
    for (const wait of ['soon', '2m', '-1s', '0s', '1.5s']) {
      const id = randomUUID();
      const answer = await problem(await berth.send('POST', `leases?wait=${wait}`, { type: 'host', wait: 'always' }, { 'Idempotency-Key': id }));
      expect([wait, answer.code, answer.errors[0]!.field]).toEqual([wait, 'invalid-data', 'wait']);
      expect(berth.sent.some((command) => command.id === id)).toBe(false);
    }
  });

  test('what is answered when it is done says where it is, too', async () => {
    const [id, action] = [randomUUID(), randomUUID()];
    await berth.happen('lease', id, requested);
    await berth.happen('lease', id, { type: 'LeaseAcquired', data: { resource: randomUUID(), blueprint: 'b', slot: 0, token: 1 } }, { type: 'LeaseActivated', data: {} });
    berth.script({
      RunAction: async ({ data }) => ({ accepted: true, id: action, position: await berth.happen('action', action, { type: 'ActionRequested', data }, { type: 'ActionStarted', data: {} }, { type: 'ActionSucceeded', data: {} }) }),
      AbortBuild: () => rejected('build-ended', 'The build is over.'),
    });
    const response = await berth.send('POST', `leases/${id}/files/folder?path=a`, {}, { 'Idempotency-Key': action });
    expect([response.status, response.headers.get('location'), Number(response.headers.get('berth-position'))]).toEqual([200, `/api/v1/actions/${action}`, expect.any(Number)]);
  });

  test('a "no" does not wait', async () => {
    expect((await problem(await berth.send('POST', `builds/${randomUUID()}/abort?wait=30s`, {}))).code).toBe('build-ended');
  });
});

describe('a read', () => {
  test('is the same as long as nothing has changed: by its tag, and in lists too', async () => {
    const [id, other] = [randomUUID(), randomUUID()];
    await berth.happen('build', id, begun);
    const position = await berth.happen('lease', other, requested);
    for (const path of [`builds/${id}`, `builds/${id}/artifacts`, 'builds?limit=3', `leases/${other}`, 'leases?limit=3', 'machines', 'plans', 'capacity', 'quota', 'blueprints', `history/${id}`, 'schemas/plan.json']) {
      const first = await berth.ask(`${path}${path.includes('?') ? '&' : '?'}after=${position}`);
      const tag = first.headers.get('etag')!;
      expect([path, first.status, tag]).toEqual([path, 200, expect.stringMatching(/^W\/"/)]);
      const again = await berth.ask(path, { headers: { 'If-None-Match': `"x", ${tag}` } });
      expect([path, again.status, again.headers.get('etag'), await again.text()]).toEqual([path, 304, tag, '']);
      expect(again.headers.get('cache-control')).toBe('private, no-cache');
      expect([path, (await berth.ask(path, { headers: { 'If-None-Match': '"x"' } })).status]).toEqual([path, 200]);
    }
  });

  test('is another one as soon as something has: of it, and not of others', async () => {
    const [id, other] = [randomUUID(), randomUUID()];
    await berth.happen('build', id, begun);
    await berth.happen('build', other, begun);
    const one = (await berth.ask(`builds/${id}`)).headers.get('etag')!;
    const all = (await berth.ask('builds')).headers.get('etag')!;
    const after = await berth.happen('build', other, { type: 'BuildPaused', data: { reason: 'x' } });
    const status = async (path: string, tag: string) => (await berth.ask(path, { headers: { 'If-None-Match': tag } })).status;
    expect([await status(`builds/${id}?after=${after}`, one), await status(`builds?after=${after}`, all)]).toEqual([304, 200]);
    const later = await berth.happen('build', id, { type: 'BuildPaused', data: { reason: 'x' } });
    expect(await status(`builds/${id}?after=${later}`, one)).toBe(200);
  });

  test('a tag is of one address alone', async () => {
    const id = randomUUID();
    const after = await berth.happen('build', id, begun);
    const tag = (await berth.ask(`builds/${id}?after=${after}`)).headers.get('etag')!;
    const status = async (path: string) => (await berth.ask(path, { headers: { 'If-None-Match': tag } })).status;
    expect([await status(`builds/${id}`), await status(`builds/${randomUUID()}`), await status('builds')]).toEqual([304, 404, 200]);
  });

  test('a lease is another one when the resource behind it gets its place', async () => {
    const [id, resource] = [randomUUID(), randomUUID()];
    await berth.happen('lease', id, { ...requested, data: { ...requested.data, type: 'service' } });
    await berth.happen('resource', resource, { type: 'ResourceCreated', data: { type: 'service', blueprint: 'b', name: 's', attributes: {}, slots: 1 } });
    const held = await berth.happen('lease', id, { type: 'LeaseAcquired', data: { resource, blueprint: 'b', slot: 0, token: 1 } });
    const tag = (await berth.ask(`leases/${id}?after=${held}`)).headers.get('etag')!;
    const after = await berth.happen('resource', resource, { type: 'ResourceActivated', data: { port: 5432, uri: 'tcp://x:5432' } });
    const now = await berth.ask(`leases/${id}?after=${after}`, { headers: { 'If-None-Match': tag } });
    expect([now.status, ((await now.json()) as LeaseView).port]).toEqual([200, 5432]);
  });

  test('with ?after= it shows that position, and says so when it can not', async () => {
    const id = randomUUID();
    const position = await berth.happen('lease', id, requested);
    expect(((await (await berth.ask(`leases?limit=1&after=${position}`)).json()) as Page<LeaseView>).items[0]!.id).toBe(id);
    for (const path of ['leases', `leases/${id}`, 'machines']) {
      const answer = await berth.ask(`${path}?after=${position + 1_000_000}`);
      expect([path, answer.status, answer.headers.get('retry-after'), (await problem(answer)).code]).toEqual([path, 425, '1', 'not-yet']);
    }
    for (const after of ['x', '-1', '1.5', '99999999999999999999']) expect([after, (await problem(await berth.ask(`leases?after=${after}`))).errors[0]!.field]).toEqual([after, 'after']);
  });

  test('one that waits for its position is answered when it comes', async () => {
    const id = randomUUID();
    const before = await berth.happen('lease', id, requested);
    const answer = berth.ask(`leases/${id}?after=${before + 1}`);
    await berth.happen('lease', id, { type: 'PriorityChanged', data: { priority: 7 } });
    expect(((await (await answer).json()) as LeaseView).priority).toBe(7);
  });

  test('is compressed for whoever takes that, when it is long', async () => {
    for (const [accepted, coding, unpack] of [['gzip', 'gzip', gunzipSync], ['gzip, br', 'br', brotliDecompressSync], ['br;q=0, gzip;q=0.5', 'gzip', gunzipSync], ['identity', undefined, (body: Buffer) => body], ['gzip;q=0', undefined, (body: Buffer) => body]] as const) {
      const { response, body } = await raw('schemas/plan.json', { 'Accept-Encoding': accepted });
      expect([accepted, response.headers['content-encoding'], response.headers.vary]).toEqual([accepted, coding, 'Accept-Encoding, Authorization, Cookie']);
      expect((JSON.parse(unpack(body).toString()) as { $id: string }).$id).toBe('urn:berth:plan');
      expect(Number(response.headers['content-length'])).toBe(body.byteLength);
    }
    expect((await raw('quota', { 'Accept-Encoding': 'gzip' })).response.headers['content-encoding']).toBeUndefined();
  });

  test('HEAD is GET without the body', async () => {
    // Tags of lists hold how far what is shown has come: nothing of the tests before is on its way any more.
    const last = await berth.happen('lease', randomUUID(), requested);
    for (const path of ['machines', 'leases']) expect((await berth.ask(`${path}?after=${last}`)).status).toBe(200);
    for (const path of ['machines', 'schemas/plan.json', 'quota']) {
      const [whole, head] = [await raw(path), await raw(path, {}, 'HEAD')];
      expect([path, head.response.statusCode, head.body.byteLength]).toEqual([path, 200, 0]);
      for (const name of ['content-type', 'content-length', 'etag', 'vary', 'cache-control']) expect([path, name, head.response.headers[name]]).toEqual([path, name, whole.response.headers[name]]);
    }
    expect((await raw(`leases/${randomUUID()}`, {}, 'HEAD')).response.statusCode).toBe(404);
  });
});

describe('a method or a type that is not for a path', () => {
  test.each([
    ['DELETE', 'leases', 'GET, HEAD, POST, OPTIONS'],
    ['PUT', `leases/${randomUUID()}`, 'GET, HEAD, OPTIONS'],
    ['PATCH', 'quota', 'GET, HEAD, PUT, OPTIONS'],
    ['GET', 'leases/x/release', 'POST, OPTIONS'],
    ['POST', 'builds/x/artifacts/pin/y', 'GET, HEAD, DELETE, OPTIONS'],
    ['PUT', 'builds/x/artifacts/pin', 'GET, HEAD, POST, DELETE, OPTIONS'],
  ])('%s %s: 405 with Allow', async (method, path, allow) => {
    const answer = await berth.ask(path, { method });
    expect([answer.status, answer.headers.get('allow'), (await problem(answer)).code]).toEqual([405, allow, 'method-not-allowed']);
    const options = await berth.ask(path, { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow'), await options.text()]).toEqual([204, allow, '']);
  });

  test('an artifact may be called as a part of the API is', async () => {
    expect((await problem(await berth.ask(`builds/${randomUUID()}/artifacts/pin`))).code).toBe('unknown-build');
  });

  test('without a token neither says anything', async () => {
    for (const method of ['DELETE', 'OPTIONS']) expect((await fetch(`${berth.berth.access.url}/api/v1/leases`, { method })).status).toBe(401);
  });

  test.each([
    ['text/html', 406], ['application/xml, text/*', 406], ['application/json;q=0', 406], ['*/*;q=0', 406], ['application/json;q=0, */*', 406],
    ['application/json', 200], ['*/*', 200], ['application/*;q=0.1', 200], ['text/html, */*;q=0.1', 200], ['APPLICATION/JSON', 200], ['nonsense', 406], ['', 200],
  ])('Accept: %s is %i', async (accept, status) => {
    const { response, body } = await raw('machines', { Accept: accept });
    expect(response.statusCode).toBe(status);
    if (status === 406) expect(JSON.parse(body.toString())).toMatchObject({ code: 'not-acceptable', errors: [{ field: 'Accept' }] });
  });

  test('a terminal that is joined without an upgrade', async () => {
    const answer = await berth.ask(`actions/${randomUUID()}/live`);
    expect([answer.status, answer.headers.get('upgrade'), (await problem(answer)).code]).toEqual([426, 'websocket', 'upgrade-required']);
  });
});

test('every answer is of the shape that the client has of it', async () => {
  const list = (await (await berth.ask('leases')).json()) as Page<unknown>;
  expect(list.items.length).toBeGreaterThan(0);
  for (const item of list.items) schemas.LeaseView.parse(item);
});

async function until(is: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(is, { timeout: 10_000, interval: 20 }).toBe(true);
}
