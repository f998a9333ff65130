import { beforeAll, describe, expect, test } from 'vitest';
import type { OidcSetting } from '@berth/runtime';
import { CLIENT, startProvider, type Provider } from '../../../../test/support/oidc.js';
import { scripted, type Scripted } from '../scripted.testing.js';
import { statusAndCode } from './access.testing.js';

/** Who the provider knows, by their login there. */
const people: Record<string, Record<string, unknown>> = {
  ada: { email: 'Ada@Example.org', email_verified: true, groups: ['berth-admins', 'staff'] },
  bob: { email: 'bob@example.org', email_verified: true, groups: ['staff'], teams: ['compilers', 'graphics'] },
  eve: { email: 'eve@example.org', email_verified: false, groups: ['berth-admins'] },
  guest: { email: 'guest@example.org', email_verified: true, groups: ['guests'] },
  nobody: { groups: ['berth-admins'] },
};

let provider: Provider;
let issuer: string;
let berth: Scripted;
const serve = (redirect: string, conform = false) => provider.serve(redirect, conform);
const setting = (more: Partial<OidcSetting> = {}): OidcSetting => ({ issuer, clientId: CLIENT.id, clientSecret: CLIENT.secret, claim: 'groups', roles: [['berth-admins', 'admin'], ['staff', 'builder']], ...more });

/** What a browser does: cookies by host, one redirect after the other, and forms when it is asked who it is. */
class Browser {
  private readonly jar = new Map<string, Map<string, string>>();
  visited: string[] = [];

