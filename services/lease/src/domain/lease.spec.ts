import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { durationMs, leaseRequest, type Explanation, type LeaseEvent } from '@berth/contracts';
import { spanText } from './deadline.js';
import { decide, evolve, leaseDecider, type Lease, type LeaseCommand } from './lease.js';
import { leaseStatus } from './status.js';

const request = leaseRequest.parse({ type: 'host', owner: 'ada', until: '2030-01-01T01:00:00Z' });
const grant = { resource: '7f8c1d66-0000-5000-8000-000000000001', blueprint: 'preallocated', slot: 0, token: 42 } as const;

const requested: LeaseEvent = { type: 'LeaseRequested', data: request };
const acquired: LeaseEvent = { type: 'LeaseAcquired', data: grant };
const activated: LeaseEvent = { type: 'LeaseActivated', data: {} };
const explanation: Explanation = { verdict: 'wait', reason: 'all taken', next: 'the first that is free', ahead: 0, considered: [], more: 0 };
const never: Explanation = { ...explanation, verdict: 'never', reason: 'there is no such host' };
const refused: LeaseEvent = { type: 'LeaseRefused', data: { reason: 'there is no such host', explanation: never } };
const released: LeaseEvent = { type: 'LeaseReleased', data: { reason: 'done', expired: false } };
const expired: LeaseEvent = { type: 'LeaseReleased', data: { reason: 'its time was up at 2030-01-01T01:00:00Z', expired: true } };
const broken: LeaseEvent = { type: 'LeaseBroken', data: { error: 'no disk' } };
const evicted: LeaseEvent = { type: 'LeaseBroken', data: { error: 'taken', evicted: true } };
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

const times = { asked: '2030-01-01T00:00:00Z', live: '2029-01-01T00:00:00Z' };
const commands = {
  request: { type: 'Request', request, now: '2030-01-01T00:00:00Z' },
  renew: { type: 'Renew', until: '2030-01-01T02:00:00Z', now: '2030-01-01T00:00:00Z' },
  release: { type: 'Release', reason: 'done' },
  beat: { type: 'Beat', now: '2030-01-01T00:00:00Z' },
  changePriority: { type: 'ChangePriority', priority: 500 },
  expireEarly: { type: 'Expire', now: '2030-01-01T00:59:59Z', ...times },
  expire: { type: 'Expire', now: '2030-01-01T01:00:00Z', ...times },
  explain: { type: 'Explain', explanation },
  refuse: { type: 'Refuse', explanation: never },
  claim: { type: 'Claim', grant, ready: false },
  claimReady: { type: 'Claim', grant, ready: true },
  ready: { type: 'Ready', resource: grant.resource },
  readyOther: { type: 'Ready', resource: 'another' },
  break: { type: 'Break', resource: grant.resource, error: 'no disk' },
  evict: { type: 'Evict', reason: 'taken' },
  freed: { type: 'Freed', token: 42 },
  freedOther: { type: 'Freed', token: 41 },
} as const satisfies Record<string, LeaseCommand>;

