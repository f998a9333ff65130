import { HostError } from '../transports/errors.js';
import type { Transport } from '../transports/transport.js';

/** All outputs of one command, as it wrote them. */
const MOST_BYTES = 64 * 1024;
const MOST_NAMES = 100;
const LINE = /^([A-Za-z_][A-Za-z0-9_]{0,63})(=|<<)(.*)$/s;

export type Outputs = { ok: true; outputs: Record<string, string> } | { ok: false; error: string };

/** What a command wrote to the file named by $BERTH_OUTPUT. */
export async function readOutputs(transport: Transport, action: string): Promise<Outputs> {
  const path = `${transport.folder}/actions/${action}/output`;
  const file = await transport.files.open(path, 'read').catch((error: unknown) => {
    if (error instanceof HostError && error.code === 'not-found') return undefined;
    throw error;
  });
  if (!file) return { ok: true, outputs: {} };
  try {
    const parts: Buffer[] = [];
    let size = 0;
    for (let part = await file.read(0, MOST_BYTES + 1); part.length > 0 && size <= MOST_BYTES; part = await file.read(size, MOST_BYTES + 1 - size)) {
      parts.push(part);
      size += part.length;
    }
    return parseOutputs(Buffer.concat(parts));
  } finally {
    await file.close();
  }
}

/** Lines `NAME=VALUE`, and for a value of several lines `NAME<<END`, the lines, `END`. The last one of a name counts. */
export function parseOutputs(written: Buffer): Outputs {
  const content = inUtf8(written);
  const bad = (line: number, why: string): Outputs => ({ ok: false, error: `line ${line} of what was written to $BERTH_OUTPUT ${why}` });
  if (written.length > MOST_BYTES) return { ok: false, error: `more than ${MOST_BYTES} bytes were written to $BERTH_OUTPUT; keep what is large in an artifact` };
  const outputs = new Map<string, string>();
  const lines = linesOf(content);
  for (let at = 0; at < lines.length; at++) {
    const number = at + 1;
    const line = lines[at]!;
    if (line.trim() === '') continue;
    const [, name, sign, rest] = LINE.exec(line) ?? [];
    if (name === undefined || rest === undefined) return bad(number, 'is neither NAME=VALUE nor NAME<<END; a name is at most 64 letters, digits and "_", and begins with no digit');
    let value = rest;
    if (sign === '<<') {
      if (rest === '') return bad(number, `names no end after ${name}<<; write a word there that stands alone in the line after the value`);
      const end = lines.indexOf(rest, at + 1);
      if (end === -1) return bad(number, `begins a value that does not end; write ${rest} alone in the line after it`);
      value = lines.slice(at + 1, end).join('\n');
      at = end;
    }
    if (value.includes('\0')) return bad(number, 'has a NUL, which no variable can hold');
    if (value.includes('\ufffd') && !content.includes('\ufffd')) return bad(number, 'is not UTF-8');
    outputs.set(name, value);
    if (outputs.size > MOST_NAMES) return bad(number, `is one name too many; at most ${MOST_NAMES} are kept`);
  }
  return { ok: true, outputs: Object.fromEntries(outputs) };
}

/** `>>` of Windows PowerShell writes UTF-16, and other programs of Windows begin a text with a mark. */
function inUtf8(written: Buffer): Buffer {
  if (written[0] === 0xff && written[1] === 0xfe) return Buffer.from(written.subarray(2).toString('utf16le'));
  return written.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])) ? written.subarray(3) : written;
}

function linesOf(content: Buffer): string[] {
  const lines = content.toString('utf8').split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
