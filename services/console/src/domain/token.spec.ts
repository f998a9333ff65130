import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TokenEvent } from '@berth/contracts';
import { BUILT_IN, decide, evolve, isOpen, tokenDecider, type Token, type TokenCommand } from './token.js';

const [ID, OTHER] = ['7d3f1a52-9c1e-4b7a-8f60-0a4f8d2c1b11', '7d3f1a52-9c1e-4b7a-8f60-0a4f8d2c1b12'] as const;
const token = { id: ID, role: 'builder', projects: ['compilers'], expires: '2030-01-02T00:00:00Z', sha256: 'a'.repeat(64) } as const;
const forEver = { id: ID, role: 'viewer', projects: null, sha256: 'b'.repeat(64) } as const;
const DAY = { zero: '2030-01-01T00:00:00Z', later: '2030-01-01T00:59:59.999Z', hour: '2030-01-01T01:00:00Z', over: '2030-01-02T00:00:00Z' };

const created: TokenEvent = { type: 'TokenCreated', data: { ...token, projects: [...token.projects] } };
const endless: TokenEvent = { type: 'TokenCreated', data: forEver };
const used: TokenEvent = { type: 'TokenUsed', data: { at: DAY.zero } };
const revoked: TokenEvent = { type: 'TokenRevoked', data: {} };

const given = (...events: readonly TokenEvent[]) => {
  const state = events.reduce(evolve, tokenDecider.initial);
  return {
    state,
    when: (command: TokenCommand) => {
      const decision = decide(command, state);
      return {
        then: (...expected: TokenEvent[]) => expect(decision).toEqual(expected),
        thenRejected: (code: string, field: string) => expect(decision).toMatchObject({ accepted: false, code, errors: [{ field }] }),
      };
    },
  };
};
const create = (id: string = ID, now: string = DAY.zero, name = 'ci'): TokenCommand => ({ type: 'Create', name, token: { ...token, id, projects: [...token.projects] }, now });
const use = (now: string, id: string = ID): TokenCommand => ({ type: 'Use', id, now });
const revoke: TokenCommand = { type: 'Revoke', name: 'ci' };

describe('a token is made', () => {
  test('once, whatever is sent again', () => {
    given().when(create()).then(created);
    given(created).when(create()).then();
    given(created, revoked).when(create()).then();
  });
  test('under a name that no other open one has', () => {
    given(created).when(create(OTHER)).thenRejected('name-taken', 'data.name');
    given(endless).when(create(OTHER, '2999-01-01T00:00:00Z')).thenRejected('name-taken', 'data.name');
    given(created, used).when(create(OTHER)).thenRejected('name-taken', 'data.name');
    const another: TokenEvent = { type: 'TokenCreated', data: { ...created.data, id: OTHER, expires: '2031-01-01T00:00:00Z' } };
    const later = { ...create(OTHER, DAY.over), token: another.data } as TokenCommand;
    given(created).when(later).then(another);
    given(created, revoked).when(later).then(another);
  });
  test('but not under that of the installation, nor when its time is up already', () => {
    given().when(create(ID, DAY.zero, BUILT_IN)).thenRejected('name-taken', 'data.name');
    given().when(create(ID, DAY.over)).thenRejected('invalid-data', 'data.expires');
  });
});

describe('its use', () => {
  test('is noted once an hour', () => {
    given(created).when(use(DAY.zero)).then(used);
    given(created, used).when(use(DAY.later)).then();
    given(created, used).when(use(DAY.hour)).then({ type: 'TokenUsed', data: { at: DAY.hour } });
  });
  test('is none of one that ended, or of another of that name', () => {
    given().when(use(DAY.zero)).then();
    given(created, revoked).when(use(DAY.zero)).then();
    given(created).when(use(DAY.zero, OTHER)).then();
  });
});

describe('it is revoked', () => {
  test('for good', () => {
    given(created).when(revoke).then(revoked);
    given(created, used).when(revoke).then(revoked);
    given(created, revoked).when(revoke).then();
    given().when(revoke).thenRejected('unknown-token', 'data.token');
  });
});

test('it opens until it is revoked or its time is up', () => {
  expect(isOpen(given().state, DAY.zero)).toBe(false);
  expect(isOpen(given(created).state, DAY.hour)).toBe(true);
  expect(isOpen(given(created).state, DAY.over)).toBe(false);
  expect(isOpen(given(endless).state, '2999-01-01T00:00:00Z')).toBe(true);
  expect(isOpen(given(created, revoked).state, DAY.zero)).toBe(false);
});

test('whatever is told in whatever order: what is decided can be folded, and a second time decides nothing', () => {
  const instant = fc.integer({ min: 0, max: 100 }).map((hours) => new Date(Date.UTC(2030, 0, 1, hours)).toISOString());
  const id = fc.constantFrom(ID, OTHER);
  const command: fc.Arbitrary<TokenCommand> = fc.oneof(fc.tuple(id, instant).map(([own, now]) => create(own, now)), fc.tuple(id, instant).map(([own, now]) => use(now, own)), fc.constant(revoke));
  fc.assert(
    fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
      let state: Token = tokenDecider.initial;
      for (const one of commands) {
        const decision = decide(one, state);
        if ('accepted' in decision) continue;
        state = decision.reduce(evolve, state);
        expect(decide(one, state)).toEqual([]);
      }
    }),
  );
});
