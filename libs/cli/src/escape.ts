/** What was typed, without what was meant for us: `leave` after `~.` at the beginning of a line. */
export interface Typed {
  bytes: Buffer;
  leave: boolean;
}

const TILDE = 0x7e;
const DOT = 0x2e;
const isBreak = (byte: number): boolean => byte === 0x0d || byte === 0x0a;

/** Reads what is typed at a terminal for `~.`, the way out of one that does not answer, as in ssh; `~~` stands for `~`. */
export function escapes(): (typed: Buffer) => Typed {
  let atStart = true;
  let held = false;
  return (typed) => {
    const kept: number[] = [];
    for (const byte of typed) {
      if (held) {
        held = false;
        if (byte === DOT) return { bytes: Buffer.from(kept), leave: true };
        kept.push(TILDE);
        if (byte !== TILDE) kept.push(byte);
        atStart = isBreak(byte);
      } else if (atStart && byte === TILDE) held = true;
      else {
        kept.push(byte);
        atStart = isBreak(byte);
      }
    }
    return { bytes: Buffer.from(kept), leave: false };
  };
}
