import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { atEndOfFile } from './cleanup.js';

/** A span as a collector got it. */
export interface ReceivedSpan {
  service: string;
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId: string;
  kind: number;
  /** ms since the epoch */
  began: number;
  ended: number;
  error: string | undefined;
  attributes: Record<string, unknown>;
}

type Value = { stringValue?: string; intValue?: string | number; boolValue?: boolean; doubleValue?: number };
interface Body {
  resourceSpans: {
    resource: { attributes: { key: string; value: Value }[] };
    scopeSpans: { spans: { name: string; traceId: string; spanId: string; parentSpanId?: string; kind: number; startTimeUnixNano: string; endTimeUnixNano: string; status?: { code?: number; message?: string }; attributes: { key: string; value: Value }[] }[] }[];
  }[];
}

/** A collector that takes OTLP/HTTP as JSON and keeps it; it ends with the test file. */
export async function startCollector(): Promise<{ url: string; spans: ReceivedSpan[]; requests: { path: string; type: string | undefined }[] }> {
  const spans: ReceivedSpan[] = [];
  const requests: { path: string; type: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      requests.push({ path: request.url!, type: request.headers['content-type'] });
      for (const { resource, scopeSpans } of (JSON.parse(Buffer.concat(pieces).toString()) as Body).resourceSpans) {
        const service = String(facts(resource.attributes)['service.name']);
        for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
          spans.push({
            service, name: span.name, traceId: span.traceId, spanId: span.spanId, parentSpanId: span.parentSpanId ?? '', kind: span.kind, attributes: facts(span.attributes),
            began: Number(BigInt(span.startTimeUnixNano) / 1_000_000n), ended: Number(BigInt(span.endTimeUnixNano) / 1_000_000n), error: span.status?.code === 2 ? (span.status.message ?? '') : undefined,
          });
        }
      }
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEndOfFile(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans, requests };
}

const facts = (attributes: { key: string; value: Value }[]): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.boolValue ?? value.doubleValue ?? (value.intValue === undefined ? undefined : Number(value.intValue))]));
