import { z } from 'zod';
import { terminalSize } from '../action.js';

/** Of whose bytes a piece is: towards the host `in`, from it `out` or `err`. */
export type LiveStream = 'in' | 'out' | 'err';

/** Why and how a live session ended. */
const ending = z.object({ code: z.string(), message: z.string(), exitCode: z.number().int().optional() });
export type LiveEnding = z.infer<typeof ending>;

const opening = z.object({
  window: z.number().int().positive().max(1024 * 1024),
  /** It carries nothing: as long as it is open, what it belongs to goes on. */
  keeps: z.boolean().optional(),
  size: terminalSize.optional(),
});
export type LiveOpening = z.infer<typeof opening>;

/**
 * What goes over `berth.live.<action>.<channel>.up` and `.down`, one message each: a byte that says what it is, its number
 * among all of its way (four bytes, from 0), and what it carries. Numbers without a gap are how a lost one is noticed.
 */
export type Frame =
  | { type: 'open'; opening: LiveOpening }
  | { type: 'data'; stream: LiveStream; bytes: Buffer }
  /** so many more bytes of data may be sent */
  | { type: 'room'; bytes: number }
  /** no more data comes this way */
  | { type: 'eof' }
  | { type: 'size'; size: z.infer<typeof terminalSize> }
  | { type: 'beat' }
  /** the end, behind all that was sent; answered with `closed` */
  | { type: 'close'; ending: LiveEnding }
  /** the end at once, whatever was sent before */
  | { type: 'abort'; ending: LiveEnding }
  | { type: 'closed' };

const HEAD = 5;
/** Most bytes of data in one message, which is 64 KiB then. */
export const MOST_DATA = 64 * 1024 - HEAD;

const codes = { open: 0, in: 1, out: 2, err: 3, room: 4, eof: 5, size: 6, beat: 7, close: 8, abort: 9, closed: 10 } as const;
const names = Object.fromEntries(Object.entries(codes).map(([name, code]) => [code, name])) as Record<number, keyof typeof codes>;
const EMPTY = Buffer.alloc(0);
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const parse = <T>(schema: z.ZodType<T>, body: Buffer): T => schema.parse(JSON.parse(body.toString('utf8')));

function bodyOf(frame: Frame): Buffer {
  switch (frame.type) {
    case 'open':
      return json(frame.opening);
    case 'data':
      return frame.bytes;
    case 'room': {
      const body = Buffer.allocUnsafe(4);
      body.writeUInt32BE(frame.bytes);
      return body;
    }
    case 'size':
      return json(frame.size);
    case 'close':
    case 'abort':
      return json(frame.ending);
    case 'eof':
    case 'beat':
    case 'closed':
      return EMPTY;
  }
}

/** A frame as it travels. */
export function encodeFrame(frame: Frame, number: number): Buffer {
  const head = Buffer.allocUnsafe(HEAD);
  head[0] = codes[frame.type === 'data' ? frame.stream : frame.type];
  head.writeUInt32BE(number >>> 0, 1);
  return Buffer.concat([head, bodyOf(frame)]);
}

/**
 * A frame as it came.
 * @throws when it is not one
 */
export function decodeFrame(payload: Uint8Array): { number: number; frame: Frame } {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  if (bytes.length < HEAD) throw new Error(`a message of ${bytes.length} bytes is no frame`);
  const body = bytes.subarray(HEAD);
  return { number: bytes.readUInt32BE(1), frame: frameOf(names[bytes[0]!], body) };
}

function frameOf(name: keyof typeof codes | undefined, body: Buffer): Frame {
  switch (name) {
    case 'open':
      return { type: name, opening: parse(opening, body) };
    case 'in':
    case 'out':
    case 'err':
      return { type: 'data', stream: name, bytes: body };
    case 'room':
      return { type: name, bytes: body.readUInt32BE(0) };
    case 'size':
      return { type: name, size: parse(terminalSize, body) };
    case 'close':
    case 'abort':
      return { type: name, ending: parse(ending, body) };
    case 'eof':
    case 'beat':
    case 'closed':
      return { type: name };
    case undefined:
      throw new Error('a message of a kind that is not known');
  }
}
