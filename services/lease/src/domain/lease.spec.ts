import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leaseRequest, type LeaseEvent } from '@berth/contracts';
import { decide, evolve, leaseDecider, type Lease, type LeaseCommand } from './lease.js';
import { leaseStatus } from './status.js';

const request = leaseRequest.parse({ type: 'host', owner: 'ada', until: '2030-01-01T01:00:00Z' });
const grant = { resource: '7f8c1d66-0000-5000-8000-000000000001', blueprint: 'preallocated', slot: 0, token: 42 } as const;

const requested: LeaseEvent = { type: 'LeaseRequested', data: request };
const acquired: LeaseEvent = { type: 'LeaseAcquired', data: grant };
const activated: LeaseEvent = { type: 'LeaseActivated', data: {} };
const released: LeaseEvent = { type: 'LeaseReleased', data: { reason: 'done', expired: false } };
const expired: LeaseEvent = { type: 'LeaseReleased', data: { reason: 'its time was up at 2030-01-01T01:00:00Z', expired: true } };
const broken: LeaseEvent = { type: 'LeaseBroken', data: { error: 'no disk' } };
const destroyed: LeaseEvent = { type: 'LeaseDestroyed', data: {} };

const histories = {
  none: [],
  pending: [requested],
  acquired: [requested, acquired],
  active: [requested, acquired, activated],
  released: [requested, acquired, activated, released],
  broken: [requested, acquired, broken],
  destroyed: [requested, acquired, activated, released, destroyed],
} satisfies Record<Lease['status'], LeaseEvent[]>;

const given = (events: readonly LeaseEvent[]) => {
  const state = events.reduce(evolve, leaseDecider.initial);
  return {
    when: (command: LeaseCommand) => {
      const decision = decide(command, state);
      return {
        then: (...expected: LeaseEvent[]) => expect(decision).toEqual(expected),
        thenRejected: (code: string) => expect(decision).toMatchObject({ accepted: false, code }),
      };
    },
  };
};

const commands = {
  request: { type: 'Request', request },
  renew: { type: 'Renew', until: '2030-01-01T02:00:00Z', now: '2030-01-01T00:00:00Z' },
  release: { type: 'Release', reason: 'done' },
  expireEarly: { type: 'Expire', now: '2030-01-01T00:59:59Z' },
  expire: { type: 'Expire', now: '2030-01-01T01:00:00Z' },
  explain: { type: 'Explain', reason: 'all taken' },
  claim: { type: 'Claim', grant, ready: false },
  claimReady: { type: 'Claim', grant, ready: true },
  ready: { type: 'Ready', resource: grant.resource },
  readyOther: { type: 'Ready', resource: 'another' },
  break: { type: 'Break', resource: grant.resource, error: 'no disk' },
  freed: { type: 'Freed', token: 42 },
  freedOther: { type: 'Freed', token: 41 },
} as const satisfies Record<string, LeaseCommand>;

const renewed: LeaseEvent = { type: 'LeaseRenewed', data: { until: '2030-01-01T02:00:00Z' } };
const waiting: LeaseEvent = { type: 'LeaseWaiting', data: { reason: 'all taken' } };
type Row = Record<keyof typeof commands, LeaseEvent[] | string>;
/** What follows from each command in each state: events, or the code of a refusal. */
const table: Record<Lease['status'], Row> = {
  none: { request: [requested], renew: 'unknown-lease', release: 'unknown-lease', expireEarly: [], expire: [], explain: [], claim: [], claimReady: [], ready: [], readyOther: [], break: [], freed: [], freedOther: [] },
  pending: { request: [], renew: [renewed], release: [released, destroyed], expireEarly: [], expire: [expired, destroyed], explain: [waiting], claim: [acquired], claimReady: [acquired, activated], ready: [], readyOther: [], break: [], freed: [], freedOther: [] },
  acquired: { request: [], renew: [renewed], release: [released], expireEarly: [], expire: [expired], explain: [], claim: [], claimReady: [], ready: [activated], readyOther: [], break: [broken], freed: [], freedOther: [] },
  active: { request: [], renew: [renewed], release: [released], expireEarly: [], expire: [expired], explain: [], claim: [], claimReady: [], ready: [], readyOther: [], break: [broken], freed: [], freedOther: [] },
  released: { request: [], renew: 'lease-ended', release: [], expireEarly: [], expire: [], explain: [], claim: [], claimReady: [], ready: [], readyOther: [], break: [], freed: [destroyed], freedOther: [] },
  broken: { request: [], renew: 'lease-ended', release: [], expireEarly: [], expire: [], explain: [], claim: [], claimReady: [], ready: [], readyOther: [], break: [], freed: [destroyed], freedOther: [] },
  destroyed: { request: [], renew: 'lease-ended', release: [], expireEarly: [], expire: [], explain: [], claim: [], claimReady: [], ready: [], readyOther: [], break: [], freed: [], freedOther: [] },
};

describe('a lease', () => {
  for (const [status, row] of Object.entries(table) as [Lease['status'], Row][]) {
    test.each(Object.entries(row) as [keyof typeof commands, LeaseEvent[] | string][])(`${status}, told to %s`, (name, expected) => {
      const decision = given(histories[status]).when(commands[name]);
      if (typeof expected === 'string') decision.thenRejected(expected);
      else decision.then(...expected);
    });
  }

  test('a renewal into the past is refused and names the field', () => {
    const decision = decide({ type: 'Renew', until: '2029-01-01T00:00:00Z', now: '2030-01-01T00:00:00Z' }, histories.active.reduce(evolve, leaseDecider.initial));
    expect(decision).toMatchObject({ code: 'invalid-data', errors: [{ field: 'data.until' }] });
  });

  test('the same renewal twice is one renewal', () => {
    given([...histories.active, renewed]).when(commands.renew).then();
  });

  test('a reason is written once until it changes', () => {
    given([requested, waiting]).when(commands.explain).then();
    given([requested, waiting]).when({ type: 'Explain', reason: 'down' }).then({ type: 'LeaseWaiting', data: { reason: 'down' } });
  });

  test('a renewed lease does not expire at its first time', () => {
    given([...histories.active, renewed]).when(commands.expire).then();
  });

  test('for all histories: evolve takes what decide gives, an ended lease never lives again, and it is destroyed once', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...Object.values(commands))), (told) => {
        let state: Lease = leaseDecider.initial;
        let over = false;
        let destructions = 0;
        for (const command of told) {
          const decision = decide(command, state);
          if ('accepted' in decision) continue;
          state = decision.reduce(evolve, state);
          destructions += decision.filter((e) => e.type === 'LeaseDestroyed').length;
          if (over) expect(['released', 'broken', 'destroyed']).toContain(state.status);
          over ||= state.status === 'released' || state.status === 'broken' || state.status === 'destroyed';
          if (state.status !== 'none') leaseStatus('x', state);
        }
        expect(destructions).toBeLessThanOrEqual(1);
      }),
    );
  });
});
