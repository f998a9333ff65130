import { expect, test } from 'vitest';
import { LiveEnd, type LiveListener } from '@berth/contracts';
import { eventually } from '../../../../../test/support/wait';
import { TerminalEnd } from './end';
import { encode, MOST_DATA, type Ending } from './frame';

interface Told {
  bytes: Buffer[];
  sizes: unknown[];
  ended?: Ending;
}

/** The browser's end and the contracts' own, joined. */
function pair(more: { show?: () => Promise<void>; lose?: (nth: number) => boolean } = {}) {
  const near: Told = { bytes: [], sizes: [] };
  const far: Told = { bytes: [], sizes: [] };
  let sent = 0;
  const wire = (to: (message: Uint8Array) => void) => (message: Uint8Array) => {
    expect(message.length).toBeLessThanOrEqual(64 * 1024);
    if (!more.lose?.(sent++)) queueMicrotask(() => to(message));
  };
  const browser: TerminalEnd = new TerminalEnd(wire((message) => host.receive(message)), {
    async data(bytes) {
      await more.show?.();
      near.bytes.push(Buffer.from(bytes));
    },
    ended: (ending) => (near.ended = ending),
  });
  const listener: LiveListener = {
    opened: ({ size }) => void (size && far.sizes.push(size)),
    data: (_stream, bytes) => void far.bytes.push(bytes),
    resized: (size) => void far.sizes.push(size),
    ended: (ending) => void (far.ended = ending as Ending),
  };
  const host: LiveEnd = new LiveEnd(wire((message) => browser.receive(message)), listener);
  return { browser, host, near, far };
}

const all = (parts: Buffer[]) => Buffer.concat(parts);
const SIZE = { columns: 100, rows: 30 };

test('brings both ways what is larger than there is room for, in order, and the end behind it', async () => {
  const { browser, host, near, far } = pair({ show: () => new Promise(setImmediate) });
  browser.begin(SIZE);
  browser.resize({ columns: 120, rows: 40 });
  const typed = Buffer.from(Array.from({ length: 700_000 }, (_, i) => (i * 7) & 255));
  browser.write(typed);
  host.open();
  await eventually(() => all(far.bytes).equals(typed));
  expect(far.sizes).toEqual([SIZE, { columns: 120, rows: 40 }]);
  const printed = Buffer.from(Array.from({ length: 10 * MOST_DATA + 1 }, (_, i) => (i * 13) & 255));
  void host.write('out', printed);
  host.close({ code: 'exit', message: 'It ended.', exitCode: 3 });
  await eventually(() => near.ended !== undefined && host.ended);
  expect(all(near.bytes).equals(printed)).toBe(true);
  expect(near.ended).toEqual({ code: 'exit', message: 'It ended.', exitCode: 3 });
});

test('says that it is there until it is heard', async () => {
  let lost = 0;
  const { browser, host, far } = pair({ lose: (nth) => nth < 3 && ++lost > 0 });
  browser.begin(SIZE);
  browser.write(Buffer.from('ls\n'));
  await eventually(() => far.sizes.length > 0);
  host.open();
  await eventually(() => all(far.bytes).toString() === 'ls\n');
  expect(lost).toBe(3);
  browser.leave();
  await eventually(() => far.ended?.code === 'left');
});

test('a lost message ends it, with the reason, and nothing behind the gap is shown', async () => {
  const { browser, host, near } = pair({ lose: (nth) => nth === 3 });
  browser.begin(SIZE);
  host.open();
  void host.write('out', Buffer.from('one'));
  void host.write('out', Buffer.from('two'));
  void host.write('out', Buffer.from('three'));
  await eventually(() => near.ended?.code === 'lost-message' && host.ended);
  expect(['', 'one', 'onetwo']).toContain(all(near.bytes).toString());
});

test.each([['too short', new Uint8Array([1])], ['of no kind', new Uint8Array([99, 0, 0, 0, 0])], ['no JSON', new Uint8Array([0, 0, 0, 0, 0, 120])], ['more than there is room for', encode({ type: 'out', bytes: new Uint8Array(256 * 1024 + 1) }, 0)]])('what is %s ends it', (_name, message) => {
  const { browser, near } = pair();
  browser.begin(SIZE);
  browser.receive(message);
  expect(near.ended?.code).toBe('protocol');
});
