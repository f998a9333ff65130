import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTail } from '../runner/tail.js';
import { createTurns } from '../runner/turns.js';
import { HostError } from '../transports/errors.js';
import type { HostFiles } from '../transports/transport.js';
import { formsOf } from './forms.js';
import { beginAt, contextOf, handOn, type Taker } from './handing-on.js';
import { createMasker, maskText } from './masker.js';
import { patternsOf } from './patterns.js';

/** Few different bytes, so that secrets overlap with themselves, each other and what is around them. */
const few = (least: number, most: number) => fc.array(fc.constantFrom(...'aab\n+/ %'), { minLength: least, maxLength: most }).map((all) => Buffer.from(all.join('')));
const anyBytes = (least: number, most: number) => fc.uint8Array({ minLength: least, maxLength: most }).map((bytes) => Buffer.from(bytes));
const secret = fc.oneof(few(4, 14), anyBytes(4, 40));

interface Case {
  secrets: Buffer[];
  raw: Buffer;
}
/** A stream with secrets in it as they are, encoded, whole and in parts. */
const printed: fc.Arbitrary<Case> = fc.array(secret, { minLength: 1, maxLength: 3 }).chain((secrets) => {
  const forms = secrets.flatMap(formsOf);
  const part = fc.oneof(fc.constantFrom(...forms), fc.tuple(fc.constantFrom(...forms), fc.nat(20), fc.nat(20)).map(([form, from, to]) => form.subarray(from, to)), few(0, 10), anyBytes(0, 10));
  return fc.array(part, { maxLength: 12 }).map((parts) => ({ secrets, raw: Buffer.concat(parts) }));
});

/** Masks as simply as can be: every place of every form. */
function masked({ secrets, raw }: Case): Buffer {
  const result = Buffer.from(raw);
  for (const form of secrets.flatMap(formsOf)) for (let at = raw.indexOf(form); at !== -1; at = raw.indexOf(form, at + 1)) result.fill('*', at, at + form.length);
  return result;
}

/** Keeps what it takes where it belongs. */
function taking(size: number): Taker & { bytes: Buffer; holes: [number, number][] } {
  const self = {
    bytes: Buffer.alloc(size),
    holes: [] as [number, number][],
    reached: { stdout: 0, stderr: 0 },
    async chunk(_: 'stdout' | 'stderr', offset: number, bytes: Buffer) {
      if (offset !== self.reached.stdout || bytes.length === 0) throw new Error(`${bytes.length} bytes at ${offset} after ${self.reached.stdout}`);
      bytes.copy(self.bytes, offset);
      self.reached.stdout += bytes.length;
    },
    async cut(_: 'stdout' | 'stderr', offset: number, to: number) {
      if (offset !== self.reached.stdout || to <= offset) throw new Error(`a hole from ${offset} to ${to} after ${self.reached.stdout}`);
      self.holes.push([offset, to]);
      self.reached.stdout = to;
    },
  };
  return self;
}

/** Cuts a stream into pieces as the numbers say. */
function* pieces(raw: Buffer, from: number, cuts: readonly number[]): Generator<[number, Buffer]> {
  for (let at = from, index = 0; at < raw.length; index++) {
    const length = cuts.length === 0 ? raw.length : 1 + cuts[index % cuts.length]!;
    yield [at, raw.subarray(at, at + length)];
    at += length;
  }
}

