import { randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { beforeAll, describe, expect, test } from 'vitest';
import { ended, type BuildView, type Problem } from '@berth/client';
import { activeLease, eventually, install, type Installation } from './console.testing.js';

let berth: Installation;
beforeAll(async () => {
  berth = await install();
});

const problem = async (answer: Promise<Response>): Promise<Problem> => {
  const response = await answer;
  const body = (await response.json()) as Problem;
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(body.status).toBe(response.status);
  expect(body.type).toBe(`urn:berth:problem:${body.code}`);
  return body;
};
const text = async (source: AsyncIterable<Uint8Array>): Promise<string> => {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece);
  return Buffer.concat(pieces).toString();
};

describe('the door', () => {
  test('healthz needs no token and names each service', async () => {
    const response = await fetch(`${berth.console.url}/healthz`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: 'ok', services: { console: { ready: true }, lease: { ready: true } } });
  });

  test('nothing under /api without the token, not even the news that it is not there', async () => {
    for (const path of ['api/v1/leases', 'api/v1/nothing', 'api', 'api/', '%61pi/v1/leases', 'api%2Fv1/leases', 'api/v1/leases?x=1']) {
      for (const headers of [{}, { Authorization: 'Bearer wrong' }, { Authorization: berth.token }]) {
        const response = await fetch(`${berth.console.url}/${path}`, { headers: headers as Record<string, string> });
        if (path === 'api%2Fv1/leases' && response.status === 404) continue; // no route at all
        expect([path, response.status]).toEqual([path, 401]);
        expect(response.headers.get('www-authenticate')).toBe('Bearer realm="berth"');
        expect(((await response.json()) as Problem).code).toBe('unauthorized');
      }
    }
  });

  test('only on loopback', () => expect(berth.console.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/));
});

describe('bad input is told with the field it is in', () => {
  test.each([
    ['an unknown route', 'GET', 'nothing', undefined, 404, 'not-found'],
    ['no JSON', 'POST', 'leases', '{"type":', 400, 'invalid-json'],
    ['a list', 'POST', 'leases', '[]', 422, 'invalid-data'],
    ['an unknown lease', 'GET', `leases/${randomUUID()}`, undefined, 404, 'unknown-lease'],
    ['no id at all', 'GET', 'leases/x', undefined, 404, 'unknown-lease'],
    ['an unknown build', 'GET', `builds/${randomUUID()}/log`, undefined, 404, 'unknown-build'],
    ['an unknown action', 'GET', `actions/${randomUUID()}/log`, undefined, 404, 'unknown-action'],
    ['an unknown machine', 'GET', 'machines/nobody', undefined, 404, 'unknown-machine'],
    ['an unknown plan', 'POST', 'builds', '{"plan":"nothing"}', 404, 'unknown-plan'],
    ['an unknown history', 'GET', 'history/nothing', undefined, 404, 'not-found'],
    ['a subject for an id', 'GET', 'history/%3E', undefined, 404, 'not-found'],
    ['a limit too large', 'GET', 'leases?limit=1001', undefined, 422, 'invalid-data'],
    ['an unknown status', 'GET', 'builds?status=done', undefined, 422, 'invalid-data'],
    ['a foreign cursor', 'GET', 'builds?cursor=x', undefined, 422, 'invalid-data'],
  ])('%s', async (_name, method, path, body, status, code) => {
    const answer = await problem(berth.ask(path, { method, ...(body !== undefined && { body, headers: { 'Content-Type': 'application/json' } }) }));
    expect([answer.status, answer.code]).toEqual([status, code]);
  });

  test('fields have no data. before them, in the sentence neither', async () => {
    const answer = await problem(berth.post('leases', { type: 'boat', priority: -1 }));
    expect(answer.errors.map((e) => e.field).sort()).toEqual(['priority', 'type']);
    expect(answer.detail).not.toContain('data.');
  });

  test('another type of body, and one that is too long', async () => {
    expect((await problem(berth.post('leases', 'a', { 'Content-Type': 'image/png' }))).code).toBe('unsupported-media-type');
    expect((await problem(berth.post('leases', 'type: host', { 'Content-Type': 'text/yaml' }))).code).toBe('unsupported-media-type');
    expect((await problem(berth.post('leases', { type: 'x'.repeat(2 ** 20) }))).code).toBe('too-large');
  });

  test('a key that is no UUID', async () => {
    expect((await problem(berth.post('leases', { type: 'host' }, { 'Idempotency-Key': 'me' }))).errors[0]!.field).toBe('Idempotency-Key');
  });

  test('a plan with a fault says line and column', async () => {
    const answer = await problem(berth.ask('plans', { method: 'POST', body: 'name: x\nsteps: [', headers: { 'Content-Type': 'text/yaml' } }));
    expect([answer.status, answer.code]).toEqual([422, 'invalid-plan']);
    expect(JSON.stringify(answer)).toMatch(/line 2/);
  });

  test('a machine nobody can reach', async () => {
    const answer = await problem(berth.post('machines', { name: 'gone', address: '127.0.0.1', port: 1, user: 'x', credential: (await berth.berth.machines.get('box')).credential }));
    expect([answer.status, answer.code]).toEqual([422, 'machine-unreachable']);
  });
});

