/** What is told of a command that failed: enough to see why, little enough for an event. */
const LINES = 20;
const BYTES = 2048;
/** Kept of what was printed, colours and overwritten lines included. */
const KEPT_BYTES = 16 * 1024;

/** The last lines of two streams, in the order in which they came. */
export interface LastLines {
  add(stream: string, bytes: Buffer): void;
  /** Without colours and other commands for a terminal; '' when there are none. */
  text(): string;
}

export function createLastLines(): LastLines {
  let parts: { stream: string; bytes: Buffer }[] = [];
  let kept = 0;
  return {
    add(stream, bytes) {
      const last = Buffer.from(bytes.subarray(-KEPT_BYTES));
      parts.push({ stream, bytes: last });
      kept += last.length;
      while (kept - (parts[0]?.bytes.length ?? 0) >= KEPT_BYTES) kept -= parts.shift()!.bytes.length;
    },
    text() {
      const joined: Buffer[] = [];
      parts.forEach(({ stream, bytes }, index) => {
        const before = parts[index - 1];
        // A line of one stream that is not at its end yet must not run into the other's.
        if (before && before.stream !== stream && before.bytes.at(-1) !== 0x0a) joined.push(Buffer.from('\n'));
        joined.push(bytes);
      });
      return ending(plain(Buffer.concat(joined).toString('utf8')).split('\n').slice(-LINES).join('\n'));
    },
  };
}

/** CSI (colours, cursor), OSC (titles, links) and the short escape sequences of ECMA-48. */
const SEQUENCES = /\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]/g;
const CONTROLS = /[\0-\x08\x0b-\x1f\x7f]/g;

/** As a terminal would leave it: what was written over a line is what counts. */
function plain(text: string): string {
  const lines = text.replace(SEQUENCES, '').split('\n');
  return lines.map((line) => (line.replace(/\r+$/, '').split('\r').at(-1) ?? '').replace(CONTROLS, '').trimEnd()).join('\n').trimEnd();
}

/** At most so many bytes from the end, no character cut. */
function ending(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= BYTES) return text;
  let from = bytes.length - BYTES;
  while ((bytes[from]! & 0xc0) === 0x80) from++;
  return bytes.toString('utf8', from);
}
