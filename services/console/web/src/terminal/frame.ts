/** Why and how a live session ended. */
export interface Ending {
  code: string;
  message: string;
  exitCode?: number;
}
export interface Size {
  columns: number;
  rows: number;
}

/** One message of a live session, as docs/reference/http.md has them: a byte that says what it is, its number, what it carries. */
export type Frame =
  | { type: 'open'; opening: { window: number; size?: Size } }
  | { type: 'in' | 'out' | 'err'; bytes: Uint8Array }
  | { type: 'room'; bytes: number }
  | { type: 'size'; size: Size }
  | { type: 'close' | 'abort'; ending: Ending }
  | { type: 'eof' | 'beat' | 'closed' };

const names = ['open', 'in', 'out', 'err', 'room', 'eof', 'size', 'beat', 'close', 'abort', 'closed'] as const;
const HEAD = 5;
/** Most bytes of data in one message, which is 64 KiB then. */
export const MOST_DATA = 64 * 1024 - HEAD;

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const parse = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));

function bodyOf(frame: Frame): Uint8Array {
  switch (frame.type) {
    case 'open':
      return json(frame.opening);
    case 'in':
    case 'out':
    case 'err':
      return frame.bytes;
    case 'room': {
      const body = new Uint8Array(4);
      new DataView(body.buffer).setUint32(0, frame.bytes);
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
      return new Uint8Array();
  }
}

/** A frame as it travels. */
export function encode(frame: Frame, number: number): Uint8Array<ArrayBuffer> {
  const body = bodyOf(frame);
  const message = new Uint8Array(HEAD + body.length);
  message[0] = names.indexOf(frame.type);
  new DataView(message.buffer).setUint32(1, number >>> 0);
  message.set(body, HEAD);
  return message;
}

/** A frame as it came. @throws when it is not one */
export function decode(message: Uint8Array): { number: number; frame: Frame } {
  if (message.length < HEAD) throw new Error(`a message of ${message.length} bytes is no frame`);
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const type = names[message[0]!];
  const body = message.subarray(HEAD);
  const number = view.getUint32(1);
  if (type === undefined) throw new Error('a message of a kind that is not known');
  switch (type) {
    case 'open':
      return { number, frame: { type, opening: parse(body) as { window: number } } };
    case 'in':
    case 'out':
    case 'err':
      return { number, frame: { type, bytes: body } };
    case 'room':
      return { number, frame: { type, bytes: view.getUint32(HEAD) } };
    case 'size':
      return { number, frame: { type, size: parse(body) as Size } };
    case 'close':
    case 'abort':
      return { number, frame: { type, ending: parse(body) as Ending } };
    case 'eof':
    case 'beat':
    case 'closed':
      return { number, frame: { type } };
  }
}
