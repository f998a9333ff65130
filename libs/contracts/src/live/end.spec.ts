import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventually } from '../../../../test/support/wait.js';
import { checkedBodies, type LiveEnding } from './bodies.js';
import { LiveEnd, WINDOW, type LiveListener } from './end.js';
import { encodeFrame, MOST_DATA, type LiveStream } from './frame.js';

interface Told {
  bytes: Record<LiveStream, Buffer[]>;
  opened: boolean;
  eof: boolean;
  ended?: LiveEnding & { by: 'us' | 'them' };
}

/** Two ends joined by a wire that may lose messages; a `gate` holds back what one of them takes. */
function pair(options: { lose?: (nth: number) => boolean; gate?: (bytes: Uint8Array) => Promise<void> | void; times?: { beatMs: number; silenceMs: number } } = {}) {
  const told = (): Told => ({ bytes: { in: [], out: [], err: [] }, opened: false, eof: false });
  const near = told();
  const far = told();
  const listener = (to: Told, gate?: (bytes: Uint8Array) => Promise<void> | void): LiveListener => ({
    async data(stream, bytes) {
      await gate?.(bytes);
      to.bytes[stream].push(Buffer.from(bytes));
    },
    opened: () => void (to.opened = true),
    eof: () => void (to.eof = true),
    ended: (ending, by) => void (to.ended = { ...ending, by }),
  });
  let sent = 0;
  let underWay = 0;
  let most = 0;
  const wire = (to: () => LiveEnd, counted: boolean) => (message: Uint8Array) => {
    expect(message.length).toBeLessThanOrEqual(64 * 1024);
    if (options.lose?.(sent++)) return;
    if (counted) most = Math.max(most, (underWay += message.length));
    queueMicrotask(() => to().receive(message));
  };
  const a: LiveEnd = new LiveEnd(wire(() => b, false), listener(near), checkedBodies, options.times);
  const b: LiveEnd = new LiveEnd(wire(() => a, true), listener(far, (bytes) => {
    underWay -= bytes.length;
    return options.gate?.(bytes);
  }), checkedBodies, options.times);
  return { a, b, near, far, most: () => most, open: () => (a.begin(), b.open()) };
}

const all = (parts: Buffer[]) => Buffer.concat(parts);

describe('a live session', () => {
  test('brings bytes of any size both ways, whole and in order, and the end behind the last of them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom<LiveStream>('out', 'err'), fc.oneof(fc.integer({ min: 0, max: 50 }), fc.constantFrom(MOST_DATA, MOST_DATA + 1, WINDOW - 1, WINDOW + 1))), { maxLength: 12 }), fc.integer(), async (parts, exitCode) => {
        const { a, b, near, open } = pair();
        open();
        const sent = { out: [] as Buffer[], err: [] as Buffer[] };
        for (const [nth, [stream, size]] of parts.entries()) {
          const bytes = Buffer.alloc(size, nth + 1);
          sent[stream as 'out' | 'err'].push(bytes);
          void b.write(stream, bytes);
        }
        b.close({ code: 'exit', message: 'It ended.', exitCode });
        await eventually(() => near.ended !== undefined && b.ended);
        expect(near.ended).toEqual({ code: 'exit', message: 'It ended.', exitCode, by: 'them' });
        for (const stream of ['out', 'err'] as const) expect(all(near.bytes[stream]).equals(all(sent[stream]))).toBe(true);
        expect([a.ended, await b.write('out', Buffer.alloc(1))]).toEqual([true, false]);
      }),
      { numRuns: 40 },
    );
  });

  test('sends no more than the other end has room for, however long that takes', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const { a, far, open } = pair({ gate: () => gate });
    open();
    let done = false;
    void a.write('in', Buffer.alloc(4 * WINDOW, 7)).then(() => (done = true));
    await new Promise(setImmediate);
    expect(done).toBe(false);
    expect(far.bytes.in).toEqual([]);
    release();
    await eventually(() => all(far.bytes.in).length === 4 * WINDOW);
    expect(done).toBe(true);
  });

  test('a message that is lost ends it, with the reason, at both ends; nothing that came after the gap is handed on', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 12 }), async (lost) => {
        const { a, near, far, b, open } = pair({ lose: (nth) => nth === lost, times: { beatMs: 5, silenceMs: 1000 } });
        open();
        const content = Buffer.from(Array.from({ length: 3 * WINDOW }, (_, i) => (i >> 4) & 255));
        void a.write('in', content);
        await eventually(() => a.ended && b.ended);
        expect([near.ended?.code, far.ended?.code]).toEqual(['lost-message', 'lost-message']);
        const came = all(far.bytes.in);
        expect(came.equals(content.subarray(0, came.length))).toBe(true);
      }),
      { numRuns: 11 },
    );
  });

  test('whoever begins says so until it is heard, and only then anything else', async () => {
    let lost = 0;
    const { a, far, b } = pair({ lose: (nth) => nth < 3 && ++lost > 0 });
    a.begin();
    a.resize({ columns: 100, rows: 30 });
    void a.write('in', Buffer.from('hello'));
    a.finish();
    await eventually(() => far.opened);
    expect(lost).toBe(3);
    b.open();
    await eventually(() => far.eof);
    expect(all(far.bytes.in).toString()).toBe('hello');
    a.abort({ code: 'done', message: 'Enough.' });
    await eventually(() => far.ended?.code === 'done');
  });

  test('an end that falls silent is noticed', async () => {
    let silent = false;
    const { near, far, a, b, open } = pair({ lose: () => silent, times: { beatMs: 10, silenceMs: 60 } });
    open();
    await a.write('in', Buffer.from('x'));
    silent = true;
    await eventually(() => a.ended && b.ended);
    expect([near.ended?.code, far.ended?.code]).toEqual(['gone', 'gone']);
  });

  test('an abort overtakes what waits, and what can not be handed on ends it', async () => {
    const { a, b, near, far, open } = pair({ gate: () => new Promise(() => undefined) });
    open();
    void a.write('in', Buffer.alloc(2 * WINDOW));
    a.abort({ code: 'cancelled', message: 'Its lease ended.' });
    await eventually(() => b.ended);
    expect([near.ended?.by, far.ended]).toEqual(['us', { code: 'cancelled', message: 'Its lease ended.', by: 'them' }]);

    const other = pair({ gate: () => Promise.reject(new Error('no such file')) });
    other.open();
    void other.a.write('in', Buffer.from('x'));
    await eventually(() => other.a.ended);
    expect(other.near.ended).toMatchObject({ code: 'broken', message: "It can't be passed on: no such file." });
  });

  test.each([
    ['no JSON where it belongs', Buffer.from([0, 0, 0, 0, 0, 123])],
    ['too short', Buffer.from([0])],
    ['of no known kind', Buffer.from([99, 0, 0, 0, 0])],
    ['more room than there was', encodeFrame({ type: 'room', bytes: 1 }, 0)],
    ['more bytes than there is room for', encodeFrame({ type: 'data', stream: 'in', bytes: Buffer.alloc(WINDOW + 1) }, 0)],
  ])('what is %s ends it', (_name, message) => {
    const { a, near } = pair();
    a.begin();
    a.receive(message);
    expect(near.ended?.code).toBe('protocol');
  });
});
