import { TextDecoder } from 'node:util';
import { asWritten, ReportFault } from './fault.js';

const starts: readonly [bytes: readonly number[], encoding: string][] = [
  [[0xff, 0xfe, 0, 0], 'UTF-32'], [[0, 0, 0xfe, 0xff], 'UTF-32'],
  [[0xef, 0xbb, 0xbf], 'utf-8'], [[0xff, 0xfe], 'utf-16le'], [[0xfe, 0xff], 'utf-16be'],
  // "<?" and "{" or "<" without a byte order mark.
  [[0x3c, 0, 0x3f, 0], 'utf-16le'], [[0, 0x3c, 0, 0x3f], 'utf-16be'],
];
const archives: readonly [bytes: readonly number[], what: string][] = [[[0x1f, 0x8b], 'gzip'], [[0x50, 0x4b, 3, 4], 'ZIP'], [[0x28, 0xb5, 0x2f, 0xfd], 'Zstandard']];

const begins = (bytes: Uint8Array, start: readonly number[]): boolean => start.every((byte, i) => bytes[i] === byte);

/**
 * The text of a report: by its byte order mark, by what its XML declaration says, otherwise UTF-8. Bytes that are wrong in
 * that encoding become U+FFFD: what a test printed does not make its report unreadable.
 * @throws {ReportFault}
 */
export function decode(bytes: Uint8Array): string {
  const archive = archives.find(([start]) => begins(bytes, start));
  if (archive) throw new ReportFault(`is compressed (${archive[1]}): unpack it and publish the report that is in it`);
  const encoding = starts.find(([start]) => begins(bytes, start))?.[1] ?? declared(bytes) ?? 'utf-8';
  const text = decodeAs(encoding, bytes);
  if (text.trimStart() === '') throw new ReportFault('is empty: look at the output of the program that should have written it');
  return text;
}

/** The encoding that an XML declaration names. Windows writes "utf-16" into files that are UTF-8: what can be read as a declaration is not UTF-16. */
function declared(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 256)).toString('latin1');
  const name = /^<\?xml\s[^>]*?encoding\s*=\s*["']([^"'>]*)["']/.exec(head)?.[1];
  return name === undefined || /^utf-?16/i.test(name) ? undefined : name;
}

/** Without its byte order mark, which TextDecoder takes away. */
function decodeAs(encoding: string, bytes: Uint8Array): string {
  try {
    const decoder = new TextDecoder(encoding);
    const text = decoder.decode(bytes);
    return decoder.encoding === 'windows-1252' ? text.replace(/[\x80-\x9f]/g, (char) => windows1252[char.charCodeAt(0) - 0x80]!) : text;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ReportFault(`is written in ${JSON.stringify(encoding.slice(0, 40))}, an encoding that is not known here: have it written as UTF-8, or ${asWritten}`);
  }
}

/** What 0x80 to 0x9f are in windows-1252, and so in what calls itself ISO-8859-1. Node 20 takes them for control characters. */
const windows1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';
