import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { CHECKOUT } from '@berth/embedded/servers';
import { httpClient, type BerthHttp } from '@berth/client';
import { addressOptions, withLogin } from '@berth/nats';
import { connect } from 'nats';
import { beforeAll, describe, expect, test } from 'vitest';
import { startBerth } from '../support/berth.js';
import { tempFolder } from '../support/cleanup.js';
import { startFleet, startTestSshd } from '../support/fleet.js';
import { parseMetrics, type Family } from '../support/prometheus.js';
import { eventually } from '../support/wait.js';

let url: string;
let token: string;
let berth: BerthHttp;
let families: Map<string, Family>;

const scrape = async () => {
  const response = await fetch(`${url}/metrics`, { headers: { Authorization: `Bearer ${token}` } });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  return parseMetrics(await response.text());
};
const value = (of: Map<string, Family>, name: string, labels: Record<string, string> = {}): number | undefined =>
  [...of.values()].flatMap((family) => family.samples).find((sample) => sample.name === name && Object.entries(labels).every(([key, wanted]) => sample.labels[key] === wanted))?.value;

beforeAll(async () => {
  const home = await tempFolder('metrics');
  let natsUrl: string;
  ({ url, token, natsUrl } = await startBerth(home));
  berth = httpClient({ url, token });
  const sshd = await startTestSshd();
  await berth.machines.add({ name: 'box', address: sshd.host, port: sshd.port, user: sshd.user, credential: `file:${sshd.privateKeyPath}`, slots: 3, folder: join(home, 'host') });
  await berth.plans.apply('name: counted\nsteps:\n  - { name: Do, run: "true" }\n  - { name: Not, run: "exit 3" }\n');
  const { id } = await berth.builds.request({ plan: 'counted' });
  await eventually(async () => (await berth.builds.get(id)).cleanedUp, { timeoutMs: 30_000 });
  const { console: password } = JSON.parse(await readFile(join(home, 'nats', 'users.json'), 'utf8')) as { console: string };
  const bus = await connect(addressOptions(withLogin(natsUrl, 'console', password)));
  bus.publish('berth.cmd.lease.Nonsense', 'no JSON');
  await bus.drain();
  await eventually(async () => expect(value(await scrape(), 'berth_dead_letters')).toBe(1));
  families = await scrape();
});

