import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { scripted, type Scripted } from '../scripted.testing.js';
import { actionOf, asker, leaseOf, problemOf, statusAndCode, type Asker } from './access.testing.js';

let berth: Scripted;
let ada: Asker;
beforeAll(async () => {
  berth = await scripted();
  ada = await asker(berth, 'ada', 'operator');
});

const origin = (): string => berth.console.url;
const signIn = (body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${berth.console.url}/api/v1/session`, { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...headers } });
const cookieOf = (response: Response): string => response.headers.get('set-cookie')!.split(';')[0]!;
const withCookie = (cookie: string, path: string, init: RequestInit = {}) => fetch(`${berth.console.url}/api/v1/${path}`, { ...init, headers: { Cookie: cookie, ...(init.headers as Record<string, string>) } });
const write = (cookie: string, headers: Record<string, string> = { 'X-Berth-CSRF': '1', Origin: origin() }, path = 'machines/box/drain') =>
  withCookie(cookie, path, { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json', ...headers } });

describe('a browser signs in', () => {
  test('with a token, and is then who that is', async () => {
    const response = await signIn({ token: ada.secret });
    expect(response.status).toBe(204);
    expect(response.headers.get('set-cookie')).toMatch(/^berth-session=[A-Za-z0-9_-]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
    const me = (await (await withCookie(cookieOf(response), 'me')).json()) as { actor: string; until: string };
    expect(me).toMatchObject({ actor: 'token:ada', role: 'operator' });
    expect(Date.parse(me.until) - Date.now()).toBeGreaterThan(11.9 * 3_600_000);
    expect(cookieOf(response)).not.toContain(ada.secret);
  });

  test('not with a wrong one, not from another site, not with both or neither', async () => {
    expect(await statusAndCode(signIn({ token: 'wrong' }))).toEqual([401, 'unauthorized']);
    expect(await statusAndCode(signIn({ once: 'wrong' }))).toEqual([401, 'unauthorized']);
    expect(await statusAndCode(signIn({ token: ada.secret }, { Origin: 'https://evil.example' }))).toEqual([403, 'forbidden']);
    for (const body of [{}, { token: ada.secret, once: 'x' }, { token: 3 }]) expect(await statusAndCode(signIn(body))).toEqual([422, 'invalid-data']);
  });

  test('not with a cookie that was changed, or sealed by somebody else', async () => {
    const cookie = cookieOf(await signIn({ token: ada.secret }));
    for (const other of [`${cookie}x`, cookie.replace(/.$/, (letter) => (letter === 'A' ? 'B' : 'A')), 'berth-session=', 'berth-session=AAAA', 'berth-session=e30']) expect(await statusAndCode(withCookie(other, 'me'))).toEqual([401, 'unauthorized']);
    const { mode } = await stat(join(dirname(berth.logFile), 'session.key'));
    expect(mode & 0o777).toBe(0o600);
  });

  test('the event is stored with its actor', async () => {
    await signIn({ token: ada.secret });
    const { items } = await berth.berth.audit({ what: 'signed-in', actor: 'token:ada' });
    expect(items[0]).toMatchObject({ actor: 'token:ada', events: ['SignedIn'], detail: expect.stringMatching(/^as operator by token from 127\.0\.0\.1, until /) });
  });
});

describe('a write by cookie', () => {
  test('needs the header and the origin of our own pages', async () => {
    berth.script({ DrainResource: () => ({ accepted: true, id: 'box' }) });
    const cookie = cookieOf(await signIn({ token: ada.secret }));
    expect((await write(cookie)).status).toBe(202);
    for (const headers of [{ Origin: origin() }, { 'X-Berth-CSRF': '1' }, { 'X-Berth-CSRF': '1', Origin: 'https://evil.example' }, { 'X-Berth-CSRF': '1', Origin: 'null' }, { 'X-Berth-CSRF': '0', Origin: origin() }] as Record<string, string>[]) {
      expect([headers, ...(await statusAndCode(write(cookie, headers)))]).toEqual([headers, 403, 'forbidden']);
    }
    expect(berth.sent).toHaveLength(1);
    expect((await withCookie(cookie, 'machines')).status).toBe(200);
    // A token is sent by no browser by itself.
    expect((await ada.ask('POST', 'machines/box/drain', {})).status).toBe(202);
  });
});

describe('a session ends', () => {
  test('when its browser signs out: the cookie opens nothing any more, wherever it is', async () => {
    const cookie = cookieOf(await signIn({ token: ada.secret }));
    const response = await withCookie(cookie, 'session', { method: 'DELETE', headers: { 'X-Berth-CSRF': '1', Origin: origin() } });
    expect(response.status).toBe(204);
    expect(response.headers.get('set-cookie')).toMatch(/^berth-session=; Path=\/; Max-Age=0;/);
    expect(await statusAndCode(withCookie(cookie, 'me'))).toEqual([401, 'unauthorized']);
    expect(await statusAndCode(ada.ask('DELETE', 'session'))).toEqual([422, 'invalid-data']);
  });

  test('with its token, and what it follows ends too', async () => {
    const bob = await asker(berth, 'bob', 'viewer');
    const cookie = cookieOf(await signIn({ token: bob.secret }));
    const { body } = await withCookie(cookie, 'events');
    const drained = (async () => {
      for await (const _ of body as unknown as AsyncIterable<Uint8Array>);
    })();
    const cut = expect(drained).rejects.toThrow();
    await berth.berth.tokens.revoke('bob');
    expect((await problemOf(withCookie(cookie, 'me'))).detail).toContain('The token bob was revoked');
    await cut;
    // Another token of that name is another token.
    await asker(berth, 'bob', 'admin');
    expect(await statusAndCode(withCookie(cookie, 'me'))).toEqual([401, 'unauthorized']);
  });
});

describe('a link', () => {
  test('signs in as whoever asked for it: once', async () => {
    const link = await ada.berth.loginLink();
    expect(link.url).toMatch(new RegExp(`^${berth.console.url}/login\\?once=[A-Za-z0-9_-]{43}$`));
    expect(Date.parse(link.until) - Date.now()).toBeLessThanOrEqual(3_600_000);
    const once = new URL(link.url).searchParams.get('once')!;
    const cookie = cookieOf(await signIn({ once }));
    expect(await (await withCookie(cookie, 'me')).json()).toMatchObject({ actor: 'token:ada' });
    expect(await statusAndCode(signIn({ once }))).toEqual([401, 'unauthorized']);
    expect(JSON.stringify(await berth.berth.audit())).not.toContain(once);
  });

  test('of the first start is the administrator\'s', async () => {
    const once = new URL(berth.console.firstLink!.url).searchParams.get('once')!;
    const cookie = cookieOf(await signIn({ once }));
    expect(await (await withCookie(cookie, 'me')).json()).toMatchObject({ actor: 'token:admin', role: 'admin', projects: null });
  });

  test('opens nothing when its token was revoked meanwhile', async () => {
    const eve = await asker(berth, 'eve', 'viewer');
    const once = new URL((await eve.berth.loginLink()).url).searchParams.get('once')!;
    await berth.berth.tokens.revoke('eve');
    expect(await statusAndCode(signIn({ once }))).toEqual([401, 'unauthorized']);
  });
});

describe('a live session', () => {
  /** 101, or why not. */
  const join = (action: string, headers: Record<string, string>): Promise<number> =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`${berth.console.url.replace('http', 'ws')}/api/v1/actions/${action}/live`, { headers });
      socket.once('open', () => {
        socket.close();
        resolve(101);
      });
      socket.once('unexpected-response', (request, response) => {
        resolve(response.statusCode!);
        request.destroy();
      });
      socket.once('error', (error) => (error.message.includes('closed before') ? undefined : reject(error)));
    });

  test('takes the cookie from our own pages, and from no other', async () => {
    const carl = await asker(berth, 'carl', 'builder');
    const action = await actionOf(berth, await leaseOf(berth, 'carl'), 'terminal');
    const foreign = await actionOf(berth, await leaseOf(berth, 'ada'), 'terminal');
    const cookie = cookieOf(await signIn({ token: carl.secret }));
    expect(await join(action, { Cookie: cookie, Origin: origin() })).toBe(101);
    expect(await join(action, { Authorization: `Bearer ${carl.secret}` })).toBe(101);
    expect(await join(action, { Cookie: cookie, Origin: 'https://evil.example' })).toBe(403);
    // A browser says where its page is from; without that a cookie proves nothing.
    expect(await join(action, { Cookie: cookie })).toBe(403);
    expect(await join(action, {})).toBe(401);
    expect(await join(foreign, { Cookie: cookie, Origin: origin() })).toBe(403);
    const watcher = await asker(berth, 'watcher', 'viewer');
    expect(await join(action, { Authorization: `Bearer ${watcher.secret}` })).toBe(403);
  });
});