describe('leases', () => {
  test('the same key twice is one lease, seen at once by id and in the list', async () => {
    const key = randomUUID();
    const ask = () => berth.post('leases', { type: 'host', owner: 'ada', attributes: { pool: 'nowhere' }, wait: 'always' }, { 'Idempotency-Key': key });
    const [one, two] = [await ask(), await ask()];
    expect([one.status, two.status]).toEqual([202, 202]);
    expect(one.headers.get('location')).toBe(`/api/v1/leases/${key}`);
    const { position } = (await one.clone().json()) as { position: number };
    expect([await one.json(), await two.json()]).toEqual([{ id: key, position }, { id: key, position }]);
    expect(one.headers.get('berth-position')).toBe(String(position));
    expect(await berth.berth.leases.get(key)).toMatchObject({ id: key, owner: 'ada', status: 'pending', attributes: { pool: 'nowhere' } });
    expect((await berth.berth.leases.list({ limit: 1 })).items[0]!.id).toBe(key);
    expect((await berth.post(`leases/${key}/release`, {})).status).toBe(202);
    expect((await berth.berth.leases.get(key)).status).toBe('destroyed');
    expect((await problem(berth.post(`leases/${key}/renew`, { until: '2040-01-01T00:00:00Z' }))).code).toBe('lease-ended');
  });

  test('a request that nothing could serve is refused, and nothing is made of it', async () => {
    const key = randomUUID();
    const body = { type: 'host', owner: 'ada', attributes: { pool: 'nowhere' } };
    const answer = await problem(berth.post('leases', body, { 'Idempotency-Key': key }));
    expect([answer.status, answer.code, answer.explanation!.verdict]).toEqual([422, 'unservable', 'never']);
    expect(answer.explanation!.considered.map((one) => one.blueprint)).toContain('preallocated');
    expect((await problem(berth.ask(`leases/${key}`))).code).toBe('unknown-lease');
    expect(await berth.berth.leases.consider({ ...body, type: 'host', wait: 'always' })).toMatchObject({ verdict: 'never' });
    expect(await berth.berth.leases.consider({ type: 'host', attributes: { pool: 'spec' } })).toMatchObject({ verdict: 'now' });
  });

  test('pages: newest first, no row twice, none left out', async () => {
    for (let i = 0; i < 5; i++) await berth.berth.leases.request({ type: 'host', owner: 'pages', attributes: { pool: 'nowhere' }, wait: 'always' });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = (await (await berth.ask(`leases?owner=pages&limit=2${cursor ? `&cursor=${cursor}` : ''}`)).json()) as { items: { id: string; created: string }[]; cursor: string | null };
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map((l) => l.id));
      cursor = page.cursor ?? undefined;
    } while (cursor);
    expect(new Set(seen).size).toBe(5);
    expect(seen.length).toBe(5);
    const newest = [...seen].reverse();
    expect((await berth.berth.leases.list()).items.filter((l) => l.owner === 'pages').map((l) => l.id)).toEqual([...newest].reverse());
    expect((await berth.berth.leases.list({ status: 'active' })).items).toEqual([]);
  });

  test('exec runs with the fencing token of the lease; output and exit code come back', async () => {
    const lease = await activeLease(berth);
    const { id } = await berth.berth.leases.exec(lease, { command: 'echo out; echo err >&2; echo "$WHO"; exit 3', env: { WHO: 'ada' } });
    expect((await text(berth.berth.actions.log(id, { follow: true }))).split('\n').sort()).toEqual(['', 'ada', 'err', 'out']);
    expect(await text(berth.berth.actions.log(id, { stream: 'stderr' }))).toBe('err\n');
    expect(await berth.berth.actions.get(id)).toMatchObject({ lease, kind: 'run-command', status: 'failed', exitCode: 3, code: 'exit' });
    expect(await problem(berth.post(`leases/${lease}/exec`, { command: 'true', env: { LD_PRELOAD: 'x' } }))).toMatchObject({ code: 'invalid-data', errors: [{ field: 'env.LD_PRELOAD', message: expect.stringContaining('choose another name') }] });
    await berth.berth.leases.release(lease);
    await eventually(async () => (await berth.berth.leases.get(lease)).status === 'destroyed');
    expect((await problem(berth.post(`leases/${lease}/exec`, { command: 'true' }))).code).toBe('lease-ended');
  });

  test('a file goes there and comes back, and nothing of it stays on the way', async () => {
    const lease = await activeLease(berth);
    const bytes = randomBytes(3_000_000);
    const put = await berth.berth.leases.put(lease, 'some/file.bin', Readable.from([bytes]), { mode: 0o755 });
    expect(put).toMatchObject({ status: 'succeeded', kind: 'put-file' });
    const download = await berth.berth.leases.fetch(lease, 'some/file.bin');
    expect(download.bytes).toBe(bytes.byteLength);
    const pieces: Buffer[] = [];
    for await (const piece of download.stream) pieces.push(piece as Buffer);
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
    for (const path of ['../x', '/etc/passwd', 'a/../../b', '~/x']) {
      expect((await problem(berth.post(`leases/${lease}/get`, { path }))).code).toBe('path-outside');
      expect((await problem(berth.ask(`leases/${lease}/put?path=${encodeURIComponent(path)}`, { method: 'POST', body: 'x', headers: { 'Content-Type': 'application/octet-stream' } }))).code).toBe('path-outside');
    }
    const absent = await problem(berth.post(`leases/${lease}/get`, { path: 'nothing' }));
    expect(absent.status).toBe(422);
    expect(absent.errors[0]!.field).toBe('path');
    await berth.berth.leases.release(lease);
  });
});

