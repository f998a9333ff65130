import { catalogEntries, type CatalogEvent } from '@berth/contracts';
import { describe, expect, test } from 'vitest';
import { accountsFor, catalogDecider, decideCatalog, evolveCatalog, namersOf, noCatalog, placed, targetsFor, type CatalogCommand } from './catalog.js';

const cloud = catalogEntries.provider.parse({ name: 'cloud', kind: 'ec2' });
const disk = catalogEntries.provider.parse({ name: 'disk', kind: 'folder', target: 'raw', folder: '/srv/images' });
const here = catalogEntries.account.parse({ name: 'here', provider: 'cloud', region: 'eu-central-1' });
const shelf = catalogEntries.account.parse({ name: 'shelf', provider: 'disk' });
const prod = catalogEntries.environment.parse({ name: 'prod', accounts: ['here'] });
const pool = catalogEntries.pool.parse({ name: 'pool', environment: 'prod' });
const shop = catalogEntries.catalog.parse({ name: 'shop', pool: 'pool' });
const web = catalogEntries.deployable.parse({ name: 'web', image: 'web', catalogs: ['shop'] });

const events = {
  cloud: { type: 'ProviderSaved', data: cloud }, disk: { type: 'ProviderSaved', data: disk }, here: { type: 'AccountSaved', data: here }, shelf: { type: 'AccountSaved', data: shelf },
  prod: { type: 'EnvironmentSaved', data: prod }, pool: { type: 'PoolSaved', data: pool }, shop: { type: 'CatalogSaved', data: shop }, web: { type: 'DeployableSaved', data: web },
} as const satisfies Record<string, CatalogEvent>;
const all = Object.values(events);

const given = (...told: CatalogEvent[]) => {
  const state = told.reduce(evolveCatalog, noCatalog);
  return {
    state,
    when: (command: CatalogCommand) => {
      const decision = decideCatalog(command, state);
      return {
        then: (...expected: CatalogEvent[]) => expect(decision).toEqual(expected),
        thenRejected: (code: string, ...fields: string[]) => expect(decision).toMatchObject({ accepted: false, code, errors: fields.map((field) => ({ field: `data.${field}` })) }),
      };
    },
  };
};
const save = (kind: CatalogCommand['kind'], entry: object, more: object = {}) => ({ type: 'Save', kind, entry, ...more }) as CatalogCommand;
const remove = (kind: CatalogCommand['kind'], name: string, inUse?: string): CatalogCommand => ({ type: 'Remove', kind, name, ...(inUse !== undefined && { inUse }) });

describe('saving', () => {
  test('each kind once, when all that it names is there', () => {
    const kinds = { cloud: 'provider', disk: 'provider', here: 'account', shelf: 'account', prod: 'environment', pool: 'pool', shop: 'catalog', web: 'deployable' } as const;
    const told: CatalogEvent[] = [];
    for (const [name, kind] of Object.entries(kinds)) {
      const event = events[name as keyof typeof events];
      given(...told).when(save(kind, event.data)).then(event);
      told.push(event);
      given(...told).when(save(kind, event.data)).then();
    }
  });
  test('what it names must be there, and is told by field', () => {
    given().when(save('account', here)).thenRejected('unknown-provider', 'provider');
    given(events.cloud).when(save('environment', { ...prod, accounts: ['here', 'there'] })).thenRejected('unknown-account', 'accounts', 'accounts');
    given().when(save('pool', pool)).thenRejected('unknown-catalog-entry', 'environment');
    given().when(save('catalog', shop)).thenRejected('unknown-catalog-entry', 'pool');
    given().when(save('deployable', web)).thenRejected('unknown-catalog-entry', 'catalogs');
    given(...all).when(save('deployable', web, { imageThere: false })).thenRejected('unknown-image', 'image');
    given().when(save('deployable', web, { imageThere: false })).thenRejected('unknown-catalog-entry', 'catalogs', 'image');
  });
  test('an account has a region where its provider has, and no other', () => {
    const { region: _region, ...without } = here;
    given(events.cloud).when(save('account', without)).thenRejected('invalid-data', 'region');
    given(events.disk).when(save('account', { ...shelf, region: 'eu-central-1' })).thenRejected('invalid-data', 'region');
  });
  test('disks go to EC2 over a bucket', () => {
    given().when(save('provider', { ...cloud, target: 'raw' })).thenRejected('invalid-data', 'bucket');
  });
  test('an environment has no account that takes what it does not build', () => {
    given(events.cloud, events.here).when(save('environment', { ...prod, targets: ['oci'] })).thenRejected('invalid-data', 'accounts');
    given(events.cloud, events.here).when(save('environment', { ...prod, targets: ['ec2'] })).then({ type: 'EnvironmentSaved', data: { ...prod, targets: ['ec2'] } });
  });
  test('what accounts rely on stays while there are some', () => {
    given(events.disk, events.shelf).when(save('provider', { ...disk, target: 'oci' })).thenRejected('catalog-in-use', 'target');
    given(events.disk, events.shelf).when(save('provider', { ...cloud, name: 'disk' })).thenRejected('catalog-in-use', 'kind');
    const other = catalogEntries.provider.parse({ ...disk, target: 'oci' });
    given(events.disk).when(save('provider', other)).then({ type: 'ProviderSaved', data: other });
  });
});