describe('/metrics of everything in one process', () => {
  test('asks for the token as all of the API does', async () => {
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
    expect((await fetch(`${url}/metrics`, { headers: { Authorization: `Bearer ${randomUUID()}` } })).status).toBe(401);
    const own = async (projects: string[] | null) => {
      const { secret } = await berth.tokens.create({ name: projects ? 'scraper-of-some' : 'scraper', role: 'viewer', projects });
      return (await fetch(`${url}/metrics`, { headers: { Authorization: `Bearer ${secret}` } })).status;
    };
    expect([await own(null), await own(['compilers'])]).toEqual([200, 403]);
  });

  test.each<[string, Record<string, string>, number]>([
    ['berth_builds_total', { outcome: 'failed' }, 1],
    ['berth_builds', { status: 'building' }, 0],
    ['berth_step_duration_seconds_count', { kind: 'run-command', outcome: 'passed' }, 1],
    ['berth_step_duration_seconds_count', { kind: 'run-command', outcome: 'failed' }, 1],
    ['berth_action_duration_seconds_count', { kind: 'prepare-working-copy', outcome: 'succeeded' }, 1],
    ['berth_lease_wait_seconds_count', { type: 'host', blueprint: 'preallocated' }, 1],
    ['berth_lease_grant_seconds_count', { type: 'working-copy' }, 1],
    ['berth_leases_ended_total', { type: 'host', ended: 'released' }, 1],
    ['berth_slots', { blueprint: 'preallocated', state: 'free' }, 3],
    ['berth_machines', { reachable: 'true' }, 1],
    ['berth_ssh_connections', { state: 'up' }, 1],
    ['berth_service_ready', { service: 'lease' }, 1],
    ['berth_commands_total', { service: 'build-orchestrator', type: 'RequestBuild', outcome: 'accepted' }, 1],
    // Whatever anybody writes into a subject is no label.
    ['berth_commands_total', { service: 'lease', type: 'unknown', outcome: 'refused' }, 1],
    ['berth_dead_letters_total', { service: 'lease', type: 'unknown' }, 1],
    ['berth_commands_waiting', { service: 'lease' }, 0],
  ])('%s %j', (name, labels, expected) => expect(value(families, name, labels)).toBe(expected));

  test('every process has its event loop and memory; appends are timed; nothing lags for long', async () => {
    for (const name of ['nodejs_eventloop_lag_p99_seconds', 'process_resident_memory_bytes', 'process_cpu_seconds_total']) expect(value(families, name)).toBeGreaterThan(0);
    expect(value(families, 'berth_event_append_duration_seconds_count', { service: 'lease', kind: 'lease' })).toBeGreaterThan(2);
    expect(value(families, 'berth_http_request_duration_seconds_count', { method: 'POST', route: '/api/v1/builds', status: '202' })).toBe(1);
    await eventually(async () => {
      const now = await scrape();
      expect(value(now, 'berth_projection_lag_commits')).toBe(0);
      expect(value(now, 'berth_projection_lag_seconds')).toBe(0);
    });
  });

  test('the reference says the same: names, types, labels, meanings', async () => {
    const text = await readFile(join(CHECKOUT, 'docs', 'reference', 'metrics.md'), 'utf8');
    const rows = [...text.matchAll(/^\| `(berth_\w+)` \| (\w+) \| ([^|]*) \| (.*) \|$/gm)].map(([, name, type, labels, help]) => ({ name, type, labels: [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label!), help }));
    const own = [...families.values()].filter(({ name }) => name.startsWith('berth_'));
    expect(rows.map(({ name, type, help }) => ({ name, type, help })).sort(byName)).toEqual(own.map(({ name, type, help }) => ({ name, type, help })).sort(byName));
    for (const { name, samples } of own) {
      const labels = rows.find((row) => row.name === name)!.labels;
      for (const sample of samples) expect([name, Object.keys(sample.labels).filter((label) => label !== 'le').sort()]).toEqual([name, [...labels].sort()]);
    }
  });

  describe('what is watched with them', () => {
    interface Panel { type: string; title: string; datasource?: { uid: string }; gridPos: { x: number; y: number; w: number; h: number }; targets?: { expr: string; datasource: { uid: string } }[] }
    interface Rule { alert: string; expr: string; labels: Record<string, string>; annotations: Record<string, string> }
    const file = (name: string) => readFile(join(CHECKOUT, 'infra', 'grafana', name), 'utf8');

    /** Every metric in an expression is there, with the labels that it is asked by. */
    const checkExpression = (expression: string) => {
      const names = [...expression.matchAll(/\b((?:berth|nodejs|process)_\w+)(?:\{([^}]*)\})?/g)];
      for (const [, name, matchers] of names) {
        const family = families.get(name!) ?? families.get(name!.replace(/_(bucket|sum|count)$/, ''));
        expect([name, family !== undefined]).toEqual([name, true]);
        const known = new Set(['job', 'instance', 'le', ...labelsOf.get(family!.name) ?? []]);
        const asked = [...(matchers ?? '').matchAll(/(\w+)\s*=/g), ...(names.length === 1 ? [...expression.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list]) => [...list!.matchAll(/(\w+)/g)]) : [])].map(([, label]) => label!);
        if (name!.startsWith('berth_')) for (const label of asked) expect([expression, label, known.has(label)]).toEqual([expression, label, true]);
      }
    };
    const labelsOf = new Map<string, string[]>();
    beforeAll(async () => {
      for (const [, name, labels] of (await file('../../docs/reference/metrics.md')).matchAll(/^\| `(berth_\w+)` \| \w+ \| ([^|]*) \|/gm)) labelsOf.set(name!, [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label!));
    });

    test('the dashboard: each of its questions has an answer, no two panels lie on each other, and its data source can be chosen', async () => {
      const dashboard = JSON.parse(await file('berth.json')) as { schemaVersion: number; panels: Panel[]; templating: { list: { name: string; type: string; query: string }[] } };
      expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(41);
      expect(dashboard.templating.list).toEqual([expect.objectContaining({ name: 'datasource', type: 'datasource', query: 'prometheus' })]);
      const panels = dashboard.panels.filter(({ type }) => type !== 'row');
      for (const { title, datasource, targets } of panels) {
        expect([title, datasource?.uid, targets!.length > 0]).toEqual([title, '${datasource}', true]);
        for (const { expr } of targets!) checkExpression(expr);
      }
      const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) => Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`));
      expect(new Set(cells).size).toBe(cells.length);
      const asked = panels.flatMap(({ targets }) => targets!.map(({ expr }) => expr)).join(' ');
      for (const name of labelsOf.keys()) expect([name, new RegExp(`\\b${name}(_bucket|_count|_sum)?\\b`).test(asked)]).toEqual([name, true]);
    });

    test('the alerts: each is about something that is told, and says what to do', async () => {
      const { parse } = createRequire(join(CHECKOUT, 'libs', 'cli', 'package.json'))('yaml') as { parse(text: string): { groups: { name: string; rules: Rule[] }[] } };
      const rules = parse(await file('alerts.yml')).groups.flatMap((group) => group.rules);
      expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
      for (const { alert, expr, labels, annotations } of rules) {
        expect([alert, labels['severity'], Object.keys(annotations)]).toEqual([alert, expect.stringMatching(/^(critical|warning)$/), ['summary', 'description']]);
        checkExpression(expr);
        // What a summary names must be left over by the expression.
        for (const [, label] of annotations['summary']!.matchAll(/\$labels\.(\w+)/g)) if (/by \(/.test(expr)) expect([alert, expr]).toEqual([alert, expect.stringMatching(new RegExp(`by \\([^)]*\\b${label}\\b`))]);
      }
    });
  });

  test('names end as Prometheus wants it: counters in total, times in seconds', () => {
    for (const { name, type } of families.values()) {
      if (!name.startsWith('berth_')) continue;
      expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
      if (type === 'histogram') expect(name).toMatch(/_seconds$/);
    }
  });
});

const byName = (a: { name?: string | undefined }, b: { name?: string | undefined }) => (a.name! < b.name! ? -1 : 1);

test('a service alone shows its own on BERTH_METRICS_PORT', async () => {
  const fleet = await startFleet({ services: ['lease'], env: { BERTH_METRICS_PORT: '0' } });
  const line = await eventually(async () => /^metrics on (\S+)$/m.exec(await readFile(join(fleet.home, 'lease.log'), 'utf8'))?.[1] ?? false);
  await fleet.requestLease({ type: 'host', owner: 'ada', attributes: {} });
  const alone = parseMetrics(await (await fetch(line)).text());
  expect(value(alone, 'berth_commands_total', { service: 'lease', type: 'RequestLease', outcome: 'accepted' })).toBe(1);
  expect(value(alone, 'nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);
  expect(alone.has('berth_builds_total')).toBe(false);
  expect((await fetch(line.replace('/metrics', '/'))).status).toBe(404);
});
