import { describe, expect, test } from 'vitest';
import { fault, read } from './report.testing.js';

const xml = (encoding: string): string => `<?xml version="1.0"${encoding === '' ? '' : ` encoding="${encoding}"`}?>\n<testsuite><testcase name="prüft €"><failure/></testcase></testsuite>`;
const tap = '1..1\nnot ok 1 - prüft €\n';
const utf16 = (text: string, big = false): Buffer => {
  const bytes = Buffer.from(text, 'utf16le');
  return big ? bytes.swap16() : bytes;
};
/** In windows-1252, which is what browsers, and so TextDecoder, take ISO-8859-1 for. */
const latin = (text: string): Buffer => Buffer.from(text.replaceAll('€', '\x80'), 'latin1');

describe('the encoding of a report', () => {
  test.each<[what: string, bytes: Buffer]>([
    ['UTF-8', Buffer.from(xml('UTF-8'))],
    ['UTF-8 that is not declared', Buffer.from(xml(''))],
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${xml('utf-8')}`)],
    ['UTF-8 that says utf-16, as programs on Windows do', Buffer.from(xml('utf-16'))],
    ['UTF-16, little end first', utf16(`\ufeff${xml('UTF-16')}`)],
    ['UTF-16, big end first', utf16(`\ufeff${xml('UTF-16')}`, true)],
    ['UTF-16 without a byte order mark', utf16(xml('UTF-16'))],
    ['UTF-16, big end first, without a byte order mark', utf16(xml('UTF-16'), true)],
    ['ISO-8859-1', latin(xml('ISO-8859-1'))],
    ['windows-1252', latin(xml('windows-1252'))],
    ['TAP as UTF-8', Buffer.from(tap)],
    ['TAP with a byte order mark', Buffer.from(`\ufeff${tap}`)],
    ['TAP as a PowerShell redirects it', utf16(`\ufeff${tap.replaceAll('\n', '\r\n')}`)],
    ['white space before the XML', Buffer.from(`\r\n \n${xml('UTF-8')}`)],
  ])('%s', (_what, bytes) => expect(read(bytes).findings).toMatchObject([{ name: 'prüft €' }]));

  test('bytes that are wrong in it do not make a report unreadable', () => {
    expect(read(Buffer.concat([Buffer.from('1..1\nnot ok 1 - a'), Buffer.from([0xff, 0xc3]), Buffer.from('b\n')])).findings).toMatchObject([{ name: 'a\ufffd\ufffdb' }]);
  });

  test.each<[what: string, bytes: Buffer, sentence: string]>([
    ['an encoding that does not exist', Buffer.from(xml('x-none')), 'is written in "x-none", an encoding that is not known here: have it written as UTF-8, or publish the file just as the program wrote it, after that program has ended'],
    ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x3c, 0, 0, 0]), 'is written in "UTF-32", an encoding that is not known here'],
    ['gzip', Buffer.from([0x1f, 0x8b, 8, 0]), 'is compressed (gzip): unpack it and publish the report that is in it'],
    ['ZIP', Buffer.from('PK\x03\x04'), 'is compressed (ZIP): unpack it and publish the report that is in it'],
    ['nothing', Buffer.alloc(0), 'is empty: look at the output of the program that should have written it'],
    ['white space', Buffer.from(' \r\n\n'), 'is empty: look at the output of the program that should have written it'],
    ['a byte order mark alone', Buffer.from([0xef, 0xbb, 0xbf]), 'is empty: look at the output of the program that should have written it'],
    ['something else', Buffer.from('hello'), 'is none of JUnit XML, TAP, SARIF and checkstyle XML: name the file that is meant'],
  ])('%s is refused', (_what, bytes, sentence) => expect(fault(bytes)).toContain(sentence));
});
