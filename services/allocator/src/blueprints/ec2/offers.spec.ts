import { blueprintSpec, type BlueprintOf } from '@berth/contracts';
import { describe, expect, it } from 'vitest';
import { choose, drawn, offersOf } from './offers.js';

function spec(given: object): BlueprintOf<'ec2'> {
  return blueprintSpec.parse({
    kind: 'ec2',
    name: 'pool',
    region: 'eu-central-1',
    image: { ami: 'ami-01234567' },
    types: [{ type: 'c7i.large' }],
    user: 'ubuntu',
    credential: 'agent',
    ...given,
  }) as BlueprintOf<'ec2'>;
}
const names = (offers: readonly { name: string }[]): string[] => offers.map(({ name }) => name);
const both = [{ market: 'spot' }, { market: 'on-demand' }];
const zones = [{ zone: 'eu-central-1a' }, { zone: 'eu-central-1b' }];
const resources = Array.from({ length: 400 }, (_, n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`);

describe('offers', () => {
  it('are every market, in it every type, in it every zone', () => {
    const all = spec({ markets: both, zones, types: [{ type: 'c7i.large' }, { type: 'm7i.large' }] });
    expect(names(offersOf(all))).toEqual([
      'c7i.large/eu-central-1a/spot',
      'c7i.large/eu-central-1b/spot',
      'm7i.large/eu-central-1a/spot',
      'm7i.large/eu-central-1b/spot',
      'c7i.large/eu-central-1a/on-demand',
      'c7i.large/eu-central-1b/on-demand',
      'm7i.large/eu-central-1a/on-demand',
      'm7i.large/eu-central-1b/on-demand',
    ]);
  });

  it('tell what a host will be like, and the blueprint has the last word', () => {
    const [offer] = offersOf(spec({ zones: [zones[0]], types: [{ type: 'c7i.large', attributes: { cpus: 2, memory: '4GiB', market: 'x' } }], attributes: { team: 'core', remote: 'no' } }));
    expect(offer?.attributes).toEqual({
      cpus: '2',
      memory: '4GiB',
      instanceType: 'c7i.large',
      zone: 'eu-central-1a',
      market: 'on-demand',
      region: 'eu-central-1',
      os: 'linux',
      remote: 'no',
      preallocated: 'no',
      elastic: 'yes',
      team: 'core',
    });
  });

  it('without zones leave the zone to EC2, and name subnets where a zone has several', () => {
    const [anywhere] = offersOf(spec({}));
    expect(anywhere?.name).toBe('c7i.large/-/on-demand');
    expect(anywhere?.attributes).not.toHaveProperty('zone');
    const subnets = [{ zone: 'eu-central-1a', subnet: 'subnet-00000001' }, { zone: 'eu-central-1a', subnet: 'subnet-00000002' }, { zone: 'eu-central-1b', subnet: 'subnet-00000003' }];
    expect(names(offersOf(spec({ zones: subnets })))).toEqual(['c7i.large/eu-central-1a:subnet-00000001/on-demand', 'c7i.large/eu-central-1a:subnet-00000002/on-demand', 'c7i.large/eu-central-1b/on-demand']);
  });

  it('have a maximum price on the spot market only', () => {
    const offers = offersOf(spec({ markets: [{ market: 'spot', maxPrice: '0.05' }, { market: 'on-demand', maxPrice: '0.05' }] }));
    expect(offers.map(({ maxPrice }) => maxPrice)).toEqual(['0.05', undefined]);
  });

  it('name what is listed twice once', () => {
    expect(names(offersOf(spec({ types: [{ type: 'c7i.large' }, { type: 'c7i.large' }] })))).toEqual(['c7i.large/-/on-demand']);
  });
});

describe('the order of trying', () => {
  it('is the order of the lists when all weights are equal', () => {
    const all = spec({ markets: both.map((market) => ({ ...market, weight: 0 })), zones: zones.map((zone) => ({ ...zone, weight: 7 })) });
    for (const resource of resources) expect(names(drawn(all, resource))).toEqual(names(offersOf(all)));
  });

  it('is the same for a resource every time, and has every offer once', () => {
    const all = spec({ markets: [{ market: 'spot', weight: 3 }, { market: 'on-demand', weight: 1 }], types: [{ type: 'a1.large', weight: 1 }, { type: 'b1.large', weight: 2 }, { type: 'c1.large', weight: 5 }], zones });
    for (const resource of resources.slice(0, 20)) {
      expect(names(drawn(all, resource))).toEqual(names(drawn(all, resource)));
      expect(names(drawn(all, resource)).sort()).toEqual(names(offersOf(all)).sort());
    }
  });

  it('begins with each as often as its weight says', () => {
    const all = spec({ types: [{ type: 'a1.large', weight: 1 }, { type: 'b1.large', weight: 3 }] });
    const first = resources.filter((resource) => drawn(all, resource)[0]?.type === 'b1.large').length;
    // 300 of 400 are to be expected; the resources are fixed, so it is always the same number.
    expect(first).toBeGreaterThan(270);
    expect(first).toBeLessThan(330);
  });

  it('has weight 0 after all others, whatever list it is in', () => {
    const all = spec({ markets: [{ market: 'on-demand', weight: 0 }, { market: 'spot', weight: 1 }], types: [{ type: 'a1.large', weight: 0 }, { type: 'b1.large', weight: 1 }] });
    expect(names(drawn(all, resources[0]!))).toEqual(['b1.large/-/spot', 'a1.large/-/spot', 'b1.large/-/on-demand', 'a1.large/-/on-demand']);
    const mixed = spec({ markets: both, types: [{ type: 'a1.large', weight: 0 }, { type: 'b1.large', weight: 1 }] });
    expect(names(drawn(mixed, resources[0]!))).toEqual(['b1.large/-/spot', 'b1.large/-/on-demand', 'a1.large/-/spot', 'a1.large/-/on-demand']);
  });
});

describe('choosing', () => {
  const resource = resources[0]!;
  const now = Date.parse('2030-01-01T12:00:00Z');
  const all = spec({ markets: both, types: [{ type: 'c7i.large', attributes: { cpus: 2 } }, { type: 'c7i.xlarge', attributes: { cpus: 4 } }] });
  const refused = (...entries: [string, string][]): Map<string, string> => new Map(entries);

  it('takes the first that fits', () => {
    expect(choose(all, resource, {}, refused(), now)).toMatchObject({ is: 'offer', offer: { name: 'c7i.large/-/spot' } });
    expect(choose(all, resource, { cpus: '>=4', market: 'on-demand' }, refused(), now)).toMatchObject({ is: 'offer', offer: { name: 'c7i.xlarge/-/on-demand' } });
  });

  it('leaves out what is refused, until its time is over', () => {
    expect(choose(all, resource, {}, refused(['c7i.large/-/spot', '2030-01-01T12:00:01Z']), now)).toMatchObject({ offer: { name: 'c7i.xlarge/-/spot' } });
    expect(choose(all, resource, {}, refused(['c7i.large/-/spot', '2030-01-01T12:00:00Z']), now)).toMatchObject({ offer: { name: 'c7i.large/-/spot' } });
  });

  it('says until when all that fits is refused, the soonest first', () => {
    const wants = { cpus: '4' };
    const both4 = refused(['c7i.xlarge/-/spot', '2030-01-01T12:09:00Z'], ['c7i.xlarge/-/on-demand', '2030-01-01T12:05:00Z']);
    expect(choose(all, resource, wants, both4, now)).toEqual({ is: 'all-refused', until: [['c7i.xlarge/-/on-demand', '2030-01-01T12:05:00Z'], ['c7i.xlarge/-/spot', '2030-01-01T12:09:00Z']] });
  });

  it('takes one that says nothing of it where all others say something else', () => {
    const some = spec({ types: [{ type: 'c7i.large', attributes: { cpus: 2 } }, { type: 'm7i.large' }, { type: 'c7i.xlarge', attributes: { cpus: 4 } }] });
    expect(choose(some, resource, { cpus: '>=4' }, refused(), now)).toMatchObject({ offer: { name: 'c7i.xlarge/-/on-demand' } });
    expect(choose(some, resource, { cpus: '>=8' }, refused(), now)).toMatchObject({ offer: { name: 'm7i.large/-/on-demand' } });
  });

  it('says that nothing fits', () => {
    expect(choose(all, resource, { cpus: '>=8' }, refused(), now)).toEqual({ is: 'none-fits' });
  });
});