describe('removing', () => {
  test('what nothing names, from the top', () => {
    const removed = (kind: CatalogCommand['kind'], name: string): CatalogEvent => ({ type: 'CatalogEntryRemoved', data: { kind, name } });
    const order = [['deployable', 'web'], ['catalog', 'shop'], ['pool', 'pool'], ['environment', 'prod'], ['account', 'here'], ['provider', 'cloud']] as const;
    const told: CatalogEvent[] = [...all];
    for (const [i, [kind, name]] of order.entries()) {
      for (const [under, other] of order.slice(i + 1)) given(...told).when(remove(under, other)).thenRejected('catalog-in-use', 'name');
      given(...told).when(remove(kind, name)).then(removed(kind, name));
      told.push(removed(kind, name));
      given(...told).when(remove(kind, name)).thenRejected('unknown-catalog-entry', 'name');
    }
  });
  test('not while something else needs it', () => given(events.disk, events.shelf).when(remove('account', 'shelf', 'image web, version 3')).thenRejected('catalog-in-use', 'name'));
  test('names what names it', () => {
    const { state } = given(...all);
    expect([namersOf(state, 'provider', 'cloud'), namersOf(state, 'account', 'here'), namersOf(state, 'deployable', 'web')]).toEqual([['account here'], ['environment prod'], []]);
  });
});

describe('where an image of an environment goes', () => {
  const { state } = given(...all, { type: 'EnvironmentSaved', data: { ...prod, name: 'any', accounts: [], targets: ['raw'] } });
  test('to its accounts, or to all that take what it builds; without an environment to all', () => {
    const names = (environment: string | undefined) => accountsFor(state, environment).map(({ account }) => account.name);
    expect([names('prod'), names('any'), names(undefined), names('not-there')]).toEqual([['here'], ['shelf'], ['here', 'shelf'], ['here', 'shelf']]);
  });
  test('of a template only what the environment has', () => {
    expect([targetsFor(state, ['raw', 'oci'], 'any'), targetsFor(state, ['raw', 'oci'], 'prod'), targetsFor(state, ['raw', 'oci'], undefined)]).toEqual([['raw'], ['raw', 'oci'], ['raw', 'oci']]);
  });
  test('an account with its provider', () => expect([placed(state, 'here'), placed(state, 'none')]).toEqual([{ account: here, provider: cloud }, undefined]));
});

test('each entry is said by itself, by its kind and its name, also when it is taken away', () => {
  const pool: CatalogEvent = { type: 'PoolSaved', data: catalogEntries.pool.parse({ name: 'shop', environment: 'prod' }) };
  const catalog: CatalogEvent = { type: 'CatalogSaved', data: catalogEntries.catalog.parse({ name: 'shop', pool: 'shop' }) };
  const gone: CatalogEvent = { type: 'CatalogEntryRemoved', data: { kind: 'pool', name: 'shop' } };
  expect([pool, catalog, gone].map(catalogDecider.says)).toEqual(['pool shop', 'catalog shop', 'pool shop']);
});
