import fc from 'fast-check';
import { replicationPolicy, type ReplicationEvent } from '@berth/contracts';
import { describe, expect, test } from 'vitest';
import { decidePolicy, dueParts, evolvePolicy, noPolicy, partsOf, type Kept, type PolicyCommand } from './replication.js';

const spec = replicationPolicy.parse({ name: 'far', query: 'target == "raw"', to: { kind: 'folder', folder: '/srv/copies' } });
const elsewhere = { ...spec, to: { kind: 'folder', folder: '/srv/other' } } as const;
const narrower = { ...spec, query: 'target == "raw" && version >= 2' };
const kept: Kept = { sha256: 'body', attributes: 'facts', bytes: 5 };
const OBJECT = 'v/raw/image';

const saved = (more = spec, revision = 1): ReplicationEvent => ({ type: 'ReplicationPolicySaved', data: { ...more, revision } });
const removed: ReplicationEvent = { type: 'ReplicationPolicyRemoved', data: {} };
const replicated: ReplicationEvent = { type: 'ObjectReplicated', data: { object: OBJECT, ...kept } };
const failed = (error = 'the disk is full'): ReplicationEvent => ({ type: 'ReplicationFailed', data: { object: OBJECT, error } });
const forgotten: ReplicationEvent = { type: 'ReplicaForgotten', data: { object: OBJECT } };
const started: ReplicationEvent = { type: 'ReplicationCheckStarted', data: {} };
const ended: ReplicationEvent = { type: 'ReplicationCheckEnded', data: { sound: 1, repaired: 0, failed: 0 } };

const given = (...events: ReplicationEvent[]) => {
  const state = events.reduce(evolvePolicy, noPolicy);
  return {
    state,
    when: (command: PolicyCommand) => {
      const decision = decidePolicy(command, state);
      return {
        then: (...expected: ReplicationEvent[]) => expect(decision).toEqual(expected),
        thenRejected: (code: string) => expect(decision).toMatchObject({ accepted: false, code }),
      };
    },
  };
};

const save: PolicyCommand = { type: 'Save', spec };
const remove: PolicyCommand = { type: 'Remove', policy: 'far' };
const copy = (place = 1, what = kept): PolicyCommand => ({ type: 'Replicated', place, object: OBJECT, kept: what });
const fail = (place = 1, error = 'the disk is full'): PolicyCommand => ({ type: 'Failed', place, object: OBJECT, error });
const forget: PolicyCommand = { type: 'Forget', object: OBJECT };
const check: PolicyCommand = { type: 'StartCheck', policy: 'far' };
const over = (place = 1): PolicyCommand => ({ type: 'EndCheck', place, looked: { sound: 1, repaired: 0, failed: 0 } });

describe('saving and removing', () => {
  test('a policy is saved once; another one is a revision of it', () => {
    given().when(save).then(saved());
    given(saved()).when(save).then();
    given(saved()).when({ type: 'Save', spec: narrower }).then(saved(narrower, 2));
    given(saved(), removed).when(save).then(saved(spec, 2));
  });
  test('it is removed once; one that never was is not known', () => {
    given(saved()).when(remove).then(removed);
    given(saved(), removed).when(remove).then();
    given().when(remove).thenRejected('unknown-policy');
  });
  test('elsewhere nothing is there yet, and what was known is still known', () => {
    expect(given(saved(), replicated, saved(elsewhere, 2)).state).toMatchObject({ place: 2, replicas: new Map([[OBJECT, {}]]) });
    expect(given(saved(), replicated, saved(narrower, 2)).state).toMatchObject({ place: 1, replicas: new Map([[OBJECT, { kept }]]) });
    expect(given(saved(), replicated, removed, saved(spec, 2)).state).toMatchObject({ place: 2, replicas: new Map() });
  });
});

describe('copies', () => {
  test('what is there is told once, and again when it is another or was told to have failed', () => {
    given(saved()).when(copy()).then(replicated);
    given(saved(), replicated).when(copy()).then();
    const other = { ...kept, attributes: 'others' };
    given(saved(), replicated).when(copy(1, other)).then({ type: 'ObjectReplicated', data: { object: OBJECT, ...other } });
    given(saved(), replicated, failed()).when(copy()).then(replicated);
  });
  test('a failure is told once for each cause, and takes nothing away that is there', () => {
    given(saved()).when(fail()).then(failed());
    given(saved(), failed()).when(fail()).then();
    given(saved(), failed()).when(fail(1, 'no route')).then(failed('no route'));
    expect(given(saved(), replicated, failed()).state).toMatchObject({ replicas: new Map([[OBJECT, { kept, error: 'the disk is full' }]]) });
    given(saved(), failed(), replicated).when(fail()).then(failed());
  });
  test('what was put where copies are no longer put says nothing', () => {
    given(saved(), saved(elsewhere, 2)).when(copy(1)).then();
    given(saved(), saved(elsewhere, 2)).when(fail(1)).then();
    given(saved(), saved(elsewhere, 2)).when(copy(2)).then(replicated);
    given(saved(), removed).when(copy()).then();
    given(saved(), removed).when(fail()).then();
    given(saved(), removed, saved(spec, 2)).when(copy(1)).then();
  });
  test('what is known is forgotten once', () => {
    given(saved(), replicated).when(forget).then(forgotten);
    given(saved(), failed()).when(forget).then(forgotten);
    given(saved(), replicated, forgotten).when(forget).then();
    given(saved(), replicated, removed).when(forget).then();
  });
});

