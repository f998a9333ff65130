import type { Readable, Writable } from 'node:stream';
import type { LiveEnd, LiveListener, LiveStream } from '@berth/contracts';
import type { End } from '../domain/action.js';
import type { ActionContext } from './action.js';

/** Somebody has to be there within this time after a session was asked for. */
export const ATTACH_MS = 30_000;

/** What a session ends with that a process before this one had: it went with that process. */
export function notAgain(context: ActionContext): End {
  const error = 'the gateway was started again meanwhile, and a session ends with it: open another';
  return context.startedAt === undefined ? { kind: 'failed', result: {}, code: 'interrupted', error } : { kind: 'lost', result: {}, error };
}

/** Why a signal was given, in words. */
export const reasonOf = (signal: AbortSignal, otherwise: string): string => (typeof signal.reason === 'string' ? signal.reason : otherwise);

export const sentence = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? '' : '.'}`;

/** For whoever can't be let in: it is told by `abort`. */
export const nobody: LiveListener = { data: () => undefined, ended: () => undefined };

/** Resolves when the signal is given. */
export function given(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Writes, and waits while the other side is slow. What is written to a side that has gone is dropped: its end is told. */
export async function put(stream: Writable, bytes: Uint8Array): Promise<void> {
  if (!stream.writable || stream.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const events = ['drain', 'close', 'error'] as const;
    const done = (): void => {
      for (const event of events) stream.off(event, done);
      resolve();
    };
    for (const event of events) stream.on(event, done);
  });
}

/** Sends all that comes from a stream, no faster than it is taken; resolves at its end, however that came. */
export async function pour(from: Readable, to: LiveEnd, as: LiveStream): Promise<void> {
  try {
    // Its other direction may go on: it must not be destroyed with the end of this one.
    for await (const bytes of from.iterator({ destroyOnReturn: false })) if (!(await to.write(as, bytes as Buffer))) return;
  } catch {
    return; // cut off: the end of what it belongs to says why
  }
}
