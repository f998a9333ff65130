/** A request over HTTP, ready to be sent. */
export interface HttpRequest {
  url: string;
  method: string;
  headers: Record<string, string>;
  body?: string | undefined;
  timeoutMs: number;
  /** `refuse`: a redirect is the answer itself; for what shows a key in a header that the platform does not know as one */
  redirects?: 'follow' | 'refuse';
  /** bytes of the answer that are read; 64 KiB when absent */
  most?: number;
}

/** What came of it. */
export type HttpReply = { kind: 'http'; status: number; body: string; ms: number } | { kind: 'failed'; error: string; ms: number };

/** Of an answer so much is read, in bytes, unless the request says otherwise. */
const MOST = 64 * 1024;

/**
 * Sends a request and gives what came of it; never rejects. A redirect is followed by what the platform holds right: its
 * target gets no credentials when it is elsewhere.
 *
 * @param token what it shows as its bearer token
 */
export async function sendHttp({ url, method, headers, body, timeoutMs, redirects = 'follow', most = MOST }: HttpRequest, stop: AbortSignal, token?: string): Promise<HttpReply> {
  const started = Date.now();
  // Not AbortSignal.timeout: inside AbortSignal.any it is collected as garbage now and then, and never fires (Node 20).
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new DOMException('no answer in time', 'TimeoutError')), timeoutMs);
  try {
    const own = token === undefined ? headers : { ...headers, authorization: `Bearer ${token}` };
    const response = await fetch(url, { method, headers: own, ...(body !== undefined && { body }), redirect: redirects === 'follow' ? 'follow' : 'manual', signal: AbortSignal.any([stop, limit.signal]) });
    return { kind: 'http', status: response.status, body: await beginningOf(response, most), ms: Date.now() - started };
  } catch (error) {
    return { kind: 'failed', error: faultOf(error as Error, url, timeoutMs), ms: Date.now() - started };
  } finally {
    clearTimeout(timer);
  }
}

async function beginningOf(response: Response, most: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    parts.push(part as Uint8Array);
    bytes += (part as Uint8Array).byteLength;
    if (bytes >= most) break; // leaving the loop ends the transfer
  }
  return Buffer.concat(parts).subarray(0, most).toString('utf8').replaceAll('\0', '');
}

function faultOf(error: Error, url: string, timeoutMs: number): string {
  const { host } = new URL(url);
  if (error.name === 'TimeoutError') return `${host} gave no answer within ${timeoutMs / 1000} s`;
  const { cause } = error as { cause?: { code?: string; message?: string } };
  return `${host} can't be asked: ${cause?.code ?? cause?.message ?? error.message}`;
}
