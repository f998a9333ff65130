import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../../../test/support/wait.js';
import { scripted, type Scripted } from '../scripted.testing.js';
import { asker, asking, problemOf, statusAndCode } from './access.testing.js';

let berth: Scripted;
beforeAll(async () => {
  berth = await scripted();
});

describe('a token', () => {
  test('is shown once: what is stored and logged is its hash', async () => {
    const response = await berth.send('POST', 'tokens', { name: 'ci', role: 'builder', projects: ['compilers'], expires: '2099-01-01T00:00:00Z' });
    expect(response.status).toBe(201);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('location')).toBe('/api/v1/tokens/ci');
    const { secret, ...rest } = (await response.json()) as { secret: string };
    expect(rest).toMatchObject({ id: 'ci', name: 'ci' });
    expect(secret).toMatch(/^berth_[A-Za-z0-9_-]{43}$/);
    const stored = await berth.store.load('token', 'ci');
    expect(stored[0]!.commit).toMatchObject({ actor: 'token:admin', events: [{ type: 'TokenCreated', data: { role: 'builder', sha256: createHash('sha256').update(secret).digest('hex') } }] });
    const me = await asking(berth, 'ci', secret).berth.me();
    expect(me).toMatchObject({ actor: 'token:ci', name: 'ci', role: 'builder', projects: ['compilers'], until: null });
    expect(me.permissions).toContain('lease:write');
    expect(me.permissions).not.toContain('plan:write');
    for (const text of [JSON.stringify(await berth.berth.tokens.list()), JSON.stringify(stored), await readFile(berth.logFile, 'utf8'), JSON.stringify(await berth.berth.audit())]) expect(text).not.toContain(secret);
    expect(await berth.berth.tokens.get('ci')).toMatchObject({ state: 'live', createdBy: 'token:admin', expires: '2099-01-01T00:00:00Z', revoked: null });
  });

  test('sent again with the same key is not made twice, and not shown twice', async () => {
    const id = randomUUID();
    const made = await berth.send('POST', 'tokens', { name: 'again', role: 'viewer' }, { 'Idempotency-Key': id });
    expect(made.status).toBe(201);
    expect(await statusAndCode(berth.send('POST', 'tokens', { name: 'again', role: 'viewer' }, { 'Idempotency-Key': id }))).toEqual([409, 'name-taken']);
    expect(await berth.store.load('token', 'again')).toHaveLength(1);
  });

  test('is refused with the field: name, role, end, and a secret of one\'s own', async () => {
    for (const [body, field] of [[{ name: 'a b', role: 'viewer' }, 'name'], [{ name: 'x', role: 'king' }, 'role'], [{ name: 'x', role: 'viewer', expires: '2001-01-01T00:00:00Z' }, 'expires'], [{ name: 'x', role: 'viewer', projects: [] }, 'projects'], [{ name: 'x', role: 'viewer', sha256: 'a'.repeat(64) }, 'sha256'], [{ name: 'admin', role: 'viewer' }, 'name']] as const) {
      expect((await problemOf(berth.send('POST', 'tokens', body))).errors[0]!.field).toBe(field);
    }
    expect(await statusAndCode(berth.send('DELETE', 'tokens/nobody'))).toEqual([404, 'unknown-token']);
    expect(await statusAndCode(berth.send('GET', 'tokens/nobody'))).toEqual([404, 'unknown-token']);
  });

  test('notes that it is used, once', async () => {
    const used = await asker(berth, 'used', 'viewer');
    expect(await berth.berth.tokens.get('used')).toMatchObject({ lastUsed: null });
    for (let i = 0; i < 5; i++) await used.berth.me();
    await eventually(async () => expect(Date.parse((await berth.berth.tokens.get('used')).lastUsed ?? '')).toBeGreaterThan(Date.now() - 60_000));
    expect((await berth.store.load('token', 'used')).flatMap(({ commit }) => commit.events.map(({ type }) => type))).toEqual(['TokenCreated', 'TokenUsed']);
  });

  test('that ended says so; its name is free, and the old secret stays shut', async () => {
    const { secret } = await berth.berth.tokens.create({ name: 'brief', role: 'viewer', expires: new Date(Date.now() + 1500).toISOString() });
    const brief = asking(berth, 'brief', secret);
    await brief.berth.me();
    await eventually(async () => expect(await statusAndCode(brief.ask('GET', 'me'))).toEqual([401, 'unauthorized']));
    expect((await problemOf(brief.ask('GET', 'me'))).detail).toContain('The token brief ended at');
    expect(await berth.berth.tokens.get('brief')).toMatchObject({ state: 'expired' });
    await asker(berth, 'brief', 'viewer');
    expect(await statusAndCode(brief.ask('GET', 'me'))).toEqual([401, 'unauthorized']);
  });

  test('that is revoked ends at once, with the streams that it opened', async () => {
    const gone = await asker(berth, 'gone', 'viewer');
    const stream = await gone.ask('GET', 'events');
    expect(stream.status).toBe(200);
    const drained = (async () => {
      for await (const _ of stream.body as unknown as AsyncIterable<Uint8Array>);
    })();
    const cut = expect(drained).rejects.toThrow();
    const other = await berth.ask('events');
    await berth.berth.tokens.revoke('gone');
    await berth.berth.tokens.revoke('gone');
    expect((await problemOf(gone.ask('GET', 'me'))).detail).toBe('The token gone was revoked: ask for another one.');
    await cut;
    // Those of others go on.
    const reader = other.body!.getReader();
    expect((await reader.read()).done).toBe(false);
    await reader.cancel();
    expect(await berth.berth.tokens.get('gone')).toMatchObject({ state: 'revoked' });
  });
});

