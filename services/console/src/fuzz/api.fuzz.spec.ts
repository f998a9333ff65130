import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { jetStreamObjects } from '@berth/artifacts';
import { commands, fieldErrors, hardwareGroupSpec, hardwareSpec, rejected, savedPlan, type Answer, type CatalogEvent } from '@berth/contracts';
import { artifactBucket } from '@berth/nats';
import { rawOf, sealingKeyFrom } from '@berth/runtime';
import { controllers } from '../console.module.js';
import { apiOf } from '../http/api.js';
import { eventually } from '../../../../test/support/wait.js';
import { scripted, type Script, type Scripted } from '../scripted.testing.js';
import { assigned, catalogue, channelSaved, ended, pushed, pushStarted, requested, saved, started, templateOf } from '../views/images.testing.js';
import { faithfulRequests, requests, type Ask, type Known } from './requests.testing.js';
import { wire, type Heard } from './wire.testing.js';

/** More of them find more; the main suite has to come to an end. */
const ROUNDS = Number(process.env['BERTH_FUZZ_ROUNDS'] ?? 1200);
const LIMIT_MS = process.env['BERTH_FUZZ_ROUNDS'] === undefined ? 12_000 : 3_600_000;
/** Nothing comes for so long: what was under way is over. */
const QUIET_MS = 500;
/** Requests of one operation that are tried until one is served. */
const TRIES = 300;

const api = apiOf(controllers);
let berth: Scripted;
let known: Known;

