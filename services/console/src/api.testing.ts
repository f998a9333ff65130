import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { FastifyInstance } from 'fastify';
import type { JsonSchema } from '@berth/contracts';
import { atEndOfFile } from '../../../test/support/cleanup.js';
import type { Api } from './http/api.js';
import { templateOf } from './http/document.js';

interface Response { $ref?: string; content?: Record<string, { schema: JsonSchema }> }

/** Says what is wrong with an answer by the document of the API; undefined when it is as it should be. */
export type Judge = (answer: { method: string; template: string; status: number; type: string | undefined; body: string }) => string | undefined;

const judges = new WeakMap<JsonSchema, Judge>();

/** The judge of a document: one for all files that ask, as what it has compiled is most of its work. */
export function judgeBy(document: JsonSchema): Judge {
  const judge = judges.get(document) ?? newJudge(document);
  judges.set(document, judge);
  return judge;
}

/**
 * Judges answers by the document. In it an answer may grow; here it must not have a field that the document does not know,
 * because then it is the document that is wrong.
 */
function newJudge(document: JsonSchema): Judge {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  const closed = JSON.parse(JSON.stringify(document), (key, value: unknown) => close(key, value)) as JsonSchema;
  ajv.addSchema({ $id: 'api', ...closed });
  const known = new Map<string, ValidateFunction>();
  return ({ method, template, status, type, body }) => {
    const where = `${method} ${template} ${status}`;
    const operation = (document['paths'] as Record<string, Record<string, { responses: Record<string, Response> }>>)[template]?.[method.toLowerCase()];
    if (!operation) return `${where}: the document has no such operation`;
    const told = operation.responses[String(status)];
    if (!told) return `${where}: the document does not know this status; the answer is ${body.slice(0, 300)}`;
    const pointer = told.$ref ?? `#/paths/${escaped(template)}/${method.toLowerCase()}/responses/${status}`;
    const response = at(document, pointer) as Response;
    if (!response.content) return body === '' ? undefined : `${where}: the document knows of no body`;
    const media = type?.split(';')[0] ?? '';
    if (!response.content[media]) return `${where}: the document does not know ${type}, only ${Object.keys(response.content).join(', ')}`;
    if (!/json$/.test(media)) return undefined;
    const path = `api${pointer}/content/${escaped(media)}/schema`;
    const validate = known.get(path) ?? ajv.compile({ $ref: path });
    known.set(path, validate);
    return validate(JSON.parse(body)) ? undefined : `${where}: ${ajv.errorsText(validate.errors)} in ${body.slice(0, 600)}`;
  };
}

/** Objects that name their fields have no others; but where several schemas are joined, one does not know the fields of the other. */
function close(key: string, value: unknown): unknown {
  if (key === 'allOf' && Array.isArray(value)) return value.map((one: JsonSchema) => open(one));
  if (typeof value !== 'object' || value === null || !('properties' in value) || ('additionalProperties' in value)) return value;
  return { ...value, additionalProperties: false };
}
function open(schema: JsonSchema): JsonSchema {
  const { additionalProperties: _closed, ...rest } = schema;
  return rest;
}

const escaped = (part: string): string => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));
const at = (document: JsonSchema, pointer: string): unknown =>
  pointer.split('/').slice(1).reduce<unknown>((node, part) => (node as JsonSchema)[decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')], document);

/**
 * Holds every answer of a console against the document: one that does not fit becomes a 500 that says why, and makes the file
 * fail even where nobody looks at it. Bodies that are streamed are not seen here.
 */
export function watchAnswers(server: FastifyInstance, api: Api): void {
  const judge = judgeBy(api.document.json);
  const faults: string[] = [];
  server.addHook('onSend', async (request, reply, payload) => {
    const route = api.table.find(request.method, request.routeOptions.url);
    if (!route) return payload;
    const body = typeof payload === 'string' || Buffer.isBuffer(payload) ? String(payload) : '';
    const type = reply.getHeader('content-type');
    const fault = judge({ method: route.method, template: templateOf(route.path), status: reply.statusCode, type: type === undefined ? undefined : String(type), body });
    if (fault === undefined) return payload;
    faults.push(fault);
    reply.code(500).removeHeader('content-length');
    return `this answer is not what the document of the API says: ${fault}`;
  });
  atEndOfFile(() => {
    if (faults.length > 0) throw new Error(`answers are not what the document of the API says: ${[...new Set(faults)].join('\n')}`);
  });
}