describe('masking a stream', () => {
  const cuts = fc.array(fc.nat(30), { maxLength: 6 });

  it('hides every secret and changes nothing else, however it is cut and gone on with', async () => {
    await fc.assert(
      fc.asyncProperty(printed, cuts, fc.array(fc.nat(12), { maxLength: 4 }), fc.nat(5), async (about, lengths, lives, again) => {
        const patterns = patternsOf(about.secrets);
        const taken = taking(about.raw.length);
        // Each life of a gateway but the last ends after so many pieces, without a word.
        for (const life of [...lives, Infinity]) {
          const handing = handOn(patterns, taken);
          let left = life;
          for (const [offset, bytes] of pieces(about.raw, beginAt(patterns, taken.reached.stdout, again), lengths)) {
            if (left-- <= 0) break;
            const before = Buffer.from(bytes);
            await handing.chunk('stdout', offset, bytes);
            expect(bytes.equals(before)).toBe(true);
          }
          if (life === Infinity) await handing.end();
        }
        expect(taken.reached.stdout).toBe(about.raw.length);
        expect(taken.bytes.toString('latin1')).toBe(masked(about).toString('latin1'));
        for (const value of about.secrets) expect(taken.bytes.includes(value) && !value.every((byte) => byte === 0x2a)).toBe(false);
      }),
      { numRuns: 150 },
    );
  });

  it('holds back less than the longest form, and only what may be the beginning of one', () => {
    fc.assert(
      fc.property(printed, cuts, (about, lengths) => {
        const patterns = patternsOf(about.secrets);
        const masker = createMasker(patterns);
        let told = 0;
        for (const [offset, bytes] of pieces(about.raw, 0, lengths)) {
          told += masker.take(bytes)?.bytes.length ?? 0;
          const held = about.raw.subarray(told, offset + bytes.length);
          expect(held.length).toBeLessThan(patterns.longest);
          if (held.length > 0) expect(about.secrets.flatMap(formsOf).some((form) => form.length > held.length && form.subarray(0, held.length).equals(held))).toBe(true);
        }
      }),
      { numRuns: 120 },
    );
  });

  it('hides what begins or ends in a part that is left out', async () => {
    await fc.assert(
      fc.asyncProperty(printed, fc.integer({ min: 2, max: 60 }), fc.nat(40), fc.nat(4), async (about, limit, again, calls) => {
        const patterns = patternsOf(about.secrets);
        const taken = taking(about.raw.length);
        const stop = new AbortController();
        // The first life ends while the command runs, the second after so many chunks of the rest.
        for (const [last, most] of [[false, Infinity], [true, calls], [true, Infinity]] as const) {
          let left = most;
          const alive = () => (left-- > 0 ? Promise.resolve() : Promise.reject(new Error('killed')));
          const handing = handOn(patterns, { reached: taken.reached, chunk: (...of) => alive().then(() => taken.chunk(...of)), cut: (...of) => alive().then(() => taken.cut(...of)) });
          const from = beginAt(patterns, taken.reached.stdout, again);
          const tail = createTail({ from, limit, context: contextOf(patterns) }, { chunk: (offset, bytes) => handing.chunk('stdout', offset, bytes), cut: (to, next) => handing.cut('stdout', to, next) });
          const lived = tail.pump(fileOf(about.raw), 'out', { last, cancelled: () => false, reader: createTurns().enter('host'), stop: stop.signal }).then(() => tail.settle()).then(() => (last ? handing.end() : undefined));
          await (most === Infinity ? lived : lived.catch((error: unknown) => expect(error).toMatchObject({ message: 'killed' })));
        }
        const all = masked(about);
        const from = taken.holes[0]?.[0] ?? 0;
        const to = taken.holes[0]?.[1] ?? 0;
        expect(taken.reached.stdout).toBe(about.raw.length);
        expect(taken.bytes.subarray(0, from).toString('latin1')).toBe(all.subarray(0, from).toString('latin1'));
        expect(taken.bytes.subarray(to).toString('latin1')).toBe(all.subarray(to).toString('latin1'));
        if (to > 0) expect(about.raw.length - to).toBe(limit - Math.floor(limit / 2));
        if (about.raw.length <= limit) expect(to).toBe(0);
      }),
      { numRuns: 120 },
    );
  });

  it('tells nothing of a secret that began before it was asked to look', () => {
    fc.assert(
      fc.property(printed, fc.nat(100), cuts, (about, at, lengths) => {
        const from = Math.min(at, about.raw.length);
        const masker = createMasker(patternsOf(about.secrets), from);
        const all = masked(about);
        const told = [...pieces(about.raw, from, lengths)].map(([, bytes]) => masker.take(bytes));
        for (const piece of [...told, masker.end()]) if (piece) expect(piece.bytes.equals(all.subarray(piece.offset, piece.offset + piece.bytes.length))).toBe(true);
      }),
      { numRuns: 120 },
    );
  });

  it('passes on what is not secret at once, binary too', () => {
    const masker = createMasker(patternsOf([Buffer.from('correct horse')]));
    const noise = Buffer.from(Uint8Array.from({ length: 256 }, (_, byte) => byte));
    expect(masker.take(noise)).toEqual({ offset: 0, bytes: noise });
    expect(masker.take(Buffer.from('corr'))).toBeUndefined();
    expect(masker.take(Buffer.from('ode, correct ho'))?.bytes.toString()).toBe('corrode, ');
    expect(masker.take(Buffer.from('rse!'))?.bytes.toString()).toBe('*************!');
    expect(masker.take(Buffer.from('correct'))).toBeUndefined();
    expect(masker.end()).toEqual({ offset: 279, bytes: Buffer.from('correct') });
  });
});

