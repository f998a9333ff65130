import { describe, expect, test } from 'vitest';
import { blueprintSpec, pool } from '@berth/contracts';
import { misfit, poolNow } from './catalogue.js';

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

describe('what a blueprint may not say', () => {
  const cloud = (over: object) => blueprintSpec.parse({ name: 'cloud', kind: 'ec2', region: 'eu-central-1', image: { ami: 'ami-0123456789abcdef0' }, types: [{ type: 'c7i.large' }], user: 'admin', credential: 'agent', ...over });

  test.each([
    [{ pool: { minIdle: 5, max: 2 } }, 'spec.pool.minIdle', 'is 5, and there may be no more than 2 (pool.max)'],
    [{ pool: { minIdle: 5 }, limits: { resources: 4 } }, 'spec.pool.minIdle', 'no more than 4 (limits.resources)'],
    [{ pool: { schedule: [{ cron: '0 8 * * *', minIdle: 1 }, { cron: '0 9 * * *', minIdle: 3, max: 2 }] } }, 'spec.pool.schedule[1].minIdle', 'is 3, and there may be no more than 2 then'],
    [{ pool: { max: 2, schedule: [{ cron: '0 8 * * *', minIdle: 3 }] } }, 'spec.pool.schedule[0].minIdle', 'no more than 2 then'],
    [{ pool: { schedule: [{ cron: '61 * * * *' }] } }, 'spec.pool.schedule[0].cron', 'write five fields'],
    [{ pool: { schedule: [{ cron: '0 8 * * *', timezone: 'Europe/Atlantis' }] } }, 'spec.pool.schedule[0].cron', 'a timezone such as'],
  ])('%j', (over, field, message) => expect(misfit(cloud(over))).toEqual({ field, message: expect.stringContaining(message) }));

  test.each([{ pool: { minIdle: 2, max: 2 } }, { pool: { minIdle: 2, max: 4, schedule: [{ cron: '0 20 * * *', max: 0 }] } }, { pool: { minIdle: 2 }, limits: { resources: 2 } }])('but %j', (over) => expect(misfit(cloud(over))).toBeUndefined());

  test('the kind of a built-in one, or a second local', () => {
    expect(misfit(cloud({ name: 'local' }))).toMatchObject({ field: 'spec.kind' });
    expect(misfit(blueprintSpec.parse({ name: 'here', kind: 'local' }))).toMatchObject({ field: 'spec.name' });
  });
});
