import { randomBytes, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startConsole } from '@berth/console';
import { httpClient, type BerthHttp } from '@berth/client';
import type { Config } from '@berth/runtime';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { atEndOfFile } from '../support/cleanup.js';
import { startFleet, startTestSshd, type Fleet } from '../support/fleet.js';
import { startCollector, type ReceivedSpan } from '../support/otlp.js';
import { freshDatabase } from '../support/postgres.js';
import { eventually } from '../support/wait.js';

const traceId = randomBytes(16).toString('hex');
const asker = randomBytes(8).toString('hex');
const hush = 'a-value-that-is-nobodys-business';
let collector: Awaited<ReturnType<typeof startCollector>>;
let fleet: Fleet;
let berth: BerthHttp;
let url: string;
let token: string;
let build: string;
let trace: ReceivedSpan[];

// Traces are on in this process from here on: what is loaded of them is not left to other files.
afterAll(() => void vi.resetModules());
beforeAll(async () => {
  collector = await startCollector();
  // Each service in a process of its own: what connects their spans has gone over the bus.
  fleet = await startFleet({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, BERTH_LOG_LEVEL: 'debug' } });
  const config: Config = { home: fleet.home, httpPort: 0, natsUrl: fleet.nats.urlOf('console'), databaseUrl: await freshDatabase(), logLevel: 'info', sweepMs: 60_000, sweepGraceMs: 300_000, logFile: join(fleet.home, 'console.log'), traces: `${collector.url}/v1/traces` };
  const fail = (error: Error) => {
    throw error;
  };
  token = randomUUID();
  const running = await startConsole(config, fail, { token, readiness: () => Promise.resolve({}) });
  atEndOfFile(() => running.stop());
  ({ url } = running);
  berth = httpClient({ url, token });
  const sshd = await startTestSshd();
  await berth.machines.add({ name: 'box', address: sshd.host, port: sshd.port, user: sshd.user, credential: `file:${sshd.privateKeyPath}`, folder: join(fleet.home, 'host') });
  await eventually(async () => (await berth.machines.get('box')).resource !== null, { timeoutMs: 10_000 });
  await berth.plans.apply('name: traced\nvariables:\n  VALUE: { type: string }\nsteps:\n  - { name: Do, run: "true" }\n  - { name: Not, run: "exit 3" }\n');
  build = randomUUID();
  const response = await fetch(`${url}/api/v1/builds`, { method: 'POST', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', 'Idempotency-Key': build, traceparent: `00-${traceId}-${asker}-01` }, body: JSON.stringify({ plan: 'traced', variables: { VALUE: hush } }) });
  expect(response.status).toBe(202);
  await eventually(async () => (await berth.builds.get(build)).cleanedUp, { timeoutMs: 30_000 });
  // Spans are sent a while after they end.
  await eventually(() => collector.spans.some(({ traceId: of, name, attributes }) => of === traceId && name === 'append build' && String(attributes['berth.events']).includes('BuildCleanedUp')), { timeoutMs: 20_000 });
  // Each service sends its own; those that nothing hangs on are missed by nobody else.
  const isThere = (name: string) => collector.spans.some((span) => span.traceId === traceId && span.name === name);
  await eventually(() => ['action remove-working-copy', 'action run-command', 'lease ReleaseLease', 'build'].every(isThere), { timeoutMs: 20_000 }).catch(() => undefined); // told by the tests below
  await eventually(() => orphans(collector.spans.filter((span) => span.traceId === traceId)).length === 0, { timeoutMs: 10_000 }).catch(() => undefined); // told by the test below
  trace = collector.spans.filter((span) => span.traceId === traceId);
});

/** Spans whose parent is not there. */
const orphans = (spans: readonly ReceivedSpan[]) => {
  const known = new Set([asker, ...spans.map(({ spanId }) => spanId)]);
  return spans.filter(({ parentSpanId }) => !known.has(parentSpanId));
};
const named = (name: string, service?: string) => trace.filter((span) => span.name === name && (service === undefined || span.service === service));

describe('one request', () => {
  test('is one trace, with spans of every service, each of which has its parent in it', () => {
    expect(orphans(trace)).toEqual([]);
    expect([...new Set(trace.map(({ service }) => service))].sort()).toEqual(['berth-allocator', 'berth-build-orchestrator', 'berth-console', 'berth-host-agent-gateway', 'berth-lease']);
  });

  test('from the asker over HTTP to the command and its commit', () => {
    const [http] = named('POST /api/v1/builds');
    expect(http).toMatchObject({ service: 'berth-console', parentSpanId: asker, kind: 2, attributes: { 'http.response.status_code': 202, 'http.route': '/api/v1/builds' } });
    const [sent] = named('send RequestBuild');
    expect(sent).toMatchObject({ parentSpanId: http!.spanId, attributes: { 'berth.command': build, 'berth.accepted': true } });
    const [handled] = named('build-orchestrator RequestBuild');
    expect(handled).toMatchObject({ service: 'berth-build-orchestrator', parentSpanId: sent!.spanId, kind: 5 });
    expect(named('append build').find(({ parentSpanId }) => parentSpanId === handled!.spanId)).toMatchObject({ kind: 4, attributes: { 'berth.id': build, 'berth.events': expect.stringContaining('BuildRequested'), 'berth.position': expect.any(Number) } });
  });

  test('goes on in what follows: leases, placement, actions on the host', () => {
    expect(named('lease RequestLease', 'berth-lease')).toHaveLength(2);
    expect(named('lease ReleaseLease', 'berth-lease').length).toBeGreaterThan(0);
    const placements = named('placement', 'berth-allocator');
    expect(placements.length).toBeGreaterThanOrEqual(1);
    for (const { began, ended } of placements) expect(ended).toBeGreaterThanOrEqual(began);
    expect(named('append resource', 'berth-allocator').some(({ parentSpanId }) => parentSpanId === placements[0]!.spanId)).toBe(true);
    expect(named('action prepare-working-copy', 'berth-host-agent-gateway')).toHaveLength(1);
    expect(named('action run-command', 'berth-host-agent-gateway')).toHaveLength(2);
    expect(named('action remove-working-copy', 'berth-host-agent-gateway')).toHaveLength(1);
  });

  test('has the build with its steps, from when to when, and how they ended', () => {
    const [whole] = named('build');
    expect(whole).toMatchObject({ service: 'berth-build-orchestrator', error: expect.stringContaining('Not'), attributes: { 'berth.build': build, 'berth.plan': 'traced', 'berth.outcome': 'failed', 'berth.generation': 1 } });
    const steps = named('step').sort((a, b) => a.began - b.began);
    expect(steps.map(({ attributes, error, parentSpanId }) => [attributes['berth.step'], attributes['berth.outcome'], error === undefined, parentSpanId === whole!.spanId])).toEqual([['Do', 'passed', true, true], ['Not', 'failed', false, true]]);
    for (const { began, ended } of steps) expect([began >= whole!.began, ended <= whole!.ended]).toEqual([true, true]);
  });

  test('carries nothing of what is asked for', () => {
    expect(JSON.stringify(collector.spans)).not.toContain(hush);
    expect(JSON.stringify(collector.spans)).not.toContain(token);
  });

  test('is found in the log by its id', async () => {
    const lines = (await readFile(join(fleet.home, 'lease.log'), 'utf8')).split('\n').filter((line) => line.includes(`"traceId":"${traceId}"`));
    expect(lines.some((line) => line.includes('"msg":"stored"') && line.includes('"service":"lease"'))).toBe(true);
  });
});

test('leases that are granted together stay in the traces of their askers', async () => {
  const ids = await Promise.all(
    Array.from({ length: 3 }, async (_, i) => {
      const own = randomBytes(16).toString('hex');
      const id = randomUUID();
      const response = await fetch(`${url}/api/v1/leases`, { method: 'POST', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', 'Idempotency-Key': id, traceparent: `00-${own}-${asker}-01` }, body: JSON.stringify({ type: 'host', owner: `asker-${i}`, wait: 'always', until: new Date(Date.now() + 600_000).toISOString() }) });
      expect(response.status).toBe(202);
      return { id, own };
    }),
  );
  for (const { id, own } of ids) {
    await eventually(async () => (await berth.leases.get(id)).status === 'active', { timeoutMs: 10_000 });
    await berth.leases.release(id);
    await eventually(() => collector.spans.some(({ traceId: of, name, attributes }) => of === own && name === 'append lease' && attributes['berth.id'] === id && String(attributes['berth.events']).includes('LeaseActivated')), { timeoutMs: 10_000 });
  }
});

test('a collector gets JSON at the path that OpenTelemetry says', () => {
  expect(new Set(collector.requests.map(({ path, type }) => `${path} ${type}`))).toEqual(new Set(['/v1/traces application/json']));
});
