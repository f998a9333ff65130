import { describe, expect, test } from 'vitest';
import { pool } from '@berth/contracts';
import { poolNow } from './catalogue.js';

describe('what a pool keeps now', () => {
  const week = pool.parse({ minIdle: 1, max: 10, schedule: [{ cron: '0 8 * * 1-5', minIdle: 5 }, { cron: '0 18 * * 1-5', minIdle: 0, max: 2 }] });

  test.each([
    ['in the morning of a Monday', '2030-01-07T09:00:00Z', { minIdle: 5, max: 10 }],
    ['in its evening', '2030-01-07T18:00:00Z', { minIdle: 0, max: 2 }],
    ['a second before that', '2030-01-07T17:59:59Z', { minIdle: 5, max: 10 }],
    ['on Sunday: what was due last on Friday still holds', '2030-01-06T12:00:00Z', { minIdle: 0, max: 2 }],
  ])('%s', (_, now, kept) => expect(poolNow(week, new Date(now))).toEqual(kept));

  test('goes by the zone of the entry', () => {
    const berlin = pool.parse({ schedule: [{ cron: '0 8 * * *', timezone: 'Europe/Berlin', minIdle: 5 }, { cron: '0 18 * * *', timezone: 'Europe/Berlin', minIdle: 0 }] });
    expect(poolNow(berlin, new Date('2030-01-07T07:30:00Z')).minIdle).toBe(5);
    expect(poolNow(berlin, new Date('2030-07-08T06:30:00Z')).minIdle).toBe(5);
    expect(poolNow(berlin, new Date('2030-01-07T06:30:00Z')).minIdle).toBe(0);
  });

  test('is its own values where there is no schedule', () => {
    expect(poolNow(pool.parse({ minIdle: 3 }), new Date())).toEqual({ minIdle: 3 });
  });
});
