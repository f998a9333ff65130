import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Problem } from '@berth/client';
import { atEndOfFile } from '../../../../test/support/cleanup.js';
import { eventually } from '../../../../test/support/wait.js';
import { scripted, type Scripted } from '../scripted.testing.js';

let berth: Scripted;
let url: string;
const got: string[] = [];
beforeAll(async () => {
  berth = await scripted();
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => (body += part)).on('end', () => {
      got.push((JSON.parse(body) as { type: string }).type);
      response.writeHead(202).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEndOfFile(() => {
    server.closeAllConnections();
    server.close();
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
const status = (id: string, type: string) =>
  JSON.stringify({ specversion: '1.0', id: '1', source: 'spec', type, subject: id, time: new Date().toISOString(), datacontenttype: 'application/json', data: { id, status: 'passed', percent: 100, activity: null, error: null } });

describe('webhooks over HTTP', () => {
  test('from its beginning to its end', async () => {
    const { webhooks } = berth.berth;
    const first = await webhooks.save('ci', { url, kinds: ['build'] });
    expect(first.key).toMatch(/^whsec_/);
    expect((await webhooks.save('ci', { url, kinds: ['build'] })).key).toBeUndefined();
    expect(await webhooks.get('ci')).toEqual({ name: 'ci', url, kinds: ['build'], statuses: [], status: 'active', reason: null, version: 1, waiting: 0, last: null });
    expect(await webhooks.test('ci')).toMatchObject({ outcome: 'delivered', status: 202, error: null });

    await eventually(async () => expect((await berth.bus.jetstreamManager()).consumers.info('BERTH_STATUS', 'webhook-ci')).toBeDefined());
    await berth.bus.jetstream().publish('berth.status.build.b1', status('b1', 'dev.berth.build.passed'));
    await eventually(() => expect(got).toEqual(['berth.webhook.test', 'dev.berth.build.passed']));
    await eventually(async () => expect((await webhooks.deliveries('ci')).items).toMatchObject([{ id: 'build.b1.1', outcome: 'delivered', status: 202 }]));
    expect((await webhooks.list()).items.map(({ name, last }) => [name, last?.outcome])).toEqual([['ci', 'delivered']]);

    await webhooks.suspend('ci', 'a night off');
    expect(await webhooks.get('ci')).toMatchObject({ status: 'suspended', reason: 'a night off' });
    await berth.bus.jetstream().publish('berth.status.build.b2', status('b2', 'dev.berth.build.failed'));
    expect(await webhooks.get('ci')).toMatchObject({ waiting: 1 });
    await webhooks.resume('ci');
    await eventually(() => expect(got.at(-1)).toBe('dev.berth.build.failed'));

    const { key } = await webhooks.rotateKey('ci');
    expect(key).toMatch(/^whsec_/);
    expect(key).not.toBe(first.key);
    await webhooks.remove('ci');
    await expect(webhooks.get('ci')).rejects.toMatchObject({ code: 'unknown-webhook', message: 'There is no webhook "ci": /api/v1/webhooks shows what there is.' });
    // Who did what is in its history; keys are nowhere.
    const history = (await berth.berth.history('ci')).items;
    expect(history.map(({ type }) => type)).toEqual(['WebhookSaved', 'WebhookSuspended', 'WebhookResumed', 'WebhookKeyRotated', 'WebhookRemoved']);
    expect(JSON.stringify(history)).not.toContain('whsec_');
  });

  test.each([
    ['PUT', 'webhooks/x', {}, 422, 'url'],
    ['PUT', 'webhooks/x', { url: 'ftp://x.example' }, 422, 'url'],
    ['PUT', 'webhooks/x', { url: 'https://me:word@x.example/' }, 422, 'url'],
    ['PUT', 'webhooks/x', { url: 'https://x.example', kinds: ['plan'] }, 422, 'kinds[0]'],
    ['PUT', 'webhooks/x', { url: 'https://x.example', name: 'y' }, 422, 'name'],
    ['PUT', 'webhooks/a.b', { url: 'https://x.example' }, 422, 'name'],
    ['POST', 'webhooks/none/suspend', {}, 404, 'webhook'],
    ['POST', 'webhooks/none/resume', {}, 404, 'webhook'],
    ['POST', 'webhooks/none/rotate-key', {}, 404, 'webhook'],
    ['DELETE', 'webhooks/none', undefined, 404, 'webhook'],
  ] as const)('%s %s %o is refused with its field', async (method, path, body, code, field) => {
    const response = await berth.send(method, path, body);
    const problem = (await response.json()) as Problem;
    expect([response.status, problem.errors?.map((one) => one.field)]).toEqual([code, [field]]);
  });

  test.each(['webhooks/none', 'webhooks/none/deliveries', 'webhooks/%00'])('%s is not there', async (path) => expect((await berth.ask(path)).status).toBe(404));
  test('nor can it be tried', async () => expect((await berth.send('POST', 'webhooks/none/test')).status).toBe(404));
});