  async open(url: string, init: RequestInit = {}): Promise<Response> {
    const { host } = new URL(url);
    const own = this.jar.get(host) ?? new Map<string, string>();
    this.jar.set(host, own);
    this.visited.push(url);
    const cookie = [...own].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { ...(cookie && { Cookie: cookie }), ...(init.headers as Record<string, string>) } });
    for (const set of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(set)!;
      if (value === '') own.delete(name!);
      else own.set(name!, value!);
    }
    return response;
  }

  /** Signs in as somebody; resolves with what the console says to whoever comes back. */
  async signIn(start: string, login: string): Promise<Response> {
    let response = await this.open(start);
    for (let hops = 0; hops < 20; hops++) {
      const at = this.visited.at(-1)!;
      const next = response.headers.get('location');
      if (next !== null) {
        const url = new URL(next, at);
        if (at.includes('/login/oidc/callback')) return response;
        response = await this.open(url.href);
        continue;
      }
      if (at.includes('/login/oidc/callback')) return response;
      const page = await response.text();
      const [, action] = /<form[^>]* action="([^"]+)"/.exec(page) ?? [];
      if (action === undefined) throw new Error(`no way on from ${at}: ${response.status} ${page.slice(0, 500)}`);
      const fields = new URLSearchParams([...page.matchAll(/name="(prompt|login|password)"(?: value="([^"]*)")?/g)].map(([, name, value]): [string, string] => [name!, value ?? 'x']));
      if (fields.has('login')) fields.set('login', login);
      response = await this.open(new URL(action, at).href, { method: 'POST', body: fields.toString(), headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
    }
    throw new Error(`too many redirects: ${this.visited.join(' ')}`);
  }
}

const begin = (): string => `${berth.console.url}/login/oidc`;
const me = async (browser: Browser): Promise<unknown> => (await browser.open(`${berth.console.url}/api/v1/me`)).json();

beforeAll(async () => {
  provider = await startProvider(people);
  issuer = provider.issuer;
  berth = await scripted({ oidc: setting() });
  serve(`${berth.console.url}/login/oidc/callback`);
});

describe('whom the provider names', () => {
  test('is in, with the role of a claim, and acts as user:EMAIL', async () => {
    const browser = new Browser();
    const response = await browser.signIn(begin(), 'ada');
    expect([response.status, response.headers.get('location')]).toEqual([302, '/']);
    expect(response.headers.getSetCookie().find((cookie) => cookie.startsWith('berth-session='))).toMatch(/HttpOnly; SameSite=Strict$/);
    expect(await me(browser)).toMatchObject({ actor: 'user:ada@example.org', name: 'ada@example.org', role: 'admin', projects: null });
    let actor: unknown;
    berth.script({ DrainResource: (command) => ((actor = (command as unknown as { actor: string }).actor), { accepted: true, id: 'box' }) });
    await browser.open(`${berth.console.url}/api/v1/machines/box/drain`, { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json', 'X-Berth-CSRF': '1', Origin: berth.console.url } });
    expect(actor).toBe('user:ada@example.org');
    expect((await berth.berth.audit({ what: 'signed-in' })).items[0]).toMatchObject({ actor: 'user:ada@example.org', events: ['SignedIn'], detail: expect.stringContaining('as admin by oidc') });
  });

  test('by the first role that fits', async () => {
    const browser = new Browser();
    await browser.signIn(begin(), 'bob');
    expect(await me(browser)).toMatchObject({ actor: 'user:bob@example.org', role: 'builder' });
  });

  test('when the ID token says no more than who, as the standard has it', async () => {
    serve(`${berth.console.url}/login/oidc/callback`, true);
    const browser = new Browser();
    await browser.signIn(begin(), 'bob');
    expect(await me(browser)).toMatchObject({ actor: 'user:bob@example.org', role: 'builder' });
    serve(`${berth.console.url}/login/oidc/callback`);
  });

  test.each([['guest', 'None of your groups has a role'], ['eve', 'no verified e-mail address'], ['nobody', 'no verified e-mail address']])('%s is not', async (login, why) => {
    const browser = new Browser();
    const response = await browser.signIn(begin(), login);
    expect(response.status).toBe(403);
    expect(((await response.json()) as { detail: string }).detail).toContain(why);
    expect(await statusAndCode(browser.open(`${berth.console.url}/api/v1/me`))).toEqual([401, 'unauthorized']);
  });

  test('for the projects of a claim', async () => {
    const other = await scripted({ oidc: setting({ projects: 'teams' }) });
    serve(`${other.console.url}/login/oidc/callback`);
    const browser = new Browser();
    await browser.signIn(`${other.console.url}/login/oidc`, 'bob');
    expect(await (await browser.open(`${other.console.url}/api/v1/me`)).json()).toMatchObject({ role: 'builder', projects: ['compilers', 'graphics'] });
    expect((await new Browser().signIn(`${other.console.url}/login/oidc`, 'ada')).status).toBe(403);
    serve(`${berth.console.url}/login/oidc/callback`);
  });
});

describe('who comes back', () => {
  test('must be the browser that went, with the state it went with', async () => {
    const [one, other] = [new Browser(), new Browser()];
    const [first, second] = await Promise.all([one.open(begin()), other.open(begin())]);
    const state = (response: Response) => new URL(response.headers.get('location')!).searchParams;
    expect(state(first).get('code_challenge_method')).toBe('S256');
    expect(state(first).get('state')).not.toBe(state(second).get('state'));
    const back = (given: string) => `${begin()}/callback?code=x&state=${given}&iss=${encodeURIComponent(issuer)}`;
    expect(await statusAndCode(new Browser().open(back(state(first).get('state')!)))).toEqual([401, 'unauthorized']);
    expect(await statusAndCode(one.open(back(state(second).get('state')!)))).toEqual([401, 'unauthorized']);
    expect(await statusAndCode(other.open(back(state(second).get('state')!)))).toEqual([401, 'unauthorized']);
  });

  test('may have been turned away there', async () => {
    const browser = new Browser();
    const { searchParams } = new URL((await browser.open(begin())).headers.get('location')!);
    const response = await browser.open(`${begin()}/callback?error=access_denied&error_description=not+today&state=${searchParams.get('state')}&iss=${encodeURIComponent(issuer)}`);
    expect([response.status, ((await response.json()) as { detail: string }).detail]).toEqual([401, 'The provider did not sign you in: not today.']);
  });
});

test('anyone is told under which name, and no more', async () => {
  const ways = async (url: string): Promise<unknown> => (await fetch(`${url}/api/v1/session/ways`)).json();
  expect(await ways(berth.console.url)).toEqual({ provider: { name: new URL(issuer).host, path: '/login/oidc' } });
  const named = await scripted({ oidc: setting({ name: 'Example' }) });
  expect(await ways(named.console.url)).toEqual({ provider: { name: 'Example', path: '/login/oidc' } });
});

test('a provider that is away is told as that, and without one there is nothing here', async () => {
  const gone = await scripted({ oidc: setting({ issuer: 'http://127.0.0.1:1' }) });
  expect(await statusAndCode(fetch(`${gone.console.url}/login/oidc`, { redirect: 'manual' }))).toEqual([503, 'unavailable']);
  const none = await scripted();
  expect(await statusAndCode(fetch(`${none.console.url}/login/oidc`, { redirect: 'manual' }))).toEqual([404, 'not-found']);
  expect(await none.berth.signInWays()).toEqual({ provider: null });
});
