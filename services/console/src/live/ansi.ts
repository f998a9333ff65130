const ESC = 0x1b;
const BEL = 0x07;
const LF = 0x0a;

/**
 * Where a reader of bytes is:
 * - `text`: outside of any sequence
 * - `begun`: after ESC
 * - `between`: after ESC and intermediate bytes
 * - `control`: in a control sequence (CSI), up to its final byte
 * - `string`: in a string such as a window title or a link (OSC, DCS), up to BEL, ESC \ or the end of the line
 * - `ending`: after ESC in such a string
 */
type State = 'text' | 'begun' | 'between' | 'control' | 'string' | 'ending';

/** Takes the escape sequences of terminals (ECMA-48) out of bytes that come in pieces, cut anywhere. */
export class AnsiStripper {
  private state: State = 'text';

  /** What is left of a piece. A sequence without an end ends with the line at the latest, so it can't hide what follows. */
  strip(bytes: Uint8Array): Uint8Array {
    if (this.state === 'text' && !bytes.includes(ESC)) return bytes;
    const left = Buffer.allocUnsafe(bytes.byteLength);
    let length = 0;
    for (let at = 0; at < bytes.byteLength; at++) {
      const byte = bytes[at]!;
      if (this.keeps(byte)) left[length++] = byte;
    }
    return left.subarray(0, length);
  }

  private keeps(byte: number): boolean {
    switch (this.state) {
      case 'text':
        if (byte !== ESC) return true;
        this.state = 'begun';
        return false;
      case 'begun':
        if (byte === 0x5b) return this.go('control');
        // ] P X ^ _
        if (byte === 0x5d || byte === 0x50 || byte === 0x58 || byte === 0x5e || byte === 0x5f) return this.go('string');
        return this.between(byte);
      case 'between':
        return this.between(byte);
      case 'control':
        if (byte >= 0x20 && byte <= 0x3f) return false;
        return byte >= 0x40 && byte <= 0x7e ? this.go('text') : this.broken(byte);
      case 'string':
        if (byte === LF) return this.broken(byte);
        if (byte === ESC) return this.go('ending');
        return byte === BEL ? this.go('text') : false;
      case 'ending':
        return byte === 0x5c ? this.go('text') : this.broken(byte);
    }
  }

  private between(byte: number): boolean {
    if (byte >= 0x20 && byte <= 0x2f) return this.go('between');
    return byte >= 0x30 && byte <= 0x7e ? this.go('text') : this.broken(byte);
  }

  /** Not a byte of any sequence: it counts for itself. */
  private broken(byte: number): boolean {
    this.state = 'text';
    return this.keeps(byte);
  }

  private go(state: State): false {
    this.state = state;
    return false;
  }
}

/** The same for something whole, such as a line. */
export const stripAnsi = (bytes: Uint8Array): Uint8Array => (bytes.includes(ESC) ? new AnsiStripper().strip(bytes) : bytes);
