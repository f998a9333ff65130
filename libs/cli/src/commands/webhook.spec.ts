import { beforeAll, expect, test } from 'vitest';
import type { DeliveryView, WebhookView } from '@berth/client';
import { fakeBerth, type FakeBerth } from '../fake-berth.testing.js';

let fake: FakeBerth;
beforeAll(async () => {
  fake = await fakeBerth();
});

const last: DeliveryView = { id: 'build.b1.7', type: 'dev.berth.build.passed', at: new Date(Date.now() - 65_000).toISOString(), attempt: 2, outcome: 'failed', status: 503, durationMs: 12, error: '503 Service Unavailable: later' };
const ci: WebhookView = { name: 'ci', url: 'https://ci.example/', kinds: ['build'], statuses: ['passed'], status: 'suspended', reason: 'its target says that it is gone', version: 2, waiting: 3, last };

test('list and show', async () => {
  fake.routes({ 'GET webhooks': [200, { items: [ci], cursor: null }], 'GET webhooks/ci': [200, ci], 'GET webhooks/ci/deliveries': [200, { items: [last], cursor: null }] });
  expect((await fake.berth('webhook', 'list')).stdout).toBe('WEBHOOK  STATUS     URL                  OF     WAITING  LAST\nci       suspended  https://ci.example/  build  3        failed 1m 5s ago\n');
  const { stdout } = await fake.berth('webhook', 'show', 'ci');
  expect(stdout).toContain('status   suspended: its target says that it is gone\n');
  expect(stdout).toMatch(/1m 5s ago +build\.b1\.7 +2 +failed +12 ms +503 Service Unavailable: later\n$/);
  fake.routes({ 'GET webhooks': [200, { items: [], cursor: null }] });
  expect((await fake.berth('webhook', 'list')).stdout).toBe('No webhooks.\n');
});

test('save sends what was asked for, and shows the key of a new one', async () => {
  fake.routes({ 'PUT webhooks/ci': [201, { id: 'ci', name: 'ci', key: 'whsec_abc' }] });
  expect((await fake.berth('webhook', 'save', 'ci', 'https://ci.example/', '--kind', 'build', 'lease', '--status', 'passed')).stdout).toBe('Webhook ci is saved.\nIt signs with this key, which is not shown again:\nwhsec_abc\n');
  expect(fake.asked.at(-1)!.body).toEqual({ url: 'https://ci.example/', kinds: ['build', 'lease'], statuses: ['passed'] });
  const wrong = await fake.berth('webhook', 'save', 'ci', 'https://ci.example/', '--kind', 'plan');
  expect([wrong.code, wrong.stderr]).toEqual([2, 'berth: --kind must be one of machine, blueprint, resource, fleet, lease, action, build, image, hardware, job, not "plan".\n']);
});

test('a test that is not delivered fails, with the reason', async () => {
  fake.routes({ 'POST webhooks/ci/test': [200, { outcome: 'failed', status: null, durationMs: 3, error: 'ECONNREFUSED' }] });
  expect(await fake.berth('webhook', 'test', 'ci')).toMatchObject({ code: 1, stdout: 'It was not delivered: ECONNREFUSED\n' });
});

test.each([['suspend', 'Webhook ci is suspended.'], ['resume', 'Webhook ci goes on.'], ['rotate-key', 'Webhook ci signs with this key, which is not shown again:\nwhsec_x']])('%s', async (verb, said) => {
  fake.routes({ [`POST webhooks/ci/${verb}`]: [202, { id: 'ci', name: 'ci', key: 'whsec_x' }] });
  expect((await fake.berth('webhook', verb, 'ci')).stdout).toBe(`${said}\n`);
});