const [lease, build, action, resource, job, version] = [randomUUID(), randomUUID(), randomUUID(), randomUUID(), randomUUID(), randomUUID()];
const explanation = { verdict: 'now', reason: 'box is free.', next: 'it is granted.', ahead: 0, considered: [], more: 0 };
const file = { name: 'a', kind: 'file', bytes: 1, mode: 420, modified: '2030-01-01T00:00:00.000Z' };
/** What commands answer besides. */
const data: Record<string, Record<string, unknown>> = { ConsiderLease: explanation, ListFiles: { items: [file], more: false }, StatFile: file, ValidatePlan: { name: 'p', steps: [] }, SaveBlueprint: { version: 1 }, RotateSecrets: { secrets: 0 }, SaveImage: { name: 'web', revision: 1 }, ValidateTemplate: { template: templateOf('web') }, DeleteVersion: { manual: ['ami-1'] }, ProbeHost: { hostKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==', facts: { os: 'linux' } }, SealingKey: { key: 'k', publicKey: rawOf(sealingKeyFrom(randomBytes(32))) } };

beforeAll(async () => {
  berth = await scripted();
  const plan = savedPlan.parse({ name: 'p', host: {}, workingCopy: {}, env: {}, steps: [{ name: 'One', run: 'x', env: {} }] });
  const machine = { name: 'box', address: '127.0.0.1', port: 22, user: 'x', credential: 'agent', platform: 'linux', attributes: {}, slots: 1, hostKey: 'ssh-ed25519 AAAA', facts: {} };
  await berth.happen('machine', 'box', { type: 'MachineAdded', data: machine });
  await berth.happen('resource', resource, { type: 'ResourceCreated', data: { type: 'host', blueprint: 'preallocated', name: 'box', attributes: {}, slots: 1, machine: 'box' } }, { type: 'ResourceActivated', data: {} });
  await berth.happen('plan', 'p', { type: 'PlanSaved', data: { version: 1, source: 'name: p', plan } });
  await berth.happen('lease', lease, { type: 'LeaseRequested', data: { type: 'host', owner: 'ada', attributes: {}, blueprints: [], priority: 100 } });
  await berth.happen('lease', lease, { type: 'LeaseAcquired', data: { resource, blueprint: 'preallocated', slot: 0, token: 1 } }, { type: 'LeaseActivated', data: {} });
  await berth.happen('action', action, { type: 'ActionRequested', data: { lease, token: 1, spec: { kind: 'run-command', command: 'true', env: {} } } }, { type: 'ActionStarted', data: {} }, { type: 'ActionSucceeded', data: { exitCode: 0, stdoutBytes: 0, stderrBytes: 0 } });
  await berth.happen('build', build, { type: 'BuildRequested', data: { plan, planVersion: 1, variables: {}, initiator: 'ada' } }, { type: 'LinkAdded', data: { name: 'link', type: 'uri', uri: 'https://example.org/', generation: 1 } });
  const position = await berth.happen('build', build, { type: 'BuildAborted', data: { reason: 'spec' } }, { type: 'BuildCleanedUp', data: {} });
  await berth.happen('job', job, { type: 'JobRequested', data: { task: 'ping', machine: 'box', force: false, softLimit: 1, hardLimit: 2 } }, { type: 'JobCompleted', data: { machine: 'up', result: {} } });
  for (const name of ['box', 'p', 'preallocated', 'local']) {
    await berth.happen('hardware', name, { type: 'HardwareSet', data: hardwareSpec.parse({ name, address: '10.0.0.1' }) });
    await berth.happen('hardware-group', name, { type: 'HardwareGroupSet', data: hardwareGroupSpec.parse({ name }) });
  }
  await imagesHappen();
  const letters: string[] = [];
  for (let i = 0; i < 20; i++) letters.push(String((await berth.bus.jetstream().publish('berth.dead.lease.ReleaseLease', JSON.stringify({ id: randomUUID(), type: 'ReleaseLease', data: { lease } }))).seq));
  known = {
    id: [lease, build, action, resource, randomUUID()], name: ['box', 'p', 'preallocated', 'local'], path: ['link', 'a', '.'], step: ['One', 'step-1'], account: ['a-raw'], query: ['has(sbom)', 'bytes >= 1'], label: ['team:web'], channel: ['latest', 'web:latest'], image: ['web'],
    wait: ['1s', ''], after: ['0', '1', String(position)], kinds: ['lease', 'build,action'], ids: [lease], at: ['1', '2035-01-01T00:00:00Z'],
    '/api/v1/hardware/{name}/loan/steps/{step} step': ['0', '1'],
    ...Object.fromEntries(Object.keys(api.document.json['paths'] as object).flatMap((template) => (/\/images\//.test(template) ? [[`${template} name`, ['web']]] : /\/channels\//.test(template) ? [[`${template} name`, ['web:latest']]] : []))),
    ...Object.fromEntries(Object.keys(api.document.json['paths'] as object).map((template) => [`${template} id`, /leases/.test(template) ? [lease] : /versions/.test(template) ? [version, 'web@1', 'web:latest'] : /builds/.test(template) ? [build] : /actions/.test(template) ? [action] : /resources/.test(template) ? [resource] : /dead-letters/.test(template) ? letters : /jobs/.test(template) ? [job] : [lease, build]])),
  };
  for (const name of known['name']!) {
    await berth.berth.webhooks.save(name, { url: 'http://127.0.0.1:9/' });
    await berth.berth.tokens.create({ name, role: 'viewer' });
  }
  berth.script(Object.fromEntries(Object.values(commands).flatMap((types) => Object.entries(types).map(([type, schema]) => [type, answering(type, schema)]))));
});

/** An image with a version that is built and pushed, and entries of the catalogue, policies and copies under the names that are asked for. */
async function imagesHappen(): Promise<void> {
  const bytes = randomBytes(100);
  const sbom = { name: 'sbom.json', object: `${version}/sbom`, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  await jetStreamObjects(berth.bus, artifactBucket).put(sbom.object, Readable.from([bytes]), { maxBytes: bytes.length });
  const named = ['box', 'p', 'preallocated', 'local'].flatMap((name) => catalogue.map(({ type, data: given }) => ({ type, data: { ...given, name } }) as CatalogEvent));
  await berth.happen('catalog', 'main', ...catalogue, ...named);
  const made = ['raw', 'oci'].flatMap((target) => [started(version, target as 'raw'), { type: 'TargetCompleted', data: { version, target, made: { object: sbom, sbom } } }]);
  await berth.happen('image', 'web', saved('web', { environment: 'dev' }), channelSaved('latest', { managed: true }), requested(version, 1, { labels: { team: 'web' } }), ...made, ended(version), pushStarted(version, 'a-raw'), pushed(version, 'a-raw'), assigned('latest', version));
  for (const name of ['box', 'p', 'preallocated', 'local']) {
    await berth.happen('replication', name, { type: 'ReplicationPolicySaved', data: { name, description: '', query: 'has(arch)', to: { kind: 'folder', folder: '/srv' }, on: 'both', revision: 1 } });
    await berth.happen('replication', name, { type: 'ObjectReplicated', data: { object: `${version}/raw/image`, sha256: sbom.sha256, attributes: sbom.sha256, bytes: 100 } });
  }
}

/** Reads a command as its service would, and carries nothing out but what somebody waits for. */
function answering(type: string, schema: { safeParse(data: unknown): { success: boolean; error?: Parameters<typeof fieldErrors>[0] | undefined } }): Script {
  const done = new Set<string>();
  return async ({ id, data: given }): Promise<Answer> => {
    const parsed = schema.safeParse(given);
    if (!parsed.success) return rejected('invalid-data', 'It is refused.', fieldErrors(parsed.error!, 'data'));
    if (type === 'RunAction' && !done.has(id)) {
      done.add(id);
      // Nothing is brought from a host that is not there.
      const end = (given['spec'] as { kind: string }).kind === 'get-file' ? { type: 'ActionFailed', data: { code: 'not-found', error: 'there is no such file' } } : { type: 'ActionSucceeded', data: { exitCode: 0 } };
      await berth.happen('action', id, { type: 'ActionRequested', data: given }, { type: 'ActionStarted', data: {} }, end);
    }
    const of = String(given['name'] ?? given['lease'] ?? given['build'] ?? id);
    return { accepted: true, id: of, ...(data[type] && { data: data[type] }) };
  };
}

const authorized = (): [string, string] => ['Authorization', `Bearer ${berth.berth.access.token}`];
const send = ({ method, path, headers, body }: Ask, more: readonly (readonly [string, string])[]): Promise<Heard> => wire(berth.berth.access.url, method, path, [...more, ...headers], body);

/** Whether a "no" at a path is in the form of other controllers. */
const isBare = (path: string): boolean => /^\/api\/v1\/(jobs|workers\/[^/]*\/(group\/[^/]*\/)?jobs)$/.test(path.split('?')[0]!);

/** What must be true of any answer to anything. That it is the one which the document tells of, the console itself looks at. */
function judge({ method, path }: Ask, { status, headers, body }: Heard): void {
  expect(status, `${method} ${path.slice(0, 500)}: ${body}`).toBeLessThan(500);
  if (status < 400) return;
  if (headers.get('content-type') === 'application/json' && isBare(path)) {
    if (method !== 'HEAD') expect(typeof JSON.parse(body)).toBe('object');
    return;
  }
  expect(headers.get('content-type'), body).toBe('application/problem+json');
  if (method === 'HEAD') return;
  const problem = JSON.parse(body) as { status: number; code: string; errors: unknown[] };
  expect([problem.status, typeof problem.code, Array.isArray(problem.errors)]).toEqual([status, 'string', true]);
}

const run = (rounds: number, property: (ask: Ask) => Promise<void>) =>
  fc.assert(fc.asyncProperty(requests(api.document.json, known), property), { numRuns: rounds, interruptAfterTimeLimit: LIMIT_MS, markInterruptAsFailure: false });

/** They answer with bytes, or with news, of what is not there in this fleet, want another protocol, or are for browsers. */
const NEVER_SERVED = ['access.signIn', 'access.signOut', 'builds.explanation', 'events.live', 'leaseFiles.read', 'leases.fetch', 'oidc.begin', 'oidc.finish'];

test('what is asked as the document says is served', { timeout: 60_000 }, async () => {
  const refused: string[] = [];
  // Nothing is there to be waited for.
  for (const [operation, asks] of faithfulRequests(api.document.json, { ...known, wait: [''] })) {
    let served = false;
    for (const ask of fc.sample(asks, NEVER_SERVED.includes(operation) ? 2 : TRIES)) {
      const answer = await send(ask, [authorized()]);
      judge(ask, answer);
      served = answer.status < 400;
      if (served) break;
    }
    if (!served) refused.push(operation);
  }
  expect(refused.sort()).toEqual(NEVER_SERVED);
});

test('whatever is asked, the answer is one of those that the document tells of', { timeout: LIMIT_MS + 30_000 }, async () => {
  await run(ROUNDS, async (ask) => judge(ask, await send(ask, [authorized()])));
});

test('without a token nothing has an effect', { timeout: LIMIT_MS + 30_000 }, async () => {
  const open = api.table.routes.filter(({ description }) => description.open);
  const foreign = new Set(api.table.routes.flatMap(({ name, description }) => (description.foreign ? [name] : [])));
  // A spoiled method may be that of an open route of the same path.
  // Browsers ask with OPTIONS whether a page of another origin may ask, and show nothing with that. Outside of the API it is no secret which methods a path has.
  const isPreflight = ({ operation, method, path }: Ask) => method === 'OPTIONS' && (foreign.has(operation) || !path.startsWith('/api/'));
  const isOpen = ({ operation, method, path }: Ask) => open.some((route) => route.name === operation || (route.method === method && route.path === path.split('?')[0]));
  // That somebody was refused is written down; nothing else is.
  const last = async () => {
    const { subjects } = (await (await berth.bus.jetstreamManager()).streams.info('BERTH_EVENTS', { subjects_filter: 'berth.evt.>' })).state;
    return Object.entries(subjects ?? {}).reduce((sum, [subject, count]) => sum + (subject.startsWith('berth.evt.access.') ? 0 : count), 0);
  };
  // The last request of the property before may still be under way: its time was up.
  const counts = async (): Promise<[number, number]> => [await last(), berth.sent.length];
  let [before, sent] = await counts();
  await eventually(async () => {
    const earlier = [before, sent];
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    [before, sent] = await counts();
    expect([before, sent]).toEqual(earlier);
  }, { timeoutMs: 10_000 });
  const wrong: (readonly (readonly [string, string])[])[] = [[], [['Authorization', 'Bearer wrong']], [['Authorization', berth.berth.access.token]], [['Authorization', `Basic ${berth.berth.access.token}`]], [['Authorization', 'Bearer ']], [['X-Token', berth.berth.access.token]]];
  let turn = 0;
  await run(Math.ceil(ROUNDS / 3), async (ask) => {
    const answer = await send(ask, wrong[turn++ % wrong.length]!);
    judge(ask, answer);
    if (!isOpen(ask) && !isPreflight(ask)) expect([400, 401, 404, 405, 414, 417, 429, 431], `${answer.status} to ${ask.method} ${ask.path.slice(0, 200)}`).toContain(answer.status);
  });
  expect([await last(), berth.sent.length]).toEqual([before, sent]);
});
