import type { AssignedBy, CatalogEvent, ImageEvent, ReplicationEvent } from '@berth/contracts';
import { because, count, pairs, short, time } from './text';
import type { Words } from './words';

/** What of a version something is about. */
const part = ({ account, target }: { account?: string | undefined; target?: string | undefined }): string =>
  account !== undefined ? `What was pushed to ${account}` : target !== undefined ? `What was built for ${target}` : 'The version';

/** How a channel came to point where it does. */
const how: Record<AssignedBy, string> = { assign: 'points at', managed: 'follows what is built, to', rollback: 'is rolled back to', revoke: 'goes back from what is revoked, to', delete: 'goes back from what is removed, to' };

export const imageWords: Words<ImageEvent> = {
  ImageSaved: ({ revision, environment }) => `Revision ${revision} of its template is saved${environment === undefined ? '' : `, in environment ${environment}`}.`,
  ImageRemoved: () => 'The image is no more; its name is free.',
  VersionRequested: ({ number, targets, cause, reason }) => `Version ${number} is to be built for ${targets.join(', ')}${cause === 'asked' ? because(reason) : cause === 'schedule' ? ', as its schedule says' : ', because what it is made of has moved'}.`,
  VersionImported: ({ number, account, id }) => `Version ${number} was taken in: ${id} of ${account}.`,
  TargetStarted: ({ target, attempt }) => `${target} is being built${attempt === 1 ? '' : `, try ${attempt}`}.`,
  TargetProgressed: ({ target, percent, activity }) => `${target} is at ${percent} %: ${activity}.`,
  TargetStep: ({ target, facts }) => `${target} has come to: ${pairs(facts)}.`,
  TargetCompleted: ({ target, made }) => `${target} is built${made.provided === undefined ? '' : `: ${made.provided.id} of ${made.provided.account}`}.`,
  TargetFailed: ({ target, attempt, error }) => `${target} has failed${attempt === 1 ? '' : ` at try ${attempt}`}: ${error}.`,
  VersionEnded: ({ status }) => (status === 'COMPLETE' ? 'The version is complete.' : status === 'PARTIAL' ? 'Some of its targets are built, and some have failed.' : 'The version has failed.'),
  PushStarted: ({ account, target, attempt }) => `${target} is being pushed to ${account}${attempt === 1 ? '' : `, try ${attempt}`}.`,
  PushProgressed: ({ account, percent, activity }) => `The push to ${account} is at ${percent} %: ${activity}.`,
  PushStep: ({ account, facts }) => `The push to ${account} has come to: ${pairs(facts)}.`,
  PushCompleted: ({ account, id }) => `${account} has it as ${id}.`,
  PushFailed: ({ account, attempt, error }) => `The push to ${account} has failed${attempt === 1 ? '' : ` at try ${attempt}`}: ${error}.`,
  DeletionStarted: (of) => `${part(of)} is being removed.`,
  DeletionFailed: ({ error, ...of }) => `${part(of)} could not be removed: ${error}.`,
  Deleted: ({ manual, ...of }) => `${part(of)} is removed${manual.length === 0 ? '' : `; to be removed by hand: ${manual.join(', ')}`}.`,
  LabelsSet: ({ labels }) => `Its labels are ${pairs(labels) || 'none'}.`,
  AttributesSet: ({ attributes }) => `Its attributes are ${pairs(attributes) || 'none'}.`,
  VersionMarked: ({ as, reason }) => `The version is ${as}${because(reason)}.`,
  VersionRevoked: ({ at, reason, ancestor }) => `Revoked from ${time(at)} on${ancestor === undefined ? '' : `, with ${ancestor.image} that it is made of`}${because(reason)}.`,
  RevocationDue: () => 'Its revocation holds from now on.',
  VersionRestored: ({ reason, ancestor }) => `The version may be used again${ancestor === undefined ? '' : `, with ${ancestor.image} that it is made of`}${because(reason)}.`,
  ChannelSaved: ({ channel, managed, test }) => `Channel ${channel} is saved${managed ? ', and follows what is built' : ''}${test === undefined ? '' : `, after the test ${test}`}.`,
  ChannelRemoved: ({ channel }) => `Channel ${channel} is no more; its name is free.`,
  ChannelAssigned: ({ channel, version, by, reason }) => `Channel ${channel} ${how[by]} ${version === null ? 'nothing' : short(version)}${because(reason)}.`,
  TestStarted: ({ channel, plan, attempt }) => `Test ${plan} for channel ${channel} has begun${attempt === 1 ? '' : `, try ${attempt}`}.`,
  TestEnded: ({ channel, passed, error }) => `The test for channel ${channel} has ${passed ? 'passed' : 'failed'}${error === undefined ? '' : `: ${error}`}.`,
};

export const catalogWords: Words<CatalogEvent> = {
  ProviderSaved: ({ name, kind, target }) => `Provider ${name} is saved: ${kind}, for ${target}.`,
  AccountSaved: ({ name, provider, region }) => `Account ${name} on ${provider}${region === undefined ? '' : `, ${region}`} is saved.`,
  EnvironmentSaved: ({ name }) => `Environment ${name} is saved.`,
  PoolSaved: ({ name, environment }) => `Pool ${name} of ${environment} is saved.`,
  CatalogSaved: ({ name, pool }) => `Catalog ${name} of ${pool} is saved.`,
  DeployableSaved: ({ name, image, channel }) => `Deployable ${name} is saved: ${image}:${channel}.`,
  CatalogEntryRemoved: ({ kind, name }) => `${kind.charAt(0).toUpperCase()}${kind.slice(1)} ${name} is no more; its name is free.`,
};

export const replicationWords: Words<ReplicationEvent> = {
  ReplicationPolicySaved: ({ query, to }) => `What fits ${query} is kept a second time in ${to.kind === 's3' ? `s3://${to.bucket}/${to.prefix}` : to.folder}.`,
  ReplicationPolicyRemoved: () => 'Nothing more is copied; copies stay where they are.',
  ReplicationCheckStarted: () => 'Every copy is looked at.',
  ReplicationCheckEnded: ({ sound, repaired, failed }) => `Every copy was looked at: ${sound} sound, ${repaired} made anew, ${count(failed, 'failure')}.`,
  ObjectReplicated: ({ object }) => `${object} is there twice.`,
  ReplicationFailed: ({ object, error }) => `${object} could not be copied: ${error}.`,
  ReplicaForgotten: ({ object }) => `${object} is gone, and its copy is not kept any more.`,
};