const renewed: LeaseEvent = { type: 'LeaseRenewed', data: { until: '2030-01-01T02:00:00Z' } };
const waiting: LeaseEvent = { type: 'LeaseWaiting', data: { reason: 'all taken', explanation } };
const prioritised: LeaseEvent = { type: 'PriorityChanged', data: { priority: 500 } };
type Row = Record<keyof typeof commands, LeaseEvent[] | string>;
/** What follows from each command in each state: events, or the code of a refusal. */
const table: Record<Lease['status'], Row> = {
  none: { request: [requested], renew: 'unknown-lease', beat: 'unknown-lease', changePriority: 'unknown-lease', release: 'unknown-lease', expireEarly: [], expire: [], explain: [], refuse: [], claim: [], claimReady: [], ready: [], readyOther: [], break: [], evict: 'unknown-lease', freed: [], freedOther: [] },
  pending: { request: [], renew: [renewed], beat: 'invalid-data', changePriority: [prioritised], release: [released, destroyed], expireEarly: [], expire: [expired, destroyed], explain: [waiting], refuse: [refused, destroyed], claim: [acquired], claimReady: [acquired, activated], ready: [], readyOther: [], break: [], evict: [], freed: [], freedOther: [] },
  acquired: { request: [], renew: [renewed], beat: 'invalid-data', changePriority: 'invalid-data', release: [released], expireEarly: [], expire: [expired], explain: [], refuse: [], claim: [], claimReady: [], ready: [activated], readyOther: [], break: [broken], evict: [evicted], freed: [], freedOther: [] },
  active: { request: [], renew: [renewed], beat: 'invalid-data', changePriority: 'invalid-data', release: [released], expireEarly: [], expire: [expired], explain: [], refuse: [], claim: [], claimReady: [], ready: [], readyOther: [], break: [broken], evict: [evicted], freed: [], freedOther: [] },
  released: { request: [], renew: 'lease-ended', beat: 'lease-ended', changePriority: 'lease-ended', release: [], expireEarly: [], expire: [], explain: [], refuse: [], claim: [], claimReady: [], ready: [], readyOther: [], break: [], evict: [], freed: [destroyed], freedOther: [] },
  broken: { request: [], renew: 'lease-ended', beat: 'lease-ended', changePriority: 'lease-ended', release: [], expireEarly: [], expire: [], explain: [], refuse: [], claim: [], claimReady: [], ready: [], readyOther: [], break: [], evict: [], freed: [destroyed], freedOther: [] },
  destroyed: { request: [], renew: 'lease-ended', beat: 'lease-ended', changePriority: 'lease-ended', release: [], expireEarly: [], expire: [], explain: [], refuse: [], claim: [], claimReady: [], ready: [], readyOther: [], break: [], evict: [], freed: [], freedOther: [] },
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

  test('why it waits is written once until that changes', () => {
    const told = given([requested, waiting]);
    told.when(commands.explain).then();
    told.when({ type: 'Explain', explanation: { ...explanation, ahead: 7, more: 3 } }).then();
    for (const change of [{ reason: 'down' }, { verdict: 'never' as const }, { next: 'one is launched' }]) {
      const news = { ...explanation, ...change };
      told.when({ type: 'Explain', explanation: news }).then({ type: 'LeaseWaiting', data: { reason: news.reason, explanation: news } });
    }
  });

  test('a reason of an older version is explained once more', () => {
    given([requested, { type: 'LeaseWaiting', data: { reason: 'all taken' } }]).when(commands.explain).then(waiting);
  });

  test('the same priority twice is one change', () => given([requested, prioritised]).when(commands.changePriority).then());

  test('a grant that was acquired never changes', () => {
    given(histories.acquired).when({ type: 'Claim', grant: { ...grant, resource: 'another', token: 41 }, ready: true }).then();
  });

  test('a lease that was refused says why', () => {
    const state = [requested, refused, destroyed].reduce(evolve, leaseDecider.initial);
    expect(state).toEqual({ status: 'destroyed', request, how: 'refused', detail: 'there is no such host' });
    expect(leaseStatus('x', state as Exclude<Lease, { status: 'none' }>).data).toMatchObject({ status: 'destroyed', activity: 'refused', error: 'there is no such host', percent: 100 });
  });

  test('a renewed lease does not expire at its first time', () => {
    given([...histories.active, renewed]).when(commands.expire).then();
  });

  test('a request as older versions stored it waits for ever and prefers nothing', () => {
    const stored = { type: 'host', owner: 'ada', attributes: { os: 'linux' }, blueprints: [], priority: 100 };
    const state = evolve(leaseDecider.initial, { type: 'LeaseRequested', data: stored } as unknown as LeaseEvent);
    expect(state).toEqual({ status: 'pending', request: { ...stored, prefer: [], wait: 'always' } });
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

describe('a lease with a ttl', () => {
  const asked = leaseRequest.parse({ type: 'host', owner: 'ada', ttl: '9m' });
  const beat = (alive: string): LeaseEvent => ({ type: 'LeaseBeat', data: { alive } });
  const first = beat('2030-01-01T00:09:00.000Z');
  const begun: LeaseEvent[] = [{ type: 'LeaseRequested', data: asked }, first];
  const running: LeaseEvent[] = [...begun, acquired, activated];
  const unheard: LeaseEvent = { type: 'LeaseReleased', data: { reason: 'its holder was not heard of for 9m', expired: true } };

  test('is alive from its request on', () => given([]).when({ type: 'Request', request: asked, now: '2030-01-01T00:00:00Z' }).then(...begun));
  test.each([['pending', begun], ['acquired', [...begun, acquired]], ['active', running]])('a beat is stored when a third of it has gone by: %s', (_status, events) => {
    given(events).when({ type: 'Beat', now: '2030-01-01T00:03:00Z' }).then();
    given(events).when({ type: 'Beat', now: '2030-01-01T00:03:00.001Z' }).then(beat('2030-01-01T00:12:00.001Z'));
  });
  test('whoever renews it lives', () => {
    const renew = { type: 'Renew', until: '2030-01-01T02:00:00Z', now: '2030-01-01T00:04:00Z' } as const;
    given(running).when(renew).then(renewed, beat('2030-01-01T00:13:00.000Z'));
    given([...running, renewed]).when(renew).then(beat('2030-01-01T00:13:00.000Z'));
    given(running).when({ ...renew, now: '2030-01-01T00:01:00Z' }).then(renewed);
  });
  test('ends when nothing was heard of its holder', () => {
    given(running).when({ type: 'Expire', now: '2030-01-01T00:08:59Z', ...times }).then();
    given(running).when({ type: 'Expire', now: '2030-01-01T00:09:00Z', ...times }).then(unheard);
    given(begun).when({ type: 'Expire', now: '2030-01-01T00:09:00Z', ...times }).then(unheard, destroyed);
    given([...running, beat('2030-01-01T00:12:00Z')]).when({ type: 'Expire', now: '2030-01-01T00:11:59Z', ...times }).then();
    given([...running, released]).when({ type: 'Expire', now: '2030-01-01T00:09:00Z', ...times }).then();
  });
  test('but not before a service that was away could hear of it', () => {
    const live = '2030-01-01T00:08:00Z';
    given(running).when({ type: 'Expire', now: '2030-01-01T00:16:59Z', ...times, live }).then();
    given(running).when({ type: 'Expire', now: '2030-01-01T00:17:00Z', ...times, live }).then(unheard);
  });
  test('that no date can hold lives as long as dates do', () => {
    const endless = leaseRequest.parse({ type: 'host', ttl: Number.MAX_SAFE_INTEGER });
    given([]).when({ type: 'Request', request: endless, now: '2030-01-01T00:00:00Z' }).then({ type: 'LeaseRequested', data: endless }, beat('+275760-09-13T00:00:00.000Z'));
  });
});

describe('a lease that may wait for so long only', () => {
  const asked = leaseRequest.parse({ type: 'host', owner: 'ada', waitAtMost: '10m' });
  const begun: LeaseEvent = { type: 'LeaseRequested', data: asked };
  const late = { type: 'Expire', now: '2030-01-01T00:10:00Z', ...times } as const;

  test('is refused then, with the last that was known', () => {
    given([begun, waiting]).when({ ...late, now: '2030-01-01T00:09:59Z' }).then();
    given([begun, waiting]).when(late).then({ type: 'LeaseRefused', data: { reason: 'it waited for 10m: all taken', explanation } }, destroyed);
    given([begun]).when(late).then({ type: 'LeaseRefused', data: { reason: 'it waited for 10m' } }, destroyed);
  });
  test('and not when it waits no more', () => given([begun, acquired]).when(late).then());
  test('a restart does not give it more', () => given([begun, waiting]).when({ ...late, live: late.now }).then({ type: 'LeaseRefused', data: { reason: 'it waited for 10m: all taken', explanation } }, destroyed));
  test('the first of several ends ends it', () => {
    const both: LeaseEvent = { type: 'LeaseRequested', data: { ...asked, until: '2030-01-01T00:05:00Z' } };
    given([both]).when({ ...late, now: '2030-01-01T00:05:00Z' }).then({ type: 'LeaseReleased', data: { reason: 'its time was up at 2030-01-01T00:05:00Z', expired: true } }, destroyed);
  });
});

test.each([[90_000, '1m30s'], [600_000, '10m'], [86_400_000, '1d'], [1500, '1s500ms'], [93_784_000, '1d2h3m4s']])('%d ms are %s', (ms, text) => {
  expect(spanText(ms)).toBe(text);
  if (ms % 1000 === 0) expect(durationMs(text)).toBe(ms);
});