test('the actor of every command is who asked', async () => {
  const ada = await asker(berth, 'ada', 'operator');
  const actors: unknown[] = [];
  berth.script({
    RemoveMachine: (command) => {
      actors.push((command as unknown as { actor: string }).actor);
      return { accepted: true, id: 'box' };
    },
  });
  await ada.berth.machines.remove('box');
  await berth.berth.machines.remove('box');
  // However deep, and with a body that was waited for.
  expect(actors).toEqual(['token:ada', 'token:admin']);
});

describe('what every answer says to browsers', () => {
  test.each(['healthz', 'nothing', 'api/v1/me', 'api/v1/events', 'login/oidc'])('%s', async (path) => {
    const stop = new AbortController();
    const { headers } = await fetch(`${berth.console.url}/${path}`, { headers: { Authorization: `Bearer ${berth.token}` }, signal: stop.signal });
    expect(headers.get('content-security-policy')).toContain("default-src 'self'; script-src 'self';");
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('x-frame-options')).toBe('DENY');
    stop.abort();
  });
});

describe('limits', () => {
  test('wrong tokens from an address are looked at no more after a while; right ones are let in all the same', async () => {
    const wrong = asking(berth, 'nobody', 'wrong');
    const answers = await Promise.all(Array.from({ length: 70 }, () => wrong.ask('GET', 'me')));
    const limited = answers.filter(({ status }) => status === 429);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 429]));
    expect(Number(limited[0]!.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await problemOf(limited[0]!)).code).toBe('rate-limited');
    expect((await berth.ask('me')).status).toBe(200);
  });

  test('requests of one asker, whoever else asks', async () => {
    const few = await scripted({ rateLimit: 20 });
    const [ada, bob] = [await asker(few, 'ada', 'viewer'), await asker(few, 'bob', 'viewer')];
    const answers = await Promise.all(Array.from({ length: 25 }, () => ada.ask('GET', 'machines')));
    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThan(0);
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(20);
    expect((await bob.ask('GET', 'machines')).status).toBe(200);
  });
});
