import fc from 'fast-check';
import type { JsonSchema } from '@berth/contracts';
import { hostile, hostileText, nearly, valid } from './values.testing.js';

interface Parameter { name: string; in: 'path' | 'query' | 'header'; schema: JsonSchema }
interface Operation { operationId: string; parameters: Parameter[]; requestBody?: { content: Record<string, { schema: JsonSchema }> } }

/** A request as it goes over the wire. */
export interface Ask {
  operation: string;
  method: string;
  path: string;
  headers: [string, string][];
  body: string | undefined;
}

/** Words of the present fleet, by the name of the parameter: most of what is asked for should be there. */
export type Known = Readonly<Record<string, readonly string[]>>;

/** Requests made of a document of an API, and spoiled. */
export function requests(document: JsonSchema, known: Known): fc.Arbitrary<Ask> {
  const { schemas, all } = operations(document);
  return fc.oneof(
    ...all.map((one) => {
      const good = faithful(one, schemas, known);
      return fc.oneof({ weight: 3, arbitrary: good }, { weight: 4, arbitrary: good.chain((ask) => spoiled(ask, schemas, one.operation)) });
    }),
  );
}

/** For each operation requests as the document has them, by its name. */
export function faithfulRequests(document: JsonSchema, known: Known): [string, fc.Arbitrary<Ask>][] {
  const { schemas, all } = operations(document);
  return all.map((one) => [one.operation.operationId, faithful(one, schemas, known)]);
}

interface Told { template: string; method: string; operation: Operation }

function operations(document: JsonSchema): { schemas: Record<string, JsonSchema>; all: Told[] } {
  const { paths, components } = document as { paths: Record<string, Record<string, Operation>>; components: { schemas: Record<string, JsonSchema> } };
  return { schemas: components.schemas, all: Object.entries(paths).flatMap(([template, own]) => Object.entries(own).map(([method, operation]) => ({ template, method: method.toUpperCase(), operation }))) };
}