describe('machines, blueprints, plans', () => {
  test('a machine is seen at once, with its resource and slots', async () => {
    expect((await berth.berth.machines.list()).items.map((m) => m.name)).toEqual(['box']);
    expect(await berth.berth.machines.get('box')).toMatchObject({ name: 'box', slots: 4, reachable: true, attributes: { pool: 'spec' } });
    const blueprints = (await berth.berth.blueprints.list()).items;
    expect(blueprints.map((b) => b.name)).toEqual(['local', 'preallocated', 'working-copy']);
    expect(blueprints[1]).toMatchObject({ kind: 'preallocated', enabled: true, slots: { total: 4 }, resources: [{ name: 'box', status: 'active', attributes: { preallocated: 'yes', remote: 'yes' } }] });
  });

  test('a plan is saved in versions, as YAML or as JSON', async () => {
    const yaml = 'name: versions\nsteps:\n  - name: One\n    run: "true"\n';
    const first = await berth.ask('plans', { method: 'POST', body: yaml, headers: { 'Content-Type': 'application/yaml' } });
    expect([first.status, await first.json()]).toEqual([201, { id: 'versions', name: 'versions', version: 1, position: expect.any(Number) as number }]);
    expect(await (await berth.post('plans', { source: yaml.replace('One', 'Two') })).json()).toMatchObject({ version: 2 });
    expect(await berth.berth.plans.get('versions')).toMatchObject({ version: 2, steps: ['Two'] });
  });
});

