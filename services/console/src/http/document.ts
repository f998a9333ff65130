import { STATUS_CODES } from 'node:http';
import type { z } from 'zod';
import { jsonSchema, type JsonSchema } from '@berth/contracts';
import { schemas } from '@berth/client';
import { isCommand, isContent, type Answer, type Body, type Content, type Told } from './describe.js';
import { COOKIE } from '../access/sign-ins.js';
import * as parameters from './parameters.js';
import { statusOf, type ProblemCode } from './problem.js';
import type { Route } from './routes.js';
import { JSON_TYPE, MERGE_TYPE } from './server.js';

const DEFS = '#/$defs/';
export const PROBLEM_TYPE = 'application/problem+json';

/** What any route may answer with. */
const everywhere: readonly ProblemCode[] = ['bad-request', 'expectation-failed', 'headers-too-large', 'internal', 'method-not-allowed', 'not-acceptable', 'request-timeout', 'unavailable', 'uri-too-long'];

/** What never becomes a request, and so is told of as everywhere. */
const ofWire: readonly ProblemCode[] = ['expectation-failed', 'headers-too-large', 'request-timeout', 'uri-too-long'];

/** Every code that a route may answer a "no" with. */
export function problemsOf({ method, path, description }: Route): ProblemCode[] {
  const { open, problems = [], foreign } = description;
  if (foreign === 'bare') return [...ofWire];
  const more: ProblemCode[] = [];
  if (!open) more.push('unauthorized', 'forbidden', 'rate-limited');
  if (description.writes !== undefined) more.push('changed-meanwhile');
  if (method !== 'GET') more.push('unsupported-media-type', 'too-large', 'invalid-json', 'invalid-data');
  if (/[:*]/.test(path) || path.startsWith('/api/')) more.push('invalid-data');
  if (readsViews(method, description)) more.push('not-yet');
  return [...new Set([...problems, ...everywhere, ...more])].sort();
}

/** Whether a route answers with a view, as JSON. */
export const readsViews = (method: string, { answers, open }: Told): boolean => method === 'GET' && !open && answers[200] !== undefined && typeof answers[200] !== 'string' && !isContent(answers[200]);

/** Whether `?after=` is a position that the answer has to show; a few routes have a parameter of that name with another meaning. */
export const takesAfter = (method: string, description: Told): boolean => readsViews(method, description) && description.query?.['after'] === undefined;

/** The whole API as OpenAPI 3.1. */
export function openApi(routes: readonly Route[], version: string): JsonSchema {
  const components: Record<string, JsonSchema> = {};
  const named = (schema: z.ZodType, io: 'input' | 'output'): JsonSchema => {
    const { $defs, ...json } = jsonSchema(schema, io, schemas);
    for (const [name, part] of Object.entries(($defs ?? {}) as Record<string, JsonSchema>)) components[name] = moved(part);
    return moved(json);
  };
  named(schemas.Problem, 'output');
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) (paths[templateOf(route.path)] ??= {})[route.method.toLowerCase()] = operation(route, named);
  return {
    openapi: '3.1.1',
    info: {
      title: 'Berth', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description: 'The HTTP API of Berth: build machines on loan. Made from its contracts. Every route under /api wants a token, or the cookie of a session, but for this document and the page that shows it; `x-permission` says which permission.',
    },
    servers: [{ url: '/', description: 'the console that this document came from' }],
    security: [{ token: [] }, { session: [] }],
    tags: [...new Set(routes.map(groupOf))].map((name) => ({ name })),
    paths,
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' }, session: { type: 'apiKey', in: 'cookie', name: COOKIE } }, responses: problemResponses(routes), schemas: Object.fromEntries(Object.entries(components).sort(([a], [b]) => (a < b ? -1 : 1))) },
  };
}

type Named = (schema: z.ZodType, io: 'input' | 'output') => JsonSchema;

function operation(route: Route, named: Named): JsonSchema {
  const { description, method } = route;
  return {
    operationId: route.name,
    summary: description.summary,
    tags: [groupOf(route)],
    ...(description.open ? { security: [] } : route.needs !== 'signed-in' && { 'x-permission': route.needs }),
    parameters: [...pathParameters(route, named), ...queryParameters(route, named), ...headers(route, named)],
    ...(description.body !== undefined && { requestBody: requestBody(description.body, named) }),
    responses: { ...answers(method, description, named), ...problems(route) },
  };
}

