import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { atEndOfFile } from '../cleanup.js';
import type { Identity } from '../sigv4.js';
import { actions } from './actions.js';
import { contentOf } from './body.js';
import { Bucket, type S3Object, type S3Upload } from './bucket.js';
import { S3Refusal, type S3Code } from './refusal.js';
import { actionOf, readRequest, type S3Action, type S3Request } from './request.js';
import { verify } from './signature.js';
import { errorXml } from './xml.js';

export type { S3Action, S3Code };

/** One call that arrived. */
export interface S3Call {
  readonly action: S3Action;
  readonly key: string;
  /** Code of the error that was answered. */
  error?: string;
}

/** Something that goes wrong: the error, or what becomes of the answer. */
export interface S3Fault {
  readonly action?: S3Action;
  /** How often; absent: until it is taken back. */
  readonly times?: number;
  readonly refuse?: S3Code;
  /** Carried out not at all, and told in an answer that began with 200: "Handle the response" of CopyObject and CompleteMultipartUpload. */
  readonly lateError?: S3Code;
  /** The connection is cut after so many bytes of the body. */
  readonly cutAfter?: number;
}

/** Amazon S3 as one account sees it in one region, over HTTP, by path. */
export interface S3StandIn extends Identity {
  readonly endpoint: string;
  /** The environment in which the SDK finds its credentials. */
  readonly env: Readonly<Record<string, string>>;
  readonly calls: readonly S3Call[];
  addBucket(name: string): { objects: Map<string, S3Object>; uploads: ReadonlyMap<string, S3Upload> };
  removeBucket(name: string): void;
  /** Length of an object in bytes; undefined when it is not there. */
  bytesOf(bucket: string, key: string): number | undefined;
  /** From now on; returns what takes it back. */
  fault(fault: S3Fault): () => void;
  /** Takes the right to list away: what is not there is then forbidden. */
  forbidLists(): () => void;
  /** Calls wait until the returned function is called. */
  hang(action?: S3Action): () => void;
  stop(): Promise<void>;
}

const REGION = 'eu-central-1';

/** Starts it in this process; it is stopped at the end of the file. `pageSize`: keys in a page of a list, at most 1,000. */
export async function startS3({ pageSize = 1000 }: { pageSize?: number } = {}): Promise<S3StandIn> {
  const identity: Identity = { region: REGION, accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: randomBytes(20).toString('hex') };
  const buckets = new Map<string, Bucket>();
  const calls: S3Call[] = [];
  const faults = new Set<{ what: S3Fault; left: number }>();
  const hangs = new Set<{ action: S3Action | undefined; over: Promise<void> }>();
  let mayList = true;

  const faultOf = (action: S3Action): S3Fault | undefined => {
    for (const fault of faults) {
      if (fault.what.action !== undefined && fault.what.action !== action) continue;
      if (--fault.left <= 0) faults.delete(fault);
      return fault.what;
    }
    return undefined;
  };

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = randomUUID();
    const body = await bodyOf(incoming);
    let call: S3Call | undefined;
    let request: S3Request | undefined;
    try {
      request = readRequest(incoming);
      const action = actionOf(request);
      call = { action, key: request.key };
      calls.push(call);
      for (const hang of [...hangs]) if (hang.action === undefined || hang.action === action) await hang.over;
      verify(request, body, identity, new Date());
      const fault = faultOf(action);
      if (fault?.refuse) throw new S3Refusal(fault.refuse, `as arranged: ${fault.refuse}`);
      const bucket = buckets.get(request.bucket);
      if (!bucket) throw new S3Refusal('NoSuchBucket', 'The specified bucket does not exist');
      if (!mayList && (action === 'ListObjectsV2' || action === 'HeadBucket')) throw new S3Refusal('AccessDenied', 'Access Denied');
      if (fault?.lateError) {
        call.error = fault.lateError;
        response.writeHead(200, { 'content-type': 'application/xml' }).end(errorXml(fault.lateError, 'as arranged', incoming.url ?? '', requestId));
        return;
      }
      const done = actions[action]({ request, bucket, buckets, content: contentOf(request.headers, body), pageSize, mayList });
      response.writeHead(done.status, { 'x-amz-request-id': requestId, ...done.headers });
      if (fault?.cutAfter !== undefined && done.body !== undefined) response.write(done.body.slice(0, fault.cutAfter), () => incoming.socket.destroy());
      else response.end(done.body);
    } catch (error) {
      if (!(error instanceof S3Refusal)) throw error;
      if (call) call.error = error.code;
      // An answer to HEAD has no body, so all that it tells is the status.
      response.writeHead(error.status, { 'content-type': 'application/xml', 'x-amz-request-id': requestId });
      response.end(incoming.method === 'HEAD' || error.status === 304 ? undefined : errorXml(error.code, error.message, incoming.url ?? '', requestId));
    }
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (response.destroyed) return; // whoever asked went away
      // A mistake of the stand-in itself: no error of the service, so nothing of its form either.
      response.writeHead(500, { 'content-type': 'text/plain' }).end(`the stand-in failed: ${error instanceof Error ? error.stack : String(error)}`);
    });
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const stop = atEndOfFile(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  return {
    ...identity,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    env: { AWS_ACCESS_KEY_ID: identity.accessKeyId, AWS_SECRET_ACCESS_KEY: identity.secretAccessKey },
    calls,
    addBucket(name) {
      const bucket = new Bucket(name);
      buckets.set(name, bucket);
      return bucket;
    },
    removeBucket: (name) => void buckets.delete(name),
    bytesOf: (bucket, key) => buckets.get(bucket)?.objects.get(key)?.body.length,
    fault(what) {
      const entry = { what, left: what.times ?? Number.POSITIVE_INFINITY };
      faults.add(entry);
      return () => void faults.delete(entry);
    },
    forbidLists() {
      mayList = false;
      return () => (mayList = true);
    },
    hang(action) {
      let release = (): void => undefined;
      const entry = { action, over: new Promise<void>((resolve) => (release = resolve)) };
      hangs.add(entry);
      return () => {
        hangs.delete(entry);
        release();
      };
    },
    stop,
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
