import { X509Certificate } from 'node:crypto';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { newAuthority } from '../../../../../test/support/certificate.js';
import { atEndOfFile } from '../../../../../test/support/cleanup.js';

/** What a controller of a test is asked, as it came. */
export interface Asked {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

/** A controller on loopback, over HTTPS with a certificate that nobody trusts, as they come out of the box. */
export interface TestWeb {
  readonly url: string;
  /** SHA-256 of its certificate. */
  readonly certificate: string;
  /** The certificate of who signed it. */
  readonly authority: string;
  readonly asked: Asked[];
  stop(): Promise<void>;
}

export async function startWeb(answer: (asked: Asked) => Answer | Promise<Answer>, secure = true, tls: TlsOptions = {}): Promise<TestWeb> {
  const authority = newAuthority('maker');
  const { certificate, key } = authority.issue('controller');
  const asked: Asked[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
      const one = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() };
      asked.push(one);
      void Promise.resolve()
        .then(() => answer(one))
        .catch((error: Error): Answer => ({ status: 500, body: error.message }))
        .then(({ status, headers = {}, body = '' }) => response.writeHead(status, headers).end(body));
    });
  };
  const server = secure ? createServer({ ...tls, cert: certificate, key }, listener) : createHttp(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = atEndOfFile(async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  });
  return {
    url: `${secure ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    certificate: new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase(),
    authority: authority.certificate,
    asked,
    stop,
  };
}