function pathParameters({ path, description: { params = {} } }: Route, named: Named): JsonSchema[] {
  return [...path.matchAll(/:(\w+)|(\*)/g)].map(([, word, rest]) => {
    const name = word ?? REST;
    return { name, in: 'path', required: true, schema: params[name] ? named(params[name], 'input') : { type: 'string' }, ...(rest && { description: 'may have slashes, as they are or as %2F' }) };
  });
}

/** All that a route reads of a query. */
export const queryOf = ({ method, description }: Pick<Route, 'method' | 'description'>): Readonly<Record<string, z.ZodType>> => ({
  ...description.query, ...(takesAfter(method, description) && { after: parameters.after }), ...(description.settles && { wait: parameters.wait }),
});

function queryParameters(route: Route, named: Named): JsonSchema[] {
  return Object.entries(queryOf(route)).map(([name, schema]) => {
    const { description: what, ...json } = named(schema, 'input');
    const list = json['type'] === 'array';
    return { name, in: 'query', ...(what !== undefined && { description: what }), ...(list && { style: 'form', explode: parameters.isRepeated(schema) }), ...(json['enum'] !== undefined && isFlag(json['enum'] as unknown[]) && { allowEmptyValue: true }), schema: json };
  });
}

const isFlag = (words: unknown[]): boolean => words.length === 2 && words.includes('true') && words.includes('false');

/** Of a write; reading the file system of a host is an action too, and takes a key, but nobody has to know. */
function headers({ method, description }: Route, named: Named): JsonSchema[] {
  const header = (name: string, schema: JsonSchema, description: string) => ({ name, in: 'header', description, schema });
  if (method !== 'GET') {
    const { description: what, ...json } = named(parameters.idempotencyKey, 'input');
    return [header('Idempotency-Key', json, String(what)), ...(description.writes === undefined ? [] : [header('If-Match', { type: 'string' }, `the ETag of \`GET ${templateOf(description.writes.at)}\`: refused when somebody has said anew since what is written here`)])];
  }
  return readsViews(method, description) ? [header('If-None-Match', { type: 'string' }, 'an ETag: 304 while nothing has changed')] : [];
}

function requestBody(body: Body | readonly Body[], named: Named): JsonSchema {
  const all = (Array.isArray(body) ? body : [body]) as readonly Body[];
  const content = all.flatMap((one) => {
    if (isContent(one)) return one.types.map((type) => [type, { schema: contentSchema(one, named) }]);
    const types = 'merge' in one && one.merge ? [JSON_TYPE, MERGE_TYPE] : [JSON_TYPE];
    return types.map((type) => [type, { schema: bodySchema(one, named) }]);
  });
  // Nothing at all counts as {}.
  const required = !all.some((one) => !isContent(one) && !('required' in bodySchema(one, named)));
  return { required, content: Object.fromEntries(content) as JsonSchema };
}

/** What may be written, less the fields that the path says. */
function bodySchema(body: Exclude<Body, Content>, named: Named): JsonSchema {
  return isCommand(body) ? without(named(body.command, 'input'), body.filled) : named(body, 'input');
}

function without(schema: JsonSchema, fields: readonly string[]): JsonSchema {
  const { properties, required, oneOf, anyOf, ...json } = schema as { properties?: JsonSchema; required?: string[]; oneOf?: JsonSchema[]; anyOf?: JsonSchema[] } & JsonSchema;
  const needed = required?.filter((name) => !fields.includes(name));
  return {
    ...json,
    ...(properties && { properties: Object.fromEntries(Object.entries(properties).filter(([name]) => !fields.includes(name))) }),
    ...(needed && needed.length > 0 && { required: needed }),
    ...(oneOf && { oneOf: oneOf.map((one) => without(one, fields)) }),
    ...(anyOf && { anyOf: anyOf.map((one) => without(one, fields)) }),
  };
}

