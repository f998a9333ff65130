import { unreachable, type Refusal, type ReplicationEvent, type ReplicationPolicy } from '@berth/contracts';
import { refuse } from './refusals.js';

/** What of an object is there twice. */
export interface Kept {
  /** of the body; empty: that is not there */
  sha256: string;
  /** SHA-256 of the file with its attributes; empty: that is not there */
  attributes: string;
  bytes: number;
}

/** How one object stands under a policy. */
export interface Replica {
  /** absent: there is nothing yet where the policy says now */
  kept?: Kept;
  /** why it could not be copied, or looked at, the last time */
  error?: string;
}

export type Policy =
  | { status: 'none' }
  | {
      status: 'saved';
      spec: ReplicationPolicy;
      revision: number;
      /** the revision since which copies are put where they are put now: what began before says nothing of now */
      place: number;
      /** by object */
      replicas: ReadonlyMap<string, Replica>;
      checking: boolean;
    }
  | { status: 'removed'; revision: number };

export const noPolicy: Policy = { status: 'none' };

/** What became of every copy. */
export interface Looked {
  sound: number;
  repaired: number;
  failed: number;
}

export type PolicyCommand =
  | { type: 'Save'; spec: ReplicationPolicy }
  | { type: 'Remove'; policy: string }
  /** `place`: of the policy when the copy began */
  | { type: 'Replicated'; place: number; object: string; kept: Kept }
  | { type: 'Failed'; place: number; object: string; error: string }
  | { type: 'Forget'; object: string }
  | { type: 'StartCheck'; policy: string }
  | { type: 'EndCheck'; place: number; looked: Looked };

export const unknownPolicy = (policy: string): Refusal => refuse('unknown-policy', `There is no replication policy ${policy}.`, 'policy', 'is not the name of a replication policy');

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Pure. */
export function decidePolicy(command: PolicyCommand, policy: Policy): readonly ReplicationEvent[] | Refusal {
  switch (command.type) {
    case 'Save':
      if (policy.status === 'saved' && same(policy.spec, command.spec)) return [];
      return [{ type: 'ReplicationPolicySaved', data: { ...command.spec, revision: policy.status === 'none' ? 1 : policy.revision + 1 } }];
    case 'Remove':
      if (policy.status === 'none') return unknownPolicy(command.policy);
      return policy.status === 'saved' ? [{ type: 'ReplicationPolicyRemoved', data: {} }] : [];
    case 'StartCheck':
      if (policy.status !== 'saved') return unknownPolicy(command.policy);
      // One at a time: that one looks at every copy.
      return policy.checking ? [] : [{ type: 'ReplicationCheckStarted', data: {} }];
    case 'Replicated': {
      const { place, object, kept } = command;
      if (policy.status !== 'saved' || policy.place !== place) return [];
      const before = policy.replicas.get(object);
      return before?.error === undefined && same(before?.kept, kept) ? [] : [{ type: 'ObjectReplicated', data: { object, ...kept } }];
    }
    case 'Failed': {
      const { place, object, error } = command;
      if (policy.status !== 'saved' || policy.place !== place || policy.replicas.get(object)?.error === error) return [];
      return [{ type: 'ReplicationFailed', data: { object, error } }];
    }
    case 'Forget':
      return policy.status === 'saved' && policy.replicas.has(command.object) ? [{ type: 'ReplicaForgotten', data: { object: command.object } }] : [];
    case 'EndCheck':
      return policy.status === 'saved' && policy.checking && policy.place === command.place ? [{ type: 'ReplicationCheckEnded', data: { ...command.looked } }] : [];
    default:
      return unreachable(command);
  }
}

/** Pure. @throws when the event can't follow from the state */
export function evolvePolicy(policy: Policy, event: ReplicationEvent): Policy {
  if (event.type === 'ReplicationPolicySaved') {
    const { revision, ...spec } = event.data;
    if (policy.status !== 'saved') return { status: 'saved', spec, revision, place: revision, replicas: new Map(), checking: false };
    if (same(policy.spec.to, spec.to)) return { ...policy, spec, revision };
    // Elsewhere there is nothing yet; what is known stays known, so that what is not covered any more is forgotten.
    return { ...policy, spec, revision, place: revision, replicas: new Map([...policy.replicas.keys()].map((object) => [object, {}])) };
  }
  if (policy.status !== 'saved') throw new Error(`${event.type} of a policy that is not there`);
  switch (event.type) {
    case 'ReplicationPolicyRemoved':
      return { status: 'removed', revision: policy.revision };
    case 'ReplicationCheckStarted':
      return { ...policy, checking: true };
    case 'ReplicationCheckEnded':
      return { ...policy, checking: false };
    case 'ObjectReplicated': {
      const { object, sha256, attributes, bytes } = event.data;
      return { ...policy, replicas: new Map(policy.replicas).set(object, { kept: { sha256, attributes, bytes } }) };
    }
    case 'ReplicationFailed': {
      const { object, error } = event.data;
      return { ...policy, replicas: new Map(policy.replicas).set(object, { ...policy.replicas.get(object), error }) };
    }
    case 'ReplicaForgotten': {
      const replicas = new Map(policy.replicas);
      replicas.delete(event.data.object);
      return { ...policy, replicas };
    }
    default:
      return unreachable(event);
  }
}

export const policyDecider = { initial: noPolicy, decide: decidePolicy, evolve: evolvePolicy, ended: () => false, says: ({ type }: ReplicationEvent) => (type === 'ReplicationPolicySaved' || type === 'ReplicationPolicyRemoved' ? 'policy' : undefined) };

export type Part = 'body' | 'attributes';

/** What a policy copies, in the order in which it is copied: attributes that are there tell of a body that is there. */
export const partsOf = ({ on }: Pick<ReplicationPolicy, 'on'>): readonly Part[] => (on === 'both' ? ['body', 'attributes'] : [on]);

/** What of an object must be copied: what is not there, or not as it is now. */
export function dueParts(spec: Pick<ReplicationPolicy, 'on'>, replica: Replica | undefined, now: Pick<Kept, 'sha256' | 'attributes'>): Part[] {
  return partsOf(spec).filter((part) => (part === 'body' ? replica?.kept?.sha256 !== now.sha256 : replica?.kept?.attributes !== now.attributes));
}
