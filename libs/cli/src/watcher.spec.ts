import { describe, expect, test } from 'vitest';
import { buildWatcher } from './watcher.js';

const status = (percent: number, activity: string | null, more: { status?: string; error?: string } = {}) => ({ data: { id: 'b', status: more.status ?? 'building', percent, activity, error: more.error ?? null } });
const bytes = (text: string) => Buffer.from(text);

function screen(options: { isTTY: boolean; columns?: number }) {
  const written: string[] = [];
  return { ...options, write: (text: string | Uint8Array) => written.push(Buffer.from(text).toString()), text: () => written.join('') };
}
/** What a terminal shows in the end: CR and "clear to the end of the line" carried out. */
function shown(text: string): string[] {
  const lines = [''];
  for (const part of text.split(/(\r\u001b\[K|\n)/)) {
    if (part === '\n') lines.push('');
    else if (part === '\r\u001b[K') lines[lines.length - 1] = '';
    else lines[lines.length - 1] += part;
  }
  return lines;
}

describe('in a pipe', () => {
  test('plain lines, each once, and output a whole line at a time', () => {
    const to = screen({ isTTY: false });
    const watcher = buildWatcher(to);
    watcher.status(status(12, 'step 1 of 3: Test'));
    watcher.status(status(12, 'step 1 of 3: Test'));
    watcher.log(bytes('one\ntw'));
    watcher.status(status(40, 'step 2 of 3: Pack'));
    watcher.log(bytes('o\nthree'));
    watcher.status(status(100, null, { status: 'failed', error: 'exit 1' }));
    watcher.end();
    expect(to.text()).toBe('12% step 1 of 3: Test\none\n40% step 2 of 3: Pack\ntwo\n100% failed (exit 1)\nthree\n');
  });

  test('bytes pass as they are, even when a character is cut in two', () => {
    const to: Buffer[] = [];
    const watcher = buildWatcher({ isTTY: false, write: (text) => to.push(Buffer.from(text)) });
    const euro = bytes('€\n');
    watcher.log(euro.subarray(0, 1));
    watcher.log(euro.subarray(1));
    watcher.end();
    expect(Buffer.concat(to).equals(euro)).toBe(true);
  });

  test('a line without an end is not kept for ever', () => {
    const to = screen({ isTTY: false });
    const watcher = buildWatcher(to);
    watcher.log(bytes('x'.repeat(20_000)));
    expect(to.text().length).toBeGreaterThan(20_000);
    watcher.end();
  });
});

describe('on a terminal', () => {
  test('the bar stays in the last line, output scrolls above, and nothing of the bar is left', () => {
    const to = screen({ isTTY: true, columns: 60 });
    const watcher = buildWatcher(to);
    watcher.status(status(50, 'step 1 of 2: Test'));
    watcher.log(bytes('one\ntwo\npart'));
    expect(shown(to.text())).toEqual(['one', 'two', '[##########..........]  50%     0 s step 1 of 2: Test']);
    watcher.status(status(75, 'step 2 of 2: Pack'));
    expect(shown(to.text()).at(-1)).toBe('[###############.....]  75%     0 s step 2 of 2: Pack');
    watcher.end();
    expect(shown(to.text())).toEqual(['one', 'two', 'part', '']);
  });

  test('the bar is never as wide as the terminal, and its text can not move the cursor', () => {
    const to = screen({ isTTY: true, columns: 40 });
    const watcher = buildWatcher(to);
    watcher.status(status(1, `evil\u001b[2J\n${'x'.repeat(100)}`));
    const line = shown(to.text()).at(-1)!;
    expect(line.length).toBe(39);
    expect(line).not.toMatch(/[\u0000-\u001f]/);
    watcher.end();
    // What did not fit was shown in full, once.
    watcher.status(status(1, `evil\u001b[2J\n${'x'.repeat(100)}`));
    expect(shown(to.text())[0]).toBe(`evil [2J ${'x'.repeat(100)}`);
    expect(shown(to.text()).filter((text) => text.startsWith('evil'))).toHaveLength(1);
    watcher.end();
  });
});
