import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { catalogEntries } from '@berth/contracts';
import { kindNames, kindOf, kinds, specOf, type EntryView } from './kinds';

describe.each(kindNames)('a new %s', (kind) => {
  test('begins with an example that is accepted, and is edited as it was saved', () => {
    const said = parse(kinds[kind].example) as Record<string, unknown>;
    const saved = catalogEntries[kind].parse(said);
    const view = { ...saved, used: 2, modified: '2030-01-01T00:00:00Z', by: 'token:ci', ...(kind === 'account' && { target: 'raw' }), ...(kind === 'catalog' && { environment: 'prod', deployables: [] }), ...(kind === 'deployable' && { version: null, number: null, state: 'not_built' }) };
    expect(catalogEntries[kind].parse({ ...specOf(kind, view as EntryView), name: saved.name })).toEqual(saved);
  });

  test('is found by its path', () => expect(kindOf(kinds[kind].path)).toBe(kind));
});
