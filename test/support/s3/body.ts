import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { IncomingHttpHeaders } from 'node:http';
import { headerText } from '../sigv4.js';
import { S3Refusal } from './refusal.js';
import { UNSIGNED_TRAILER } from './signature.js';

const CHECKSUM = 'x-amz-checksum-';

/** Base64 of the CRC-32 of the bytes, the highest byte first. */
export function crcOf(bytes: Buffer): string {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(crc32(bytes));
  return out.toString('base64');
}

const algorithms: Readonly<Record<string, (bytes: Buffer) => string>> = {
  crc32: crcOf,
  sha1: (bytes) => createHash('sha1').update(bytes).digest('base64'),
  sha256: (bytes) => createHash('sha256').update(bytes).digest('base64'),
};

/**
 * The bytes that a body stands for, once every checksum that came with them is right ("Checking object integrity in Amazon
 * S3", User Guide).
 * @throws S3Refusal
 */
export function contentOf(headers: IncomingHttpHeaders, body: Buffer): Buffer {
  const chunked = headers['x-amz-content-sha256'] === UNSIGNED_TRAILER;
  if (chunked !== /(^|,) *aws-chunked *(,|$)/.test(headerText(headers['content-encoding']))) throw new S3Refusal('InvalidRequest', 'Content-Encoding aws-chunked and x-amz-content-sha256 must go together.');
  const { bytes, trailers } = chunked ? unchunked(body) : { bytes: body, trailers: new Map<string, string>() };
  if (chunked) {
    if (headers['x-amz-decoded-content-length'] === undefined) throw new S3Refusal('MissingContentLength', 'You must provide the Content-Length HTTP header.');
    if (Number(headers['x-amz-decoded-content-length']) !== bytes.length) throw new S3Refusal('IncompleteBody', 'The request body terminated unexpectedly');
    const announced = headerText(headers['x-amz-trailer']).split(',').map((name) => name.trim()).filter((name) => name !== '');
    if (announced.join() !== [...trailers.keys()].join()) throw new S3Refusal('MalformedTrailerError', 'The request contained trailing data that was not well-formed or did not conform to our published schema.');
  }
  for (const [name, value] of [...Object.entries(headers), ...trailers]) {
    if (name === 'content-md5' && value !== createHash('md5').update(bytes).digest('base64')) throw new S3Refusal('BadDigest', 'The Content-MD5 you specified did not match what we received.');
    if (!name.startsWith(CHECKSUM) || name === `${CHECKSUM}algorithm` || name === `${CHECKSUM}mode` || name === `${CHECKSUM}type`) continue;
    const kind = name.slice(CHECKSUM.length);
    const algorithm = algorithms[kind];
    if (!algorithm) throw new S3Refusal('UnsupportedByStandIn', `the stand-in does not know the checksum ${kind}`);
    if (algorithm(bytes) !== headerText(value)) throw new S3Refusal('BadDigest', `The ${kind.toUpperCase()} you specified did not match the calculated checksum.`);
  }
  return bytes;
}

/** "Transferring payload in multiple chunks" (API Reference): length in hexadecimal, bytes, and trailers after the last one. */
function unchunked(body: Buffer): { bytes: Buffer; trailers: Map<string, string> } {
  const broken = (): S3Refusal => new S3Refusal('IncompleteBody', 'The request body terminated unexpectedly');
  const chunks: Buffer[] = [];
  let at = 0;
  const line = (): string => {
    const end = body.indexOf('\r\n', at);
    if (end < 0) throw broken();
    const text = body.toString('latin1', at, end);
    at = end + 2;
    return text;
  };
  for (;;) {
    const head = line();
    if (!/^[0-9a-f]+$/i.test(head)) throw broken();
    const length = Number.parseInt(head, 16);
    if (length === 0) break;
    if (at + length + 2 > body.length || body.toString('latin1', at + length, at + length + 2) !== '\r\n') throw broken();
    chunks.push(body.subarray(at, at + length));
    at += length + 2;
  }
  const trailers = new Map<string, string>();
  for (let text = line(); text !== ''; text = line()) trailers.set(text.slice(0, text.indexOf(':')).toLowerCase(), text.slice(text.indexOf(':') + 1).trim());
  return { bytes: Buffer.concat(chunks), trailers };
}