describe('builds', () => {
  const plan = `name: chatty
host: { pool: spec }
steps:
  - name: Talk
    run: |
      i=0; while [ $i -lt 2000 ]; do echo "line $i"; i=$((i+1)); done
      echo done >&2
  - name: Make
    run: printf 'the artifact' > made.txt
  - name: Keep
    uses: upload-artifact
    with: { path: made.txt }
`;
  let build: BuildView;
  let log: string;
  beforeAll(async () => {
    await berth.berth.plans.apply(plan);
    const { id } = await berth.berth.builds.request({ plan: 'chatty' });
    expect((await berth.berth.builds.get(id)).id).toBe(id);
    log = await text(berth.berth.builds.log(id, { follow: true }));
    build = await eventually(async () => {
      const now = await berth.berth.builds.get(id);
      return ended(now.status) && now.cleanedUp ? now : false;
    }, { timeoutMs: 15_000 });
  });

  test('passes, with its steps, leases and artifact', () => {
    expect(build).toMatchObject({ status: 'passed', percent: 100, plan: 'chatty', planVersion: 1, cleanedUp: true, error: null, attempt: 1 });
    expect(build.steps.map((s) => [s.name, s.outcome])).toEqual([['Talk', 'passed'], ['Make', 'passed'], ['Keep', 'passed']]);
    expect(build.artifacts).toMatchObject([{ name: 'made.txt', bytes: 12, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
  });

  test('every line of the log once and in order, followed or not, and from any byte on', async () => {
    const lines = Array.from({ length: 2000 }, (_, i) => `line ${i}`);
    expect(log.split('\n').filter((line) => line.startsWith('line'))).toEqual(lines);
    expect(log.match(/^done$/gm)).toHaveLength(1);
    expect(await text(berth.berth.builds.log(build.id))).toBe(log);
    expect(await (await berth.ask(`builds/${build.id}/log?offset=5000`)).text()).toBe(log.slice(5000));
  });

  test('the artifact is downloaded whole, and not again when it is known', async () => {
    const response = await berth.ask(`builds/${build.id}/artifacts/made.txt`);
    expect(await response.text()).toBe('the artifact');
    expect(response.headers.get('content-length')).toBe('12');
    expect(response.headers.get('etag')).toBe(`"${build.artifacts[0]!.sha256}"`);
    expect(Buffer.from(/sha-256=(.*)/.exec(response.headers.get('digest')!)![1]!, 'base64').toString('hex')).toBe(build.artifacts[0]!.sha256);
    expect((await berth.ask(`builds/${build.id}/artifacts/made.txt`, { headers: { 'If-None-Match': response.headers.get('etag')! } })).status).toBe(304);
    expect((await problem(berth.ask(`builds/${build.id}/artifacts/other.txt`))).code).toBe('not-found');
  });

  test('its history tells of all that it used, in order', async () => {
    const { items } = await berth.berth.history(build.id);
    const sequences = items.map((e) => e.sequence);
    expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
    const types = items.map((e) => e.type);
    for (const type of ['BuildRequested', 'LeaseRequested', 'SlotClaimed', 'LeaseAcquired', 'ResourceCreated', 'ActionRequested', 'StepStarted', 'ArtifactKept', 'BuildPassed', 'SlotFreed', 'LeaseDestroyed', 'ResourceDestroyed', 'BuildCleanedUp']) expect(types).toContain(type);
    const kinds = items.flatMap((e) => (e.type === 'ActionRequested' ? [(e.data as { spec: { kind: string } }).spec.kind] : []));
    expect(kinds).toEqual(['prepare-working-copy', 'run-command', 'run-command', 'upload', 'remove-working-copy']);
    expect(items.at(-1)!.type).toBe('BuildCleanedUp');
    expect((await berth.berth.history(build.hostLease!)).items.map((e) => e.type)).toContain('LeaseDestroyed');
    expect((await berth.berth.history('box')).items[0]).toMatchObject({ type: 'MachineAdded', kind: 'machine', actor: 'token:admin' });
  });
});

describe('the live feed', () => {
  interface Frame { id: string; event: string; data: { kind: string; id: string; type: string } }
  async function read(query: string, enough: (frames: Frame[]) => boolean, headers: Record<string, string> = {}): Promise<Frame[]> {
    const stop = new AbortController();
    const response = await berth.ask(`events${query}`, { headers, signal: stop.signal });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const frames: Frame[] = [];
    let rest = '';
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      const parts = (rest + Buffer.from(chunk).toString()).split('\n\n');
      rest = parts.pop()!;
      for (const part of parts) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(part)?.[1];
        if (field('data')) frames.push({ id: field('id')!, event: field('event')!, data: JSON.parse(field('data')!) as Frame['data'] });
      }
      if (enough(frames)) break;
    }
    stop.abort();
    return frames;
  }

  test('from the beginning, and again from any id on, without a gap or a repeat', async () => {
    const total = (await berth.berth.history('box')).items[0]!.sequence;
    const all = await read('?after=0', (frames) => frames.some((f) => f.event === 'BuildCleanedUp'));
    expect(all[0]!.id).toMatch(/^1(\.1)?$/);
    expect(Number.parseInt(all.at(-1)!.id)).toBeGreaterThan(total);
    for (const at of [1, 3, Math.floor(all.length / 2), all.length - 3]) {
      const resumed = await read('', (frames) => frames.length >= all.length - at - 1, { 'Last-Event-ID': all[at]!.id });
      expect(resumed.slice(0, all.length - at - 1)).toEqual(all.slice(at + 1));
    }
  });

  test('only what was asked for, live', async () => {
    const id = randomUUID();
    const waiting = read('?kinds=lease', (frames) => frames.some((f) => f.event === 'LeaseDestroyed' && f.data.id === id));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await berth.berth.leases.request({ type: 'host', attributes: { pool: 'nowhere' }, wait: 'always' }, { id });
    await berth.berth.leases.release(id);
    const frames = await waiting;
    // Other leases that wait are told of meanwhile.
    expect(frames.find((f) => f.data.id === id)).toMatchObject({ event: 'LeaseRequested', data: { kind: 'lease' } });
    expect(new Set(frames.map((f) => f.data.kind))).toEqual(new Set(['lease']));
    expect((await problem(berth.ask('events?after=x'))).code).toBe('invalid-data');
    expect((await problem(berth.ask('events?kinds=boat'))).code).toBe('invalid-data');
  });
});
