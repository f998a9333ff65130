import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { actions } from './actions.js';
import { Parameters } from './parameters.js';
import { Ec2Refusal } from './refusal.js';
import type { Launching } from './run-instances.js';
import { readAuthorization } from '../sigv4.js';
import { verify, type Identity } from './signature.js';
import { answerXml, errorXml } from './xml.js';

/** One call that arrived. */
export interface Ec2Call {
  readonly action: string;
  /** When it arrived, in ms since 1970. */
  readonly at: number;
  readonly parameters: Readonly<Record<string, string>>;
  /** Code of the error that was answered. */
  readonly error?: string;
  /** Carried out, and then the connection was cut instead of an answer. */
  readonly lost?: true;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** An account in a region: a call belongs to the one that its signature names. */
export interface Tenant {
  readonly identity: Identity;
  readonly launching: Launching;
  /** In the order of arrival. */
  readonly calls: Writable<Ec2Call>[];
}

export interface Service {
  readonly endpoint: string;
  add(tenant: Tenant): void;
  stop(): Promise<void>;
}

const VERSION = '2016-11-15';
// Far above what the largest user data needs.
const MOST_BYTES = 1_000_000;

/** Serves the Query API over HTTP on loopback. */
export async function serve(first: Tenant): Promise<Service> {
  const tenants = [first];
  const server = createServer((request, response) => {
    answer(request, response, tenantOf(request, tenants) ?? first).catch((error: unknown) => {
      // A mistake of the stand-in itself: no error of the service, so nothing of its form either.
      response.writeHead(500, { 'content-type': 'text/plain' }).end(`the stand-in failed: ${error instanceof Error ? error.stack : String(error)}`);
    });
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    add: (tenant) => void tenants.push(tenant),
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      // Also those that are held.
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The one whose key signed it for its region; else one of that key, which then says what is wrong with the region. */
function tenantOf({ headers }: IncomingMessage, tenants: readonly Tenant[]): Tenant | undefined {
  const authorization = headers.authorization === undefined ? undefined : readAuthorization(headers.authorization);
  const ofKey = tenants.filter(({ identity }) => identity.accessKeyId === authorization?.keyId);
  return ofKey.find(({ identity }) => identity.region === authorization?.region) ?? ofKey[0];
}

async function answer(request: IncomingMessage, response: ServerResponse, { identity, launching, calls }: Tenant): Promise<void> {
  const requestId = randomUUID();
  const body = await bodyOf(request);
  const call: Writable<Ec2Call> = { action: '', at: Date.now(), parameters: {} };
  calls.push(call);
  const say = (status: number, document: string): void => {
    response.writeHead(status, { 'content-type': 'text/xml;charset=UTF-8', 'x-amzn-requestid': requestId }).end(document);
  };
  try {
    const document = await carryOut(request, body, call, requestId, identity, launching);
    if (launching.faults.loses(call.action)) {
      call.lost = true;
      request.socket.destroy();
      return;
    }
    say(200, document);
  } catch (error) {
    if (!(error instanceof Ec2Refusal)) throw error;
    call.error = error.code;
    say(error.status, errorXml(error.code, error.message, requestId));
  }
}

async function carryOut(request: IncomingMessage, body: Buffer, call: Writable<Ec2Call>, requestId: string, identity: Identity, launching: Launching): Promise<string> {
  if (request.method !== 'POST' || request.url !== '/') throw new Ec2Refusal('InvalidQueryParameter', 'The stand-in takes POST to / only, as the SDKs send it.');
  if (!/^application\/x-www-form-urlencoded\b/.test(request.headers['content-type'] ?? '')) throw new Ec2Refusal('MalformedQueryString', 'The body must be application/x-www-form-urlencoded.');
  const parameters = Parameters.parse(body.toString('utf8'));
  call.action = parameters.text('Action') ?? '';
  call.parameters = parameters.all();
  await launching.faults.held(call.action);
  verify(request.headers, body, identity, new Date());
  if (call.action === '') throw new Ec2Refusal('MissingAction', 'The request is missing an action or a required parameter.');
  const version = parameters.text('Version');
  if (version !== VERSION) throw new Ec2Refusal('NoSuchVersion', `The requested version (${version ?? 'none'}) is not valid; it is ${VERSION}`);
  launching.faults.admit(call.action);
  const action = actions.get(call.action);
  if (action === undefined) throw new Ec2Refusal('InvalidAction', `The action ${call.action} is not valid for this web service.`);
  return answerXml(call.action, requestId, action(parameters, launching));
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MOST_BYTES) throw new Error('a request is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
