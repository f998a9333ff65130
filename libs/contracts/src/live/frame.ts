import type { TerminalSize } from '../action.js';
import type { LiveEnding, LiveOpening } from './bodies.js';

/** Of whose bytes a piece is: towards the host `in`, from it `out` or `err`. */
export type LiveStream = 'in' | 'out' | 'err';

/**
 * What goes over `berth.live.<action>.<channel>.up` and `.down`, one message each: a byte that says what it is, its number
 * among all of its way (four bytes, from 0), and what it carries. Numbers without a gap are how a lost one is noticed.
 */
export type Frame =
  | { type: 'open'; opening: LiveOpening }
  | { type: 'data'; stream: LiveStream; bytes: Uint8Array }
  /** so many more bytes of data may be sent */
  | { type: 'room'; bytes: number }
  /** no more data comes this way */
  | { type: 'eof' }
  | { type: 'size'; size: TerminalSize }
  | { type: 'beat' }
  /** the end, behind all that was sent; answered with `closed` */
  | { type: 'close'; ending: LiveEnding }
  /** the end at once, whatever was sent before */
  | { type: 'abort'; ending: LiveEnding }
  | { type: 'closed' };

/** Makes of what came as JSON what it has to be. @throws when it is not that */
export interface Bodies {
  opening(value: unknown): LiveOpening;
  size(value: unknown): TerminalSize;
  ending(value: unknown): LiveEnding;
}

const HEAD = 5;
/** Most bytes of data in one message, which is 64 KiB then. */
export const MOST_DATA = 64 * 1024 - HEAD;

const codes = { open: 0, in: 1, out: 2, err: 3, room: 4, eof: 5, size: 6, beat: 7, close: 8, abort: 9, closed: 10 } as const;
const names = Object.fromEntries(Object.entries(codes).map(([name, code]) => [code, name])) as Record<number, keyof typeof codes>;
const EMPTY = new Uint8Array();
const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const parse = (body: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(body));
const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView => new DataView(buffer, byteOffset, byteLength);

function bodyOf(frame: Frame): Uint8Array {
  switch (frame.type) {
    case 'open':
      return json(frame.opening);
    case 'data':
      return frame.bytes;
    case 'room': {
      const body = new Uint8Array(4);
      viewOf(body).setUint32(0, frame.bytes);
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
export function encodeFrame(frame: Frame, number: number): Uint8Array<ArrayBuffer> {
  const body = bodyOf(frame);
  const message = new Uint8Array(HEAD + body.length);
  message[0] = codes[frame.type === 'data' ? frame.stream : frame.type];
  viewOf(message).setUint32(1, number >>> 0);
  message.set(body, HEAD);
  return message;
}

/**
 * A frame as it came. Its data are a part of the message, not a copy.
 * @throws when it is not one
 */
export function decodeFrame(message: Uint8Array, bodies: Bodies): { number: number; frame: Frame } {
  if (message.length < HEAD) throw new Error(`a message of ${message.length} bytes is no frame`);
  return { number: viewOf(message).getUint32(1), frame: frameOf(names[message[0]!], message.subarray(HEAD), bodies) };
}

function frameOf(name: keyof typeof codes | undefined, body: Uint8Array, bodies: Bodies): Frame {
  switch (name) {
    case 'open':
      return { type: name, opening: bodies.opening(parse(body)) };
    case 'in':
    case 'out':
    case 'err':
      return { type: 'data', stream: name, bytes: body };
    case 'room':
      return { type: name, bytes: viewOf(body).getUint32(0) };
    case 'size':
      return { type: name, size: bodies.size(parse(body)) };
    case 'close':
    case 'abort':
      return { type: name, ending: bodies.ending(parse(body)) };
    case 'eof':
    case 'beat':
    case 'closed':
      return { type: name };
    case undefined:
      throw new Error('a message of a kind that is not known');
  }
}
