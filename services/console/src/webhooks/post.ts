/** What became of one try. */
export type Posted =
  | { outcome: 'delivered'; status: number; durationMs: number }
  /** says no, and will say it again */
  | { outcome: 'refused'; status: number; durationMs: number; error: string }
  /** did not answer, or can't take it now */
  | { outcome: 'failed'; status: number | null; durationMs: number; error: string; retryAfterMs?: number }
  /** says that it is gone for good (410) */
  | { outcome: 'gone'; status: number; durationMs: number; error: string };

/** How long a target may take for its answer. */
const ANSWER_MS = 10_000;
/** Characters of an answer that are kept to show why. */
const SHOWN = 200;
/** Nobody is waited for longer, whatever he asks for. */
const MOST_RETRY_AFTER_MS = 3_600_000;
/** No that means "not now": RFC 9110, 8470, 6585. */
const notNow = new Set([408, 425, 429]);

/**
 * Sends one body to a target. Redirects are not followed: what is signed for one place is for that place.
 * Never throws: that it did not work is an outcome.
 */
export async function post(url: string, body: string, headers: Record<string, string>): Promise<Posted> {
  const begun = performance.now();
  const spent = () => Math.round(performance.now() - begun);
  let response: Response;
  try {
    response = await fetch(url, { method: 'POST', body, redirect: 'manual', headers: { 'Content-Type': 'application/cloudevents+json; charset=utf-8', 'User-Agent': 'Berth', ...headers }, signal: AbortSignal.timeout(ANSWER_MS) });
  } catch (error) {
    return { outcome: 'failed', status: null, durationMs: spent(), error: reasonOf(error) };
  }
  const { status } = response;
  const durationMs = spent();
  if (response.ok) {
    await response.body?.cancel();
    return { outcome: 'delivered', status, durationMs };
  }
  const error = `${status} ${response.statusText}`.trim() + (await said(response));
  if (status === 410) return { outcome: 'gone', status, durationMs, error };
  if (status >= 300 && status < 400) return { outcome: 'refused', status, durationMs, error: `${status}: it redirects to ${response.headers.get('location') ?? 'nowhere'}, which is not followed: name that URL if it is right` };
  if (status >= 500 || notNow.has(status)) {
    const retryAfterMs = waitAsked(response.headers.get('retry-after'));
    return { outcome: 'failed', status, durationMs, error, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
  return { outcome: 'refused', status, durationMs, error };
}

/** The beginning of what it answered, on one line. A target that goes on talking is cut off. */
async function said(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return '';
  const decoder = new TextDecoder();
  let text = '';
  try {
    while (text.length < SHOWN) {
      const { value, done } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
    await reader.cancel();
  } catch (error) {
    text += ` (${reasonOf(error)})`;
  }
  // What a stranger answers is shown on terminals.
  const line = text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim().slice(0, SHOWN);
  return line === '' ? '' : `: ${line}`;
}

/** `Retry-After`: seconds or a date (RFC 9110). */
function waitAsked(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, MOST_RETRY_AFTER_MS) : undefined;
}

function reasonOf(error: unknown): string {
  if ((error as Error).name === 'TimeoutError') return `no answer within ${ANSWER_MS / 1000} s`;
  const { cause, message } = error as Error & { cause?: Error & { code?: string } };
  return cause?.code ?? (cause?.message || message);
}
