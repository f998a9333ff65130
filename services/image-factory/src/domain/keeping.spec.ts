import type { ImageEvent } from '@berth/contracts';
import { describe, expect, test } from 'vitest';
import { assigned, begun, built, channel, complete, ended, failed, fold, gone, id, leaving, pushing, requested, revoked, saved } from '../spec/image.testing.js';
import { expired } from './keeping.js';

const NOW = Date.parse('2030-02-01T00:00:00Z');
const DAY = 86_400_000;
/** Each version a day older than the next: the last one is of today. */
const asked = (last: number) => (version: string): number => NOW - (last - Array.from({ length: last }, (_, i) => id(i + 1)).indexOf(version) - 1) * DAY;
const gone_ = (keep: number, events: readonly ImageEvent[], last: number, maxAge?: number): number[] =>
  expired(fold([...events, saved(2, { retention: { keep, ...(maxAge !== undefined && { maxAge }) } })]), asked(last), NOW).map(({ number }) => number);
const versions = (count: number): ImageEvent[] => [...begun, ...Array.from({ length: count }, (_, i) => complete(i + 1, i === 0 ? null : i)).flat()];

describe('what is not kept any more', () => {
  test('is nothing where nothing was said', () => expect(expired(fold(versions(30)), asked(30), NOW)).toEqual([]));
  test('is all but so many of the newest', () => {
    expect(gone_(3, versions(6), 6)).toEqual([3, 2, 1]);
    expect(gone_(10, versions(6), 6)).toEqual([]);
  });
  test('only once it is old enough', () => {
    expect(gone_(2, versions(6), 6, 4 * DAY)).toEqual([2, 1]);
    expect(gone_(2, versions(6), 6, 10 * DAY)).toEqual([]);
  });
  test('is never what a channel points at, would go back to, or tests', () => {
    expect(gone_(1, [...versions(6), channel('stable', false), assigned(2, null, 'assign', 'stable'), assigned(3, 2, 'assign', 'stable')], 6)).toEqual([4, 1]);
    expect(gone_(1, [...versions(6), ...revoked(5)], 6)).toEqual([5, 3, 2, 1]);
    expect(gone_(1, [...versions(6), channel('tested', false, 'smoke'), { type: 'TestStarted', data: { channel: 'tested', version: id(2), build: id(99), plan: 'smoke', by: 'assign', attempt: 1 } }], 6)).toEqual([4, 3, 1]);
  });
  test('is never what is at work or is being removed already', () => {
    expect(gone_(1, [...versions(6), pushing(1)], 6)).toEqual([4, 3, 2]);
    expect(gone_(1, [...versions(6), leaving(1), leaving(1, { target: 'raw' }), leaving(2), gone(2)], 6)).toEqual([4, 3]);
  });
  test('leaves so many that may be used, however many newer ones were revoked', () => {
    const events = [...begun, ...[1, 2, 3, 4].flatMap((number) => built(number)), ...revoked(3), ...revoked(4)];
    expect(gone_(2, events, 4)).toEqual([]);
    expect(gone_(1, events, 4)).toEqual([3, 1]);
  });
  test('what has failed goes once so many newer ones are complete', () => {
    const broken = (number: number) => [...requested(number), failed(number), ended(number, 'FAILED')];
    expect(gone_(2, [...begun, ...broken(1), ...complete(2), ...complete(3, 2)], 3)).toEqual([1]);
    expect(gone_(2, [...begun, ...complete(1), ...broken(2), ...complete(3, 1)], 3)).toEqual([]);
    expect(gone_(2, [...begun, ...broken(1), ...complete(2)], 2)).toEqual([]);
  });
  test('is never what was imported', () => {
    expect(gone_(1, [...begun, { type: 'VersionImported', data: { version: id(1), number: 1, revision: 0, target: 'raw', account: 'a', id: 'x', labels: {} } }, ...complete(2), ...complete(3, 2), ...complete(4, 3)], 4)).toEqual([2]);
  });
});
