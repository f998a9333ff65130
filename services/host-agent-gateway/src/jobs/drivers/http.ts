import { readFile } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { DriverFault, endOf, type Call } from './driver.js';

/** A management controller that is spoken to over HTTP. */
export interface Web {
  /** What it is, for messages: `The iLO` */
  what: string;
  url: string;
  /** SHA-256 of the certificate that it must show. */
  certificate?: string | undefined;
}

export interface Ask {
  method: 'GET' | 'POST' | 'PATCH';
  /** Below the URL of the controller. */
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
}

export interface Reply {
  status: number;
  headers: IncomingMessage['headers'];
  body: string;
}

/** No controller has more to say: the longest lists come in pages. */
const MOST = 4 * 1024 * 1024;

/** Asks once. Any status is a reply; no redirect is followed, since a password goes to who was named and to nobody else. @throws DriverFault */
export async function askWeb(call: Call, web: Web, ask: Ask): Promise<Reply> {
  const socket = await open(call, web);
  const url = new URL(web.url);
  try {
    return await exchange(call, web, ask, url, socket);
  } catch (error) {
    if (call.signal.aborted) throw endOf(call.signal);
    throw error instanceof DriverFault ? error : unreachable(web, error);
  } finally {
    socket.destroy();
  }
}

/** The path of a controller whose URL may have one itself. */
export function pathOf(web: Web, path: string): string {
  return new URL(web.url).pathname.replace(/\/+$/, '') + path;
}

/** A connection on which nothing is said before it is certain who is at its other end. @throws DriverFault */
export async function open(call: Call, web: Web): Promise<Socket | TLSSocket> {
  if (call.signal.aborted) throw endOf(call.signal);
  const url = new URL(web.url);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const secure = url.protocol === 'https:';
  const port = Number(url.port) || (secure ? 443 : 80);
  const pin = web.certificate?.toLowerCase();
  const trust = secure && pin === undefined ? await trusted() : undefined;
  const socket = !secure
    ? connect({ host, port })
    : connectTls({
        host,
        port,
        ...(/[a-z]/i.test(host) && !host.includes(':') ? { servername: host } : {}),
        // Old controllers speak nothing newer, with keys that no authority signs any more. The pin says who they are.
        ...(pin === undefined ? (trust && { secureContext: trust }) : { rejectUnauthorized: false, minVersion: 'TLSv1' as const, ciphers: 'DEFAULT@SECLEVEL=0' }),
      });
  const abort = (): void => void socket.destroy();
  call.signal.addEventListener('abort', abort, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once(secure ? 'secureConnect' : 'connect', resolve);
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('the connection was closed')));
    });
    if (secure && pin !== undefined) {
      const shown = (socket as TLSSocket).getPeerCertificate().fingerprint256?.replaceAll(':', '').toLowerCase();
      if (shown !== pin) throw new DriverFault('key-changed', `${web.what} at ${url.host} shows a certificate other than the pinned one (SHA-256 ${shown ?? 'none'}): nothing was said to it. If that is right, set it as certificate.`);
    }
    return socket;
  } catch (error) {
    socket.destroy();
    if (call.signal.aborted) throw endOf(call.signal);
    throw error instanceof DriverFault ? error : unreachable(web, error);
  } finally {
    call.signal.removeEventListener('abort', abort);
  }
}

/** Where operating systems keep the authorities that they trust: Debian, Red Hat, Alpine and macOS. */
const BUNDLES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem'];
const contexts = new Map<string, SecureContext>();

/** What the operating system trusts, which is where an authority of a data centre is made known. Node by itself has a list of its own, and so it is without one of these files. */
async function trusted(): Promise<SecureContext | undefined> {
  for (const file of [process.env['SSL_CERT_FILE'], ...BUNDLES]) {
    if (file === undefined) continue;
    const ca = await readFile(file).catch(() => undefined);
    if (ca === undefined) continue;
    const context = contexts.get(file) ?? createSecureContext({ ca });
    contexts.set(file, context);
    return context;
  }
  return undefined;
}

const UNTRUSTED = /^(?:CERT_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|ERR_TLS_CERT_)/;

function unreachable(web: Web, error: unknown): DriverFault {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const { host } = new URL(web.url);
  if (UNTRUSTED.test(code)) return new DriverFault('key-changed', `${web.what} at ${host} shows a certificate that this machine does not trust (${message}): set its SHA-256 as certificate.`, '', { cause: error });
  return new DriverFault('unreachable', `${web.what} at ${host} can't be reached: ${message || code}.`, '', { cause: error });
}

function exchange(call: Call, web: Web, { method, path, headers = {}, body }: Ask, url: URL, socket: Socket): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
    const asked = request({ method, path, createConnection: () => socket, signal: call.signal, headers: { Host: url.host, Connection: 'close', 'User-Agent': 'Berth', ...headers, ...length } }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MOST) asked.destroy(new DriverFault('unknown-answer', `${web.what} at ${url.host} answers with more than ${MOST / 1024 / 1024} MiB.`));
        else chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        if (status >= 300 && status < 400) return reject(new DriverFault('refused', `${web.what} at ${url.host} sends us elsewhere (HTTP ${status}), which is not followed: set the URL that it should be.`));
        resolve({ status, headers: response.headers, body: Buffer.concat(chunks).toString('utf8') });
      });
    });
    asked.on('error', reject);
    asked.end(body);
  });
}
