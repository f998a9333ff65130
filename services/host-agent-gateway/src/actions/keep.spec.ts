import type { Report } from '@berth/contracts';
import { describe, expect, it } from 'vitest';
import { size, some } from '../files/fault.js';
import type { Found } from '../files/find.js';
import { namesOf } from './keep.js';
import { bounded } from './read-report.js';

const file = (path: string, more: Partial<Found> = {}): Found => ({ path, real: `/r/${path}`, bytes: 1, below: path.split('/').at(-1) ?? '', named: false, ...more });
const names = (found: Found[], paths: string[], name?: string) => namesOf(found, { paths, prefix: 'p/1', name, maxFiles: 1000 }).map((one) => one.name);

describe('what kept files are called', () => {
  it('is their own name, or the one that is given, when there is one', () => {
    expect(names([file('out/a', { named: true })], ['out/a'])).toEqual(['a']);
    expect(names([file('out/a', { named: true })], ['out/a'], 'x/b')).toEqual(['x/b']);
    expect(names([file('out/a')], ['out/*'], 'x')).toEqual(['x/a']);
    expect(names([file('out/a', { named: true })], ['out/a', 'none'], 'x')).toEqual(['x/a']);
    expect(namesOf([file('out/a', { named: true })], { paths: ['out/a'], prefix: 'p/1', folder: 'f', maxFiles: 1 })[0]?.name).toBe('f/a');
  });

  it('is never the same twice, never upwards, and nothing that breaks a line', () => {
    expect(names([file('a/x'), file('a/x')], ['a', 'a/*'])).toEqual(['x']);
    expect(() => names([file('a/x'), file('b/x')], ['a', 'b'])).toThrowError(expect.objectContaining({ code: 'same-name' }));
    for (const [found, name] of [[file('a/x\ny'), undefined], [file('a/x'), '..'], [file('a/x'), 'a//b'], [file('a/x'), '/a'], [file(`a/${'x'.repeat(1100)}`), undefined]] as const) {
      expect(() => names([found], ['a/*'], name)).toThrowError(expect.objectContaining({ code: 'bad-name', message: expect.not.stringMatching(/\n/) }));
    }
  });

  it('fits into the event that tells of it', () => {
    const long = Array.from({ length: 900 }, (_, index) => file(`a/${index}`, { below: `${index}${'/é'.repeat(250)}` }));
    expect(() => names(long, ['a'])).toThrowError(expect.objectContaining({ code: 'too-large', message: expect.stringContaining('one archive') }));
  });
});

describe('a report', () => {
  it('has as many findings as there is room for, and counts the others', () => {
    const report: Report = { format: 'junit', kind: 'tests', tests: { total: 3, passed: 0, failed: 3, skipped: 0, broken: 0 }, more: 2, findings: ['a', 'b', 'c'].map((name) => ({ kind: 'test', name: name.repeat(100), outcome: 'failed' })) };
    expect(bounded(report, 10_000)).toBe(report);
    const less = bounded(report, 450);
    expect([less.findings.length, less.more]).toEqual([2, 3]);
    expect(JSON.stringify(less).length).toBeLessThanOrEqual(450);
  });
});

describe('in a sentence', () => {
  it.each([[0, '0 bytes'], [1, '1 byte'], [1023, '1023 bytes'], [1024, '1.0 KiB'], [1_048_575, '1.0 MiB'], [12_897_485, '12.3 MiB'], [3 * 1024 ** 4, '3.0 TiB'], [5000 * 1024 ** 4, '5000.0 TiB']])('%s is %s', (bytes, text) => expect(size(bytes)).toBe(text));
  it('some stand for all', () => expect([some(['a', 'b']), some(['a', 'b', 'c'], 2)]).toEqual(['a, b', 'a, b and 1 more']));
});
