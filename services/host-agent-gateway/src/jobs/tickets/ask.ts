import { setTimeout as pause } from 'node:timers/promises';
import { sendHttp } from '@berth/runtime';
import { DriverFault } from '../drivers/driver.js';
import { oneLine } from '../told-secret.js';

/** How long a tracker may take for one answer. */
const ANSWER_MS = 20_000;
/** Bytes of an answer that are read: the comments of an old ticket are many. */
const MOST = 4 * 1024 * 1024;
const PAUSES_MS = [1000, 3000];
/** No that means "not now": RFC 9110, 6585. */
const isNotNow = (status: number): boolean => status === 408 || status === 429 || status >= 500;

/** One question to a tracker. */
export interface Question {
  /** what it is called where it can't be asked */
  who: string;
  url: string;
  method: 'GET' | 'POST' | 'PUT';
  /** made anew for each try: a signature has a time in it */
  headers: () => Record<string, string>;
  body?: string;
  /** may be asked again when nobody knows what became of it */
  repeatable: boolean;
  mask: (text: string) => string;
}

/** How long is waited, for specs. */
export interface Patience {
  answerMs?: number;
  pausesMs?: readonly number[];
}

/** What a tracker answered. */
export interface Said {
  status: number;
  /** undefined when it is not JSON */
  json: unknown;
  /** the beginning of it, on one line and without secrets */
  shown: string;
}

/**
 * Asks a tracker. Redirects are not followed: the key is for this place alone.
 *
 * @throws DriverFault `tracker` when there is no answer, or the reason of the signal
 */
export async function ask(question: Question, signal: AbortSignal, { answerMs = ANSWER_MS, pausesMs = PAUSES_MS }: Patience = {}): Promise<Said> {
  const { who, url, method, body, mask } = question;
  const waits = question.repeatable ? [...pausesMs] : [];
  for (;;) {
    const reply = await sendHttp({ url, method, headers: { accept: 'application/json', 'user-agent': 'Berth', ...question.headers() }, body, timeoutMs: answerMs, redirects: 'refuse', most: MOST }, signal);
    if (signal.aborted) throw ended(signal);
    const wait = waits.shift();
    if (wait !== undefined && (reply.kind === 'failed' || isNotNow(reply.status))) {
      await pause(wait, undefined, { signal }).catch(() => undefined); // the signal is looked at next
      if (signal.aborted) throw ended(signal);
      continue;
    }
    if (reply.kind === 'failed') throw trackerFault(`${who}: ${mask(reply.error)}`);
    if (reply.status >= 300 && reply.status < 400) throw trackerFault(`${who} answered ${reply.status}: it redirects, which is not followed; put the URL that it leads to into BERTH_TICKETS`);
    if (Buffer.byteLength(reply.body) >= MOST) throw trackerFault(`${who} answered more than ${MOST} bytes, which are not read`);
    return { status: reply.status, json: jsonOf(reply.body), shown: oneLine(mask(reply.body)) };
  }
}

export const trackerFault = (message: string): DriverFault => new DriverFault('tracker', message);

/** Why it was ended; whoever ends something says so with a fault. */
function ended({ reason }: AbortSignal): DriverFault {
  return reason instanceof DriverFault ? reason : new DriverFault('cancelled', 'the ticket was not told of: it was ended before', '', { cause: reason });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // whoever asked says what was said instead
  }
}
