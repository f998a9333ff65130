import { Controller, Get } from '@nestjs/common';
import { Validator } from '@seriousme/openapi-schema-validator';
import { beforeAll, describe, expect, test } from 'vitest';
import { judgeBy } from '../api.testing.js';
import { controllers } from '../console.module.js';
import { scripted, type Scripted } from '../scripted.testing.js';
import { apiOf } from './api.js';
import { Needs } from '../access/needs.js';
import { Describe } from './describe.js';
import { problemsOf, templateOf } from './document.js';
import { routesOf } from './routes.js';

const api = apiOf(controllers);
const paths = api.document.json['paths'] as Record<string, Record<string, { operationId: string }>>;

describe('the document of the API', () => {
  test('is OpenAPI 3.1', async () => {
    const validator = new Validator();
    expect(await validator.validate(structuredClone(api.document.json))).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  test('tells of every route, each under a name of its own', () => {
    const told = Object.entries(paths).flatMap(([path, own]) => Object.keys(own).map((method) => `${method.toUpperCase()} ${path}`));
    expect(told.sort()).toEqual(api.table.routes.map(({ method, path }) => `${method} ${templateOf(path)}`).sort());
    const names = Object.values(paths).flatMap((own) => Object.values(own).map(({ operationId }) => operationId));
    expect(new Set(names).size).toBe(names.length);
  });

  test('a route without a description stops the console, and is named', () => {
    @Controller('api/v1/boats')
    class BoatsController {
      @Get(':id')
      get() {
        return {};
      }
    }
    expect(() => apiOf([...controllers, BoatsController])).toThrow('BoatsController.get (GET /api/v1/boats/:id) has no description: put @Describe({ summary, answers, ... }) on it');
  });

  test('so does one that does not say what it needs', () => {
    class Boats {
      @Get('x')
      @Describe({ summary: 'X.', answers: { 204: 'nothing' } })
      get() {
        return undefined;
      }
    }
    Controller('boats')(Boats);
    expect(() => apiOf([...controllers, Boats])).toThrow("Boats.get (GET /boats/x) does not say what it needs: put @Needs('...') on it");
  });

  test('every "no" is told where it can come from: without a token, for a wrong method, of a thing that is not there', () => {
    class Open {
      @Get('x')
      @Describe({ summary: 'X.', answers: { 204: 'nothing' } })
      @Needs('anyone')
      get() {
        return undefined;
      }
    }
    Controller('y')(Open);
    expect(problemsOf(routesOf([Open])[0]!)).toEqual(['bad-request', 'expectation-failed', 'headers-too-large', 'internal', 'method-not-allowed', 'not-acceptable', 'request-timeout', 'unavailable', 'uri-too-long']);
    const lease = api.table.find('GET', '/api/v1/leases/:id')!;
    expect(problemsOf(lease)).toEqual(expect.arrayContaining(['unauthorized', 'unknown-lease', 'not-yet', 'invalid-data']));
  });
});

test('every write whose base can be said has the read that it is about', () => {
  const { table } = apiOf(controllers);
  const written = table.routes.flatMap(({ method, path, description: { writes } }) => (writes ? [{ method, path, at: writes.at, read: table.find('GET', writes.at) !== undefined }] : []));
  expect(written.length).toBeGreaterThan(10);
  expect(written.filter(({ read }) => !read)).toEqual([]);
  // Only what has its name in its body is read elsewhere.
  expect(written.filter(({ path, at }) => path !== at)).toMatchObject([{ method: 'POST', path: '/api/v1/plans' }, { method: 'POST', path: '/api/v1/images' }]);
});

describe('answers are held against it', () => {
  const judge = judgeBy(api.document.json);
  const answer = { method: 'GET', template: '/api/v1/quota', status: 200, type: 'application/json; charset=utf-8' };
  const quota = { quota: { owners: {} }, use: { hosts: 0, resources: 0, owners: [] } };

  test.each([
    ['as it is told', {}, quota, undefined],
    ['a field that is not told', {}, { ...quota, more: 1 }, /must NOT have additional properties/],
    ['a field that is not told, deep inside', {}, { ...quota, use: { ...quota.use, more: 1 } }, /must NOT have additional properties/],
    ['a field that is missing', {}, { quota: quota.quota }, /must have required property 'use'/],
    ['a field of another type', {}, { ...quota, use: { ...quota.use, hosts: '0' } }, /must be integer/],
    ['a status that is not told', { status: 204 }, quota, /does not know this status/],
    ['a type that is not told', { type: 'text/plain' }, quota, /does not know text\/plain/],
    ['a route that is not told', { template: '/api/v1/boats' }, quota, /no such operation/],
    ['a code that is not told', { status: 401, type: 'application/problem+json' }, { type: 'x', title: 'x', status: 401, detail: 'x', code: 'boat', errors: [] }, /must be equal to one of the allowed values/],
    ['a "no" with another field', { status: 401, type: 'application/problem+json' }, { type: 'x', title: 'x', status: 401, detail: 'x', code: 'unauthorized', errors: [{ boat: 1 }] }, /must have required property 'field'/],
  ])('%s', (_name, differs, body, fault) => {
    const found = judge({ ...answer, ...differs, body: JSON.stringify(body) });
    if (fault === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(fault);
  });
});

describe('served', () => {
  let berth: Scripted;
  beforeAll(async () => {
    berth = await scripted();
  });
  const open = (path: string) => fetch(`${berth.berth.access.url}/${path}`);

  test('as JSON, without a token', async () => {
    const response = await open('api/v1/openapi.json');
    expect([response.status, await response.json()]).toEqual([200, JSON.parse(JSON.stringify(api.document.json))]);
  });

  test('as a page that runs nothing and asks nobody else', async () => {
    const response = await open('api/docs');
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const policy = response.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    const page = await response.text();
    expect(page).not.toMatch(/<script|\son\w+=|\sstyle=|<style/i);
    const links = [...page.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, link]) => link!);
    const ids = new Set([...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id!));
    expect(links.filter((link) => !(link.startsWith('#') ? ids.has(link.slice(1)) : ['/api/docs/style.css', '/api/v1/openapi.json'].includes(link)))).toEqual([]);
    for (const { path } of api.table.routes) expect(page).toContain(templateOf(path));
    const style = await open('api/docs/style.css');
    expect([style.status, style.headers.get('content-type')]).toEqual([200, 'text/css; charset=utf-8']);
  });
});
