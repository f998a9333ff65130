import { derivedId } from '@berth/contracts';
import { describe, expect, test } from 'vitest';
import { whatBars, type TakenHost } from './takeover.js';

const mine = derivedId('lease', 'mine');
const lease = (n: number) => derivedId('lease', String(n));
const host = (more: Partial<TakenHost> = {}): TakenHost => ({ name: 'box', blueprint: 'preallocated', status: 'active', claims: [], reachable: true, held: false, ...more });
const live = (n: number) => ({ lease: lease(n), owner: `owner${n}`, over: false });
const over = (n: number) => ({ ...live(n), over: true });
const reason = (bar: ReturnType<typeof whatBars>) => bar?.explanation.reason;

describe('what keeps an exclusive lease from its machine', () => {
  test('nothing, once it is reserved and nobody is on it', () => expect(whatBars(mine, mine, host(), false)).toBeUndefined());
  test('that it is not reserved yet', () => expect(reason(whatBars(mine, undefined, host(), false))).toBe('machine box is being reserved'));
  test('that another one is first', () => expect(reason(whatBars(mine, lease(1), host(), true))).toBe('another exclusive lease comes first on machine box'));
  test('that it is not in service', () => expect(reason(whatBars(mine, mine, host({ status: 'released' }), true))).toBe('machine box is released'));

  test('who works on it is waited for, and named', () => {
    const bar = whatBars(mine, mine, host({ claims: [live(1), over(2)] }), false);
    expect(bar).toMatchObject({ evict: [], explanation: { verdict: 'wait', considered: [{ holders: [{ lease: lease(1), owner: 'owner1' }] }] } });
    expect(reason(bar)).toBe(`machine box is in use by owner1 (lease ${lease(1)})`);
  });

  test('who works on it is ended by force, and no more than that', () => {
    expect(whatBars(mine, mine, host({ claims: [live(1), over(2), live(3)] }), true)?.evict).toEqual([lease(1), lease(3)]);
  });

  test('nobody is ended for one that is not next', () => expect(whatBars(mine, lease(1), host({ claims: [live(2)] }), true)?.evict).toEqual([]));

  test('of many, three are named', () => {
    expect(reason(whatBars(mine, mine, host({ claims: [1, 2, 3, 4, 5].map(live) }), false))).toMatch(/owner3 \(lease \S+\) and 2 others$/);
  });

  describe('what ended leases have left on it', () => {
    test.each([
      ['is waited for while it is being removed', {}, false, 'machine box is being cleaned up after 1 lease'],
      ['is waited for by force too', {}, true, 'machine box is being cleaned up after 1 lease'],
      ['is waited for while it is held', { held: true }, false, 'machine box is held: what is left on it is kept'],
      ['is not waited for on a held machine that is taken by force', { held: true }, true, undefined],
      ['is not waited for where nothing answers', { reachable: false }, false, undefined],
    ])('%s', (_what, more, force, expected) => expect(reason(whatBars(mine, mine, host({ claims: [over(1)], ...more }), force))).toBe(expected));
  });

  test('who works on a machine that does not answer is waited for, and the wait says so', () => {
    expect(reason(whatBars(mine, mine, host({ claims: [live(1)], reachable: false }), false))).toBe(`machine box is in use by owner1 (lease ${lease(1)}), and does not answer`);
  });
});
