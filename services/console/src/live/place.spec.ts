import { headers as natsHeaders } from 'nats';
import { describe, expect, test } from 'vitest';
import { outputHeaders } from '@berth/contracts';
import { BEGINNING, goBack, take, type OutputStream, type Place } from './place.js';

function stored(sequence: number, stream: OutputStream, offset: number, text: string, cut?: number) {
  const headers = natsHeaders();
  headers.set(outputHeaders.stream, stream);
  headers.set(outputHeaders.offset, String(offset));
  if (cut !== undefined) headers.set(outputHeaders.cut, String(cut));
  return { sequence, data: Buffer.from(text), headers };
}
function all(...messages: ReturnType<typeof stored>[]): { text: string; place: Place } {
  let place = BEGINNING;
  let text = '';
  for (const message of messages) {
    const taken = take(place, message);
    place = taken.place;
    if (taken.chunk) text += Buffer.from(taken.chunk.bytes).toString();
  }
  return { text, place };
}

test('a chunk that does not say where it belongs is an error with its place', () => {
  expect(() => take(BEGINNING, { data: new Uint8Array(1), headers: undefined, sequence: 7 })).toThrow('output at 7');
});

describe('a cut', () => {
  test('is a line of text, once, and counts as output', () => {
    const { text, place } = all(stored(1, 'stdout', 0, 'abc'), stored(2, 'stdout', 3, '', 10), stored(3, 'stdout', 3, '', 10), stored(4, 'stdout', 13, 'def'));
    expect(text).toBe('abc\n[... 10 bytes left out ...]\ndef');
    expect(place.stdout).toMatchObject({ reached: 16, given: text.length });
  });

  test('that was stored before a chunk in front of it hides nothing of that', () => {
    const marker = (sequence: number) => stored(sequence, 'stdout', 200, '', 150);
    const early = 'a'.repeat(100);
    const late = 'b'.repeat(100);
    const { text } = all(stored(1, 'stdout', 0, early), marker(2), stored(3, 'stdout', 100, late), marker(4), stored(5, 'stdout', 350, 'end'));
    expect(text).toBe(`${early}${late}\n[... 150 bytes left out ...]\nend`);
  });

  test('of what was there in part before counts only the rest', () => {
    expect(all(stored(1, 'stdout', 0, 'abc\n'), stored(2, 'stdout', 2, '', 10), stored(3, 'stdout', 12, 'x')).text).toBe('abc\n[... 8 bytes left out ...]\nx');
    expect(all(stored(1, 'stdout', 0, 'abcdef'), stored(2, 'stdout', 2, '', 3)).text).toBe('abcdef');
  });
});

test('a hole is passed over, and accepted only by whoever goes back for it', () => {
  const { text, place } = all(stored(5, 'stdout', 0, 'a'), stored(6, 'stdout', 3, 'd'), stored(8, 'stderr', 0, 'E'));
  expect(text).toBe('aE');
  const back = goBack(place)!;
  expect(back.sequence).toBe(5);
  expect(Buffer.from(take(back, stored(6, 'stdout', 3, 'd')).chunk!.bytes).toString()).toBe('\n[... 2 bytes are missing ...]\nd');
  expect(goBack(all(stored(5, 'stdout', 0, 'a')).place)).toBeUndefined();
});
