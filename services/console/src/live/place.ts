import { outputHeaders } from '@berth/contracts';
import type { Stored } from './reader.js';

export type OutputStream = 'stdout' | 'stderr';
export const outputStreams = ['stdout', 'stderr'] as const satisfies readonly OutputStream[];

/** How far one stream of an action has been read. */
export interface Reach {
  /** offset in the stream of the next byte */
  readonly reached: number;
  /** bytes handed over: what was left out is not among them, the line that says so is */
  readonly given: number;
  /** the last byte handed over was not the end of a line */
  readonly open: boolean;
  /** after which message something stood too far, so that what belongs before it is still to come */
  readonly hole?: number;
  /** the next hole is one for good */
  readonly forgiving?: boolean;
}

/** A place in the output of an action, from which it can be read on. Immutable. */
export interface Place extends Readonly<Record<OutputStream, Reach>> {
  /** sequence of the last message that was looked at; 0 = before the first */
  readonly sequence: number;
}

const NEWLINE = 10;
const nothing: Reach = { reached: 0, given: 0, open: false };
export const BEGINNING: Place = { sequence: 0, stdout: nothing, stderr: nothing };

/** New bytes of an action's output. */
export interface Chunk {
  stream: OutputStream;
  bytes: Uint8Array;
  /** when the gateway read it, RFC 3339; null when that was not stored */
  time: string | null;
  /** where to go on after it */
  after: Place;
}

/** How much an ended action printed, where that is known. */
export interface Totals {
  stdoutBytes: number | null;
  stderrBytes: number | null;
}

/** Whether everything that the action printed has been taken. */
export const complete = (place: Place, totals: Totals): boolean => place.stdout.reached >= (totals.stdoutBytes ?? 0) && place.stderr.reached >= (totals.stderrBytes ?? 0);

/** Names what follows a place: from equal ones the same follows. */
export const keyOf = ({ sequence, stdout, stderr }: Place): string =>
  `${sequence}:${stdout.reached}${stdout.forgiving ? '!' : ''}:${stderr.reached}${stderr.forgiving ? '!' : ''}`;

/** The streams in which something stood too far that stood well before. */
export const newHoles = (before: Place, after: Place): OutputStream[] => outputStreams.filter((stream) => before[stream].hole === undefined && after[stream].hole !== undefined);

/** A place from which the next hole in these streams is taken as one for good. */
export function forgiving(place: Place, streams: readonly OutputStream[], sequence = place.sequence): Place {
  const of = (stream: OutputStream): Reach => {
    if (!streams.includes(stream)) return place[stream];
    const { hole: _hole, ...reach } = place[stream];
    return { ...reach, forgiving: true };
  };
  return { sequence, stdout: of('stdout'), stderr: of('stderr') };
}

/** Where to go back to when nothing more is to come and something is still missing; undefined when nothing is. */
export function goBack(place: Place): Place | undefined {
  const streams = outputStreams.filter((stream) => place[stream].hole !== undefined);
  return streams.length === 0 ? undefined : forgiving(place, streams, Math.min(...streams.map((stream) => place[stream].hole!)));
}

/**
 * Puts a stored chunk in its place. After a crash of the gateway chunks may be stored twice, cut elsewhere the second time,
 * so a byte is new when it stands further in its stream than any byte before it. One that stands too far was stored before
 * one in front of it; both are stored again in order, so it is passed over now.
 *
 * @throws when it does not say where it belongs
 */
export function take(place: Place, stored: Pick<Stored, 'data' | 'headers' | 'sequence'>): { place: Place; chunk?: Chunk } {
  const { headers, data, sequence } = stored;
  const stream = headers?.get(outputHeaders.stream);
  const offset = Number(headers?.get(outputHeaders.offset) || Number.NaN);
  if ((stream !== 'stdout' && stream !== 'stderr') || !Number.isSafeInteger(offset)) throw new Error(`output at ${sequence} does not say where it belongs`);
  const before = place[stream];
  const cut = Number(headers?.get(outputHeaders.cut) || 0);
  const end = offset + (cut > 0 ? cut : data.byteLength);
  if (end <= before.reached) return { place: { ...place, sequence } };
  const missing = offset - before.reached;
  if (missing > 0 && !before.forgiving) return { place: { ...place, sequence, [stream]: { ...before, hole: before.hole ?? place.sequence } } };
  const fresh = missing < 0 ? data.subarray(-missing) : data;
  const leftOut = cut > 0 ? end - before.reached : Math.max(0, missing);
  // A marker has no bytes of its own.
  const bytes = leftOut > 0 ? Buffer.concat([Buffer.from(`${before.open ? '\n' : ''}[... ${leftOut} bytes ${cut > 0 ? 'left out' : 'are missing'} ...]\n`), fresh]) : fresh;
  const reach: Reach = { reached: end, given: before.given + bytes.byteLength, open: bytes.at(-1) !== NEWLINE };
  const after: Place = { ...place, sequence, [stream]: reach };
  return { place: after, chunk: { stream, bytes, time: headers?.get(outputHeaders.time) || null, after } };
}