describe('what a secret looks like', () => {
  it('is known in base64 wherever it stands', () => {
    fc.assert(
      fc.property(anyBytes(4, 40), anyBytes(0, 7), anyBytes(0, 7), fc.constantFrom('base64', 'base64url'), (value, before, after, encoding) => {
        const text = Buffer.concat([before, value, after]).toString(encoding as BufferEncoding);
        const from = Math.ceil((before.length * 8) / 6);
        const to = Math.floor(((before.length + value.length) * 8) / 6);
        expect(maskText(patternsOf([value]), text).slice(from, to)).toBe('*'.repeat(to - from));
      }),
    );
  });

  it.each([
    ['in a URL', 'p@ss/wörd 1', encodeURIComponent('p@ss/wörd 1')],
    ['in a form', 'p@ss/wörd 1', new URLSearchParams({ '': 'p@ss/wörd 1' }).toString().slice(1)],
    ['in JSON', 'a"b\\c\nd', JSON.stringify('a"b\\c\nd').slice(1, -1)],
    ['in JSON of letters alone', 'schlüssel', 'schl\\u00fcssel'],
    ['in a line of a shell', "it's me", `it'\\''s me`],
    ['one line of it', 'first line\nsecond line', 'second line'],
    ['one line of it, with less space around', '{\n  "key": "value"\n}', '"key": "value"'],
    ['one line of it, as base64', 'first line\nsecond line', Buffer.from('second line').toString('base64').slice(0, 14)],
  ])('is known %s', (_, value, text) => {
    expect(maskText(patternsOf([Buffer.from(value)]), `<${text}>`)).toBe(`<${'*'.repeat(Buffer.byteLength(text))}>`);
  });

  it('is known when base64 breaks it into lines', () => {
    const value = Buffer.from(Array.from({ length: 150 }, (_, index) => (index * 37) & 255));
    const lines = value.toString('base64').match(/.{1,76}/g)!;
    expect(maskText(patternsOf([value]), lines.join('\n')).split('\n').map((line) => /^\*+$/.test(line))).toEqual([true, true, true]);
  });

  it('is not a line that is too short', () => {
    expect(maskText(patternsOf([Buffer.from('long line\nabc\n}')]), 'abc } long line')).toBe('abc } *********');
  });
});

function fileOf(content: Buffer): HostFiles {
  const refuse = () => Promise.reject(new HostError('not-found', 'not here'));
  return {
    open: async () => ({ read: async (offset, length) => content.subarray(offset, offset + length), write: refuse, size: async () => content.length, close: async () => undefined }),
    stat: refuse, lstat: refuse, realpath: refuse, readdir: refuse, list: refuse, mkdir: refuse, rmdir: refuse, rename: refuse, unlink: refuse, chmod: refuse,
  };
}
