import { beforeAll, expect, test } from 'vitest';
import type { AuditEntry } from '@berth/client';
import { eventually } from '../../../../test/support/wait.js';
import { scripted, type Scripted } from '../scripted.testing.js';
import { asker, asking, leaseOf, type Asker } from './access.testing.js';

let berth: Scripted;
let viewer: Asker;
beforeAll(async () => {
  berth = await scripted();
  viewer = await asker(berth, 'viewer', 'viewer');
});

const refusals = async (actor: string): Promise<AuditEntry[]> => (await berth.berth.audit({ what: 'refused', actor })).items;

test('who was refused what is stored with the actor, and never what was shown', async () => {
  await viewer.ask('POST', 'machines?secret=hush', { name: 'box' });
  await asking(berth, 'x', 'a-wrong-token').ask('GET', 'leases');
  await asking(berth, 'x', 'a-wrong-token').ask('GET', 'no/such/route');
  await eventually(async () => expect(await refusals('anonymous')).toHaveLength(2));
  const [one] = await refusals('token:viewer');
  expect(one).toMatchObject({ what: 'refused', kind: 'access', events: ['AccessRefused'], detail: 'POST /api/v1/machines (/api/v1/machines) from 127.0.0.1: You may not do this: it needs fleet:write, which the role viewer does not have.' });
  expect((await refusals('anonymous')).map(({ detail }) => detail)).toEqual(['GET (no such route) from 127.0.0.1: This token is not valid here.', 'GET /api/v1/leases (/api/v1/leases) from 127.0.0.1: This token is not valid here.']);
  expect(JSON.stringify(await berth.berth.audit())).not.toMatch(/hush|a-wrong-token/);
  expect(JSON.stringify(await berth.berth.history(one!.id))).not.toMatch(/hush|a-wrong-token/);
});

test('many refusals of one kind are few events', async () => {
  const busy = await asker(berth, 'busy', 'viewer');
  for (let i = 0; i < 50; i++) await busy.ask('PUT', 'quota', {});
  await eventually(async () => expect(await refusals('token:busy')).toHaveLength(1));
});

test('what was done is there too, page by page, newest first, for admins alone', async () => {
  const { items } = await berth.berth.audit({ what: 'did', actor: 'token:admin' });
  expect(items.map(({ kind, id, events }) => [kind, id, ...events])).toEqual([['token', 'busy', 'TokenCreated'], ['token', 'viewer', 'TokenCreated']]);
  const paged: number[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await berth.berth.audit({ limit: 2, ...(cursor && { cursor }) });
    expect(page.items.length).toBeLessThanOrEqual(2);
    paged.push(...page.items.map(({ position }) => position));
    cursor = page.cursor;
  }
  expect(paged).toEqual([...new Set(paged)].sort((a, b) => b - a));
  expect(paged).toEqual((await berth.berth.audit({ limit: 1000 })).items.map(({ position }) => position));
  expect(paged.length).toBeGreaterThan(5);
  expect((await viewer.ask('GET', 'audit')).status).toBe(403);
  expect((await berth.ask('audit?what=x')).status).toBe(422);
  expect((await berth.ask('audit?cursor=x')).status).toBe(422);
  expect((await berth.berth.audit({ cursor: '1' })).items).toEqual([]);
});

test('across many events of services, which are nobody\'s deeds', async () => {
  const marker = (await berth.berth.audit()).items[0]!.position;
  for (let i = 0; i < 2200; i += 100) await Promise.all(Array.from({ length: 100 }, () => leaseOf(berth, 'x')));
  await eventually(async () => expect((await berth.berth.audit({ limit: 1 })).items[0]?.position).toBe(marker));
});