describe('a check', () => {
  test('begins and ends once, one at a time', () => {
    given(saved()).when(check).then(started);
    given(saved(), started).when(check).then();
    given(saved(), started).when(over()).then(ended);
    given(saved(), started, ended).when(over()).then();
    given(saved(), started, ended).when(check).then(started);
  });
  test('of what is not there is refused, and one of another place does not end that of now', () => {
    given().when(check).thenRejected('unknown-policy');
    given(saved(), removed).when(check).thenRejected('unknown-policy');
    given(saved(), started, saved(elsewhere, 2)).when(over(1)).then();
    given(saved(), started, saved(elsewhere, 2)).when(over(2)).then(ended);
    given(saved(), started, removed).when(over()).then();
  });
});

describe('what is due', () => {
  test.each([
    ['both', undefined, ['body', 'attributes']],
    ['body', undefined, ['body']],
    ['attributes', undefined, ['attributes']],
    ['both', { kept }, []],
    ['both', { kept, error: 'no route' }, []],
    ['both', { kept: { ...kept, sha256: 'former' } }, ['body']],
    ['both', { kept: { ...kept, attributes: 'former' } }, ['attributes']],
    ['body', { kept: { ...kept, attributes: 'former' } }, []],
    ['attributes', { kept: { ...kept, sha256: 'former' } }, []],
    ['both', { kept: { ...kept, attributes: '' } }, ['attributes']],
    ['both', {}, ['body', 'attributes']],
  ] as const)('on %s, of %j: %j', (on, replica, parts) => {
    expect(dueParts({ on }, replica, kept)).toEqual(parts);
  });
  test('the body goes first', () => expect([partsOf({ on: 'both' }), partsOf({ on: 'body' }), partsOf({ on: 'attributes' })]).toEqual([['body', 'attributes'], ['body'], ['attributes']]));
});

const object = fc.constantFrom('a/raw/image', 'a/raw/sbom', 'b/oci/image');
const hash = fc.constantFrom('', 'x', 'y');
const place = fc.integer({ min: 1, max: 4 });
const anyCommand: fc.Arbitrary<PolicyCommand> = fc.oneof(
  fc.constantFrom<PolicyCommand>(save, { type: 'Save', spec: narrower }, { type: 'Save', spec: elsewhere }, remove, check),
  fc.record({ type: fc.constant('Replicated' as const), place, object, kept: fc.record({ sha256: hash, attributes: hash, bytes: fc.nat(9) }) }),
  fc.record({ type: fc.constant('Failed' as const), place, object, error: fc.constantFrom('full', 'away') }),
  fc.record({ type: fc.constant('Forget' as const), object }),
  fc.record({ type: fc.constant('EndCheck' as const), place, looked: fc.record({ sound: fc.nat(9), repaired: fc.nat(9), failed: fc.nat(9) }) }),
);

describe('laws of policies', () => {
  test('whatever is asked in whatever order: what is decided can be folded, and the same again has no effect', () => {
    fc.assert(fc.property(fc.array(anyCommand, { maxLength: 40 }), (commands) => {
      let state = noPolicy;
      let checks = 0;
      for (const command of commands) {
        const decision = decidePolicy(command, state);
        if ('accepted' in decision) continue;
        state = decision.reduce(evolvePolicy, state);
        for (const { type } of decision) checks += type === 'ReplicationCheckStarted' ? 1 : type === 'ReplicationCheckEnded' || type === 'ReplicationPolicyRemoved' ? -checks : 0;
        expect(checks).toBeLessThanOrEqual(1);
        expect(decidePolicy(command, state)).toEqual([]);
      }
    }));
  });
  test('what a policy takes for a copy was told of the place that it has now', () => {
    fc.assert(fc.property(fc.array(anyCommand, { maxLength: 40 }), (commands) => {
      let state = noPolicy;
      const told = new Map<string, Kept & { place: number }>();
      for (const command of commands) {
        if (command.type === 'Replicated') told.set(`${command.object} ${command.place} ${JSON.stringify(command.kept)}`, { ...command.kept, place: command.place });
        const decision = decidePolicy(command, state);
        if (!('accepted' in decision)) state = decision.reduce(evolvePolicy, state);
        if (state.status !== 'saved') continue;
        for (const [id, replica] of state.replicas) if (replica.kept) expect(told.has(`${id} ${state.place} ${JSON.stringify({ sha256: replica.kept.sha256, attributes: replica.kept.attributes, bytes: replica.kept.bytes })}`)).toBe(true);
      }
    }));
  });
});
