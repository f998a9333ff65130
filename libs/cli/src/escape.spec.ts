import { expect, test } from 'vitest';
import { escapes } from './escape.js';

const typed = (...parts: string[]) => {
  const read = escapes();
  let sent = '';
  for (const part of parts) {
    const { bytes, leave } = read(Buffer.from(part));
    sent += bytes.toString();
    if (leave) return [sent, 'leaves'];
  }
  return [sent, 'stays'];
};

test.each([
  [['ls\r', '~.'], ['ls\r', 'leaves']],
  [['~.'], ['', 'leaves']],
  [['~', '.'], ['', 'leaves']],
  [['ls\r~', '.rest'], ['ls\r', 'leaves']],
  [['cd ~.\r'], ['cd ~.\r', 'stays']],
  [['~~.\r'], ['~.\r', 'stays']],
  [['~', 'x\r~\r~.'], ['~x\r~\r', 'leaves']],
  [['käse\n~user'], ['käse\n~user', 'stays']],
])('%j', (parts, expected) => expect(typed(...parts)).toEqual(expected));
