import { describe, expect, test } from 'vitest';
import { partsWatcher, type Part } from './image-watcher.js';

function screen(options: { isTTY: boolean; columns?: number }) {
  const written: string[] = [];
  return { ...options, write: (text: string | Uint8Array) => written.push(Buffer.from(text).toString()), text: () => written.join('') };
}
const part = (name: string, status: Part['status'], percent: number, activity: string | null = null, error: string | null = null): Part => ({ name, status, percent, activity, error });
const course: Part[][] = [
  [part('raw', 'PENDING', 0), part('oci', 'BUILDING', 10, 'installs\npackages')],
  [part('raw', 'BUILDING', 40, 'writes the disk'), part('oci', 'BUILDING', 10, 'installs\npackages')],
  [part('raw', 'COMPLETE', 100), part('oci', 'BUILDING', 60, 'packs')],
  [part('raw', 'COMPLETE', 100), part('oci', 'FAILED', 60, null, 'no space left')],
];

test('in a pipe: a plain line for each change, and nothing that moves the cursor', () => {
  const to = screen({ isTTY: false });
  const watcher = partsWatcher(to);
  for (const parts of course) watcher.show(parts);
  watcher.end();
  expect(to.text()).toBe('raw: PENDING 0%\noci: BUILDING 10% installs packages\nraw: BUILDING 40% writes the disk\nraw: COMPLETE\noci: BUILDING 60% packs\noci: FAILED: no space left\n');
});

describe('on a terminal', () => {
  test('a bar for all of them, lines above it only for what begins or ends, and nothing of the bar in the end', () => {
    const to = screen({ isTTY: true, columns: 90 });
    const watcher = partsWatcher(to);
    watcher.show(course[0]!);
    expect(to.text().split('\r\u001b[K').at(-1)).toMatch(/^\[#+\.+\] {3}5% +0 s raw: PENDING \(2 under way\)$/);
    for (const parts of course.slice(1)) watcher.show(parts);
    expect(to.text().split('\r\u001b[K').at(-1)).toMatch(/^\[#+\.+\] {2}80% +0 s done$/);
    watcher.end();
    const lines = [''];
    for (const piece of to.text().split(/(\r\u001b\[K|\n)/)) {
      if (piece === '\n') lines.push('');
      else if (piece === '\r\u001b[K') lines[lines.length - 1] = '';
      else lines[lines.length - 1] += piece;
    }
    expect(lines).toEqual(['raw: PENDING 0%', 'oci: BUILDING 10% installs packages', 'raw: BUILDING 40% writes the disk', 'raw: COMPLETE', 'oci: FAILED: no space left', '']);
  });

  test('nothing to follow draws nothing', () => {
    const to = screen({ isTTY: true, columns: 90 });
    const watcher = partsWatcher(to);
    watcher.show([]);
    watcher.end();
    expect(to.text()).toBe('');
  });
});