function answers(method: string, description: Told, named: Named): JsonSchema {
  const own = Object.entries(description.answers).map(([status, answer]) => [status, status === '200' && description.rather ? both(response(200, answer, method, named), description.rather, named) : response(Number(status), answer, method, named)] as const);
  const more: JsonSchema = {};
  if (readsViews(method, description)) more['304'] = { description: 'Nothing has changed since the ETag in `If-None-Match`.' };
  const waited = description.answers[202] ?? description.answers[201];
  if (description.settles && waited !== undefined && description.answers[200] === undefined) more['200'] = { ...response(200, waited, method, named), description: 'With `wait`: it came to rest.' };
  return { ...Object.fromEntries(own), ...more };
}

function response(status: number, answer: Answer, method: string, named: Named): JsonSchema {
  if (typeof answer === 'string') return { description: answer };
  const headers = { ...(method !== 'GET' && (status === 201 || status === 202) && writeHeaders), ...(method === 'GET' && !isContent(answer) && status === 200 && { ETag: { schema: { type: 'string' } } }) };
  const content = isContent(answer) ? Object.fromEntries(answer.types.map((type) => [type, { schema: contentSchema(answer, named) }])) : { [JSON_TYPE]: { schema: named(answer, 'output') } };
  return { description: isContent(answer) ? answer.what : (answer.description ?? STATUS_CODES[status] ?? ''), ...(Object.keys(headers).length > 0 && { headers }), content };
}

/** An answer that may come as something else too. */
const both = (usual: JsonSchema, { types, ...rather }: Content, named: Named): JsonSchema => ({
  ...usual, content: { ...(usual['content'] as JsonSchema), ...Object.fromEntries(types.map((type) => [type, { schema: contentSchema({ types, ...rather }, named) }])) },
});

const writeHeaders = {
  Location: { description: 'where it is', schema: { type: 'string' } },
  'Berth-Position': { description: 'the same as `position`', schema: { type: 'integer' } },
};

/** Of what is not JSON only a stream of JSON values has a shape. */
const contentSchema = ({ schema, what }: Content, named: Named): JsonSchema => (schema ? { description: what, contentMediaType: JSON_TYPE, contentSchema: named(schema, 'output') } : { description: what });

/** By status, each as the component that tells of its codes. */
function problems(route: Route): JsonSchema {
  return Object.fromEntries([...codesByStatus(route)].map(([status, codes]) => [status, { $ref: `#/components/responses/${nameOf(codes)}` }]));
}

function codesByStatus(route: Route): Map<number, ProblemCode[]> {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of problemsOf(route)) byStatus.set(statusOf(code), [...(byStatus.get(statusOf(code)) ?? []), code]);
  for (const status of byStatus.keys()) if (route.description.answers[status] !== undefined) byStatus.delete(status);
  return byStatus;
}

const nameOf = (codes: readonly ProblemCode[]): string => codes.join('.');

/** Every "no" that some route answers with: the same codes are told once. */
function problemResponses(routes: readonly Route[]): JsonSchema {
  const all = new Map(routes.flatMap((route) => [...codesByStatus(route).values()].map((codes) => [nameOf(codes), codes] as const)));
  return Object.fromEntries(
    [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, codes]) => {
      const schema = { allOf: [{ $ref: '#/components/schemas/Problem' }, { type: 'object', properties: { code: { enum: codes } } }] };
      return [name, { description: codes.join(', '), content: { [PROBLEM_TYPE]: { schema } } }];
    }),
  );
}

/** What `*` is called in the document. */
const REST = 'path';
export const templateOf = (path: string): string => path.replaceAll(/:(\w+)/g, '{$1}').replace('*', `{${REST}}`);
const groupOf = ({ path }: Route): string => path.split('/').find((part) => part !== '' && part !== 'api' && part !== 'v1') ?? 'system';

/** Names lead into the document, where they were beside the schema. */
function moved(schema: JsonSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema), (key, value: unknown) => (key === '$ref' && typeof value === 'string' && value.startsWith(DEFS) ? `#/components/schemas/${value.slice(DEFS.length)}` : value)) as JsonSchema;
}
