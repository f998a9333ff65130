import { stripAnsi } from './ansi.js';
import type { Line } from './lines.js';

const ESC = 27;
/** Of a long line what stands around the match. */
const SHOWN = 1000;
const BEFORE = 200;

/** A plain text that is looked for in lines, with escape sequences of terminals left out. */
export class Needle {
  private readonly wanted: string;
  private readonly bytes: Buffer;

  constructor(
    text: string,
    private readonly ignoreCase: boolean,
  ) {
    this.wanted = ignoreCase ? text.toLowerCase() : text;
    this.bytes = Buffer.from(text);
  }

  /** Whether lines that lie inside of these bytes as a whole may have it; most chunks have not, and then no line is made of them. */
  mayBeIn(bytes: Uint8Array): boolean {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (buffer.includes(ESC)) return true;
    return this.ignoreCase ? buffer.toString().toLowerCase().includes(this.wanted) : buffer.includes(this.bytes);
  }

  /** The text of a line that has it; undefined when it has not. */
  in({ bytes }: Line): string | undefined {
    const text = Buffer.from(stripAnsi(bytes)).toString();
    const at = (this.ignoreCase ? text.toLowerCase() : text).indexOf(this.wanted);
    if (at < 0) return undefined;
    if (text.length <= SHOWN) return text;
    const start = Math.max(0, at - BEFORE);
    return `${start > 0 ? '…' : ''}${text.slice(start, start + SHOWN)}${start + SHOWN < text.length ? '…' : ''}`;
  }
}