function faithful({ template, method, operation }: Told, schemas: Record<string, JsonSchema>, known: Known): fc.Arbitrary<Ask> {
  const named = (kind: Parameter['in']) => operation.parameters.filter((parameter) => parameter.in === kind);
  const body = operation.requestBody ? bodyOf(operation.requestBody.content, schemas) : fc.constant({ type: undefined, text: undefined });
  const parts = fc.tuple(
    fc.tuple(...named('path').map(({ name, schema }) => fc.constantFrom(...(known[`${template} ${name}`] ?? known[name] ?? ['x'])).chain((word) => (schema['enum'] ? text(schema, schemas) : fc.constant(word))))),
    fc.tuple(...named('query').map((parameter) => fc.option(known[parameter.name] ? fc.constantFrom(...known[parameter.name]!) : text(parameter.schema, schemas), { nil: undefined }))),
    body,
  );
  const make = (words: string[], query: (string | undefined)[], encode: (word: string) => string): string => {
    const path = named('path').reduce((at, { name }, i) => at.replace(`{${name}}`, encode(words[i]!)), template);
    const pairs = named('query').flatMap(({ name }, i) => (query[i] === undefined ? [] : [`${name}=${encode(query[i])}`]));
    return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`;
  };
  return parts.map(([words, query, { type, text: sent }]): Ask => ({
    operation: operation.operationId, method, path: make(words, query, encodeURIComponent), headers: type === undefined ? [] : [['Content-Type', type]], body: sent,
  }));
}

function bodyOf(content: Record<string, { schema: JsonSchema }>, schemas: Record<string, JsonSchema>): fc.Arbitrary<{ type: string | undefined; text: string | undefined }> {
  return fc.oneof(
    ...Object.entries(content).map(([type, { schema }]) =>
      type === 'application/json' ? valid(schema, schemas).map((value) => ({ type, text: JSON.stringify(value) })) : fc.constantFrom('name: p\nsteps:\n  - { name: A, run: "true" }\n', '').map((text) => ({ type, text })),
    ),
  );
}

/** A value of a parameter, as text. */
const text = (schema: JsonSchema, schemas: Record<string, JsonSchema>): fc.Arbitrary<string> => valid(schema, schemas).map((value) => (Array.isArray(value) ? value.join(',') : String(value)));

/** One or more things about a request that are not as they should be. */
function spoiled(ask: Ask, schemas: Record<string, JsonSchema>, operation: Operation): fc.Arbitrary<Ask> {
  const schema = operation.requestBody?.content['application/json']?.schema;
  const body = fc.oneof(
    ...(schema ? [nearly(schema, schemas).map((value) => JSON.stringify(value))] : []),
    hostile.map((value) => JSON.stringify(value)),
    fc.constantFrom('', '{', '{"a":1,}', '"', '\ufeff{}', `{"a":${'['.repeat(100_000)}`, `{"name":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, `{"attributes":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`, 'null', '{"a":1}{"a":2}', '{"id":"\\ud800"}', 'x'.repeat(1_100_000)),
    // The same key twice: the last one counts, and the first must not come through somewhere else.
    fc.constant((ask.body ?? '{}').replace('{', '{"name":"x","name":null,"type":{},"type":"host",')),
  );
  const change = fc.oneof(
    body.map((text) => (one: Ask): Ask => ({ ...one, body: text, headers: one.headers.some(([name]) => name === 'Content-Type') ? one.headers : [...one.headers, ['Content-Type', 'application/json']] })),
    fc.constantFrom('text/plain', 'application/octet-stream', 'application/yaml', 'application/json; charset=latin1', 'application/json;;', 'multipart/form-data; boundary=x', 'x', '*/*', 'application/x-www-form-urlencoded').map((type) => (one: Ask): Ask => ({ ...one, headers: [...one.headers.filter(([name]) => name !== 'Content-Type'), ['Content-Type', type]] })),
    fc.tuple(fc.constantFrom('Idempotency-Key', 'If-None-Match', 'Range', 'Accept', 'Accept-Encoding', 'Last-Event-ID', 'If-Range', 'Cookie', 'X-Forwarded-For', 'Expect', 'Content-Encoding'), fc.oneof(hostileText, fc.constantFrom('*', 'bytes=0-', 'bytes=9-1', 'bytes=-0', '*/*', 'text/html', 'br', 'gzip;q=2', '"x"', 'W/"', ',,,', '100-continue'))).map(([name, value]) => (one: Ask): Ask => ({ ...one, headers: [...one.headers, [name, headerText(value)]] })),
    fc.tuple(fc.nat(), hostileText, fc.boolean()).map(([at, word, encoded]) => (one: Ask): Ask => ({ ...one, path: replaced(one.path, at, encoded ? encodeURIComponent(wellFormed(word)) : pathText(word)) })),
    fc.tuple(fc.constantFrom('limit', 'cursor', 'status', 'wait', 'at', 'from', 'path', 'kinds', 'ids', 'boat', '__proto__', 'dryRun', 'follow', 'format', 'q', 'by'), hostileText).map(([name, value]) => (one: Ask): Ask => ({ ...one, path: `${one.path}${one.path.includes('?') ? '&' : '?'}${name}=${encodeURIComponent(wellFormed(value)).slice(0, 6000)}` })),
    fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'BREW').map((method) => (one: Ask): Ask => ({ ...one, method })),
  );
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => changes.reduce((one, spoil) => spoil(one), ask));
}

const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, '\ufffd');
/** No line may end within it: that would be another request. */
const headerText = (text: string): string => text.replace(/[\r\n]/g, '').slice(0, 8000);
const pathText = (text: string): string => text.replace(/[\s]/g, '%').slice(0, 8000);

function replaced(path: string, at: number, word: string): string {
  const [before, query] = path.split('?');
  const parts = before!.split('/');
  const index = 3 + (at % Math.max(1, parts.length - 3));
  return [parts.map((part, i) => (i === index ? word : part)).join('/'), ...(query === undefined ? [] : [query])].join('?');
}
