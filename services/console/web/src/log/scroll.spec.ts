import { describe, expect, it } from 'vitest';
import { heightOf, isScaled, offsetOf, ROW, scrollTopOf, seenAt } from './scroll.js';

describe('a short log', () => {
  const view = { rows: 1000, height: 400 };
  it('scrolls as anything does', () => {
    expect(isScaled(view)).toBe(false);
    expect(heightOf(view)).toBe(1000 * ROW);
    expect(offsetOf(view, 123)).toBe(123);
    expect(scrollTopOf(view, 123)).toBe(123);
    expect(scrollTopOf(view, 1e9)).toBe(1000 * ROW - 400);
    expect(seenAt(view, 180, 0)).toEqual([10, 33]);
    expect(seenAt(view, 0)).toEqual([0, 43]);
  });
});

describe('a log of ten million lines', () => {
  const view = { rows: 10_000_000, height: 720 };
  it('fits into what browsers can show, from the first row to the last', () => {
    expect(heightOf(view)).toBeLessThan(16_000_000);
    expect(offsetOf(view, 0)).toBe(0);
    expect(offsetOf(view, heightOf(view) - view.height)).toBe(view.rows * ROW - view.height);
    expect(seenAt(view, offsetOf(view, 1e9), 0)[1]).toBe(view.rows);
  });

  it('finds every row again, to within a row', () => {
    for (const row of [0, 1, 4_999_999, 9_999_000]) expect(Math.abs(offsetOf(view, scrollTopOf(view, row * ROW)) - row * ROW)).toBeLessThanOrEqual(1);
  });
});
