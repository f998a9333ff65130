import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodedCommand, argvQuote, nativePath, psQuote, sftpPath } from './quote.js';
import { argvOf, literalOf } from './rules.testing.js';

/** Arbitrary text without NUL, rich in what Windows' parsers treat as special. */
const text = fc
  .string({ unit: fc.oneof(fc.constantFrom(...`'"\\$\`%!^&|<>;()[]{}@,~*?#\n\r\t -=/\u2018\u2019\u201a\u201b\u201cä€😀`), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 })), maxLength: 60 })
  .filter((value) => !value.includes('\0'));

describe('quoting for Windows', () => {
  it('makes a PowerShell literal of any text', () => {
    fc.assert(fc.property(text, (value) => void expect(literalOf(psQuote(value))).toBe(value)), { numRuns: 2_000 });
  });

  it('makes one argument of any text, beside any others', () => {
    fc.assert(fc.property(fc.array(text, { minLength: 1, maxLength: 6 }), (values) => void expect(argvOf(`x.exe ${values.map(argvQuote).join(' ')}`)).toEqual(['x.exe', ...values])), { numRuns: 2_000 });
  });

  it.each([['', '""'], ['plain', 'plain'], ['a b', '"a b"'], ['a"b', '"a\\"b"'], ['a\\', 'a\\'], ['a b\\', '"a b\\\\"'], ['a\\"', '"a\\\\\\""'], ['C:\\x y\\', '"C:\\x y\\\\"']])('writes the argument %j as %j', (value, line) => {
    expect(argvQuote(value)).toBe(line);
  });

  it('makes a command out of letters and digits of any text', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(encodedCommand(value)).toMatch(/^[A-Za-z0-9+/=]*$/);
        expect(Buffer.from(encodedCommand(value), 'base64').toString('utf16le')).toBe(value);
      }),
    );
  });

  it('refuses a NUL', () => {
    for (const quote of [psQuote, argvQuote]) expect(() => quote('a\0b')).toThrowError(expect.objectContaining({ code: 'invalid-value' }));
  });

  it.each([
    ['/C:/Users/ci/.berth-host', 'C:\\Users\\ci\\.berth-host'],
    ['/d:/x y/z', 'd:\\x y\\z'],
    ['/C:/', 'C:\\'],
    ['/C:', 'C:\\'],
    ['/home/ci', '/home/ci'],
    ['/C:x', '/C:x'],
  ])('knows %s as %s', (sftp, native) => {
    expect(nativePath(sftp)).toBe(native);
  });

  it.each([['C:\\berth', '/C:/berth'], ['C:/berth/x', '/C:/berth/x'], ['C:\\berth\\', '/C:/berth'], ['D:\\', '/D:/'], ['~/.berth-host', '~/.berth-host'], ['/var/x', '/var/x'], ['ab:c', 'ab:c']])('takes the folder %s for %s', (given, path) => {
    expect(sftpPath(given)).toBe(path);
  });

  it('gives paths back as they were', () => {
    const path = fc.tuple(fc.constantFrom('C', 'd', 'Z'), fc.array(fc.stringMatching(/^[A-Za-z0-9 ._'&%!^()-]+$/), { minLength: 1, maxLength: 5 })).map(([drive, parts]) => `/${drive}:/${parts.join('/')}`);
    fc.assert(fc.property(path, (value) => void expect(sftpPath(nativePath(value))).toBe(value)));
  });
});
