import { z } from 'zod';
import { keptFile } from '../action.js';
import { instant, name, span, uuid } from '../scalars.js';
import { diskBoot, imageTarget, imageTemplate, targetSettings, templateSource } from './template.js';

/** How far something of an image is, in the words that the field uses. PARTIAL: some of its targets were built. */
export const imageStatus = z.enum(['NEW', 'PENDING', 'BUILDING', 'COMPLETE', 'PARTIAL', 'FAILED', 'DELETING', 'DELETED', 'DELETEFAILED']);
export type ImageStatus = z.infer<typeof imageStatus>;

/** What may still be done with a version: `deprecated` is hidden from lists and can be launched, `disabled` can't. */
export const versionUse = z.enum(['active', 'deprecated', 'disabled']);
export type VersionUse = z.infer<typeof versionUse>;

/** How a channel came to point where it does. */
export const assignedBy = z.enum(['assign', 'managed', 'rollback', 'revoke', 'delete']);
export type AssignedBy = z.infer<typeof assignedBy>;

const reason = z.string().min(1).max(1024);
const version = uuid.describe('id of the version');
const target = imageTarget.describe('what it is built as');
const account = name.describe('account of a provider');
const percent = z.number().int().min(0).max(100).describe('never less than before in the same attempt; the next one begins at 0');
const activity = z.string().max(1024);
const error = z.string().max(8192);
const label = z.record(z.string().regex(/^[A-Za-z][A-Za-z0-9._-]{0,62}$/, 'a label is named by 1 to 63 letters, digits, ".", "_" or "-"'), z.string().max(256));
const cron = z.string().min(9).max(128).describe('five fields, in UTC');
const providerId = z.string().min(1).max(1024).regex(/^[^\0\r\n]+$/, 'must be one line').describe('what the provider calls it, such as an AMI');
const targets = z.array(imageTarget).min(1).max(10);

/** Which versions stay. What a channel points at, and what it pointed at before, always stays. */
export const retention = z.strictObject({
  keep: z.number().int().min(1).max(10_000).default(10).describe('so many of the newest stay, however old they are'),
  maxAge: span.optional().describe('others are removed when they are older; at once when absent'),
});
export type Retention = z.output<typeof retention>;
/** When a new version is built without being asked for. */
export const rebuild = z.strictObject({ schedule: cron.optional(), onParent: z.boolean().default(false).describe('when the channel that it is made of points at another version') });
export type Rebuild = z.output<typeof rebuild>;

/** The same as they are said: what is absent is as `unsaid` says, and null takes away. */
const retentionSaid = z.strictObject({
  keep: retention.shape.keep.unwrap().optional().describe('so many of the newest stay, however old they are; 10 when nothing else says'),
  maxAge: span.nullable().optional().describe('others are removed when they are older; at once when nothing says'),
});
const rebuildSaid = z.strictObject({ schedule: cron.nullable().optional(), onParent: z.boolean().optional().describe('when the channel that it is made of points at another version') });

/** What is kept of a target image, by the provider of bodies: a file in the store of artifacts, or an image that the provider has made. */
const made = z.object({
  object: keptFile.optional().describe('the image as a file'),
  provided: z.object({ account: name, id: providerId }).optional().describe('the image as its provider has it'),
  sbom: keptFile.optional().describe('what it is made of, SPDX 2.3 as JSON'),
  boot: diskBoot.optional().describe('what a disk boots by; absent where that was not said, as of disks that were made before it could be'),
});
export type MadeImage = z.output<typeof made>;

export const imageCommands = {
  SaveImage: z
    .object({
      source: templateSource,
      targets: targetSettings.nullable().optional().describe('what it can be built as, where the template says nothing of it'),
      environment: name.nullable().optional().describe('where it belongs: which targets are built, and which accounts it is pushed to'),
      retention: retentionSaid.nullable().optional().describe('which versions stay: all when nothing says'),
      rebuild: rebuildSaid.nullable().optional().describe('when a new version is built without being asked for'),
      unsaid: z.enum(['gone', 'kept']).default('gone').describe('what is absent here beside the template is not so any more, or is as the revision before has it; null is none in both'),
    })
    .describe('Saves an image under the name in its template. The same again is no new revision. Answered with `data` = `{name, revision}`.'),
  ValidateTemplate: z.object({ source: templateSource }).describe('Reads a template and saves nothing. Answered with `data` = `{template}`, or refused with all that is wrong with it, line by line.'),
  RemoveImage: z.object({ image: name, cascade: z.boolean().default(false).describe('with its versions, and what was pushed of them') }).describe('Removes an image. Answered with `data` = `{manual}`: what must be removed by hand.'),
  BuildImage: z
    .object({ image: name, targets: targets.optional().describe('all that the template and the environment have when absent'), labels: label.default({}), reason: reason.optional() })
    .describe('Builds a version of an image, all targets side by side. The id of the command is the id of the version.'),
  RebuildTarget: z.object({ version, target }).describe('Builds a target once more that has failed, alone.'),
  AbortVersion: z.object({ version, reason: reason.default('aborted') }).describe('Ends what is being built of a version: those targets have failed.'),
  PushImage: z.object({ version, accounts: z.array(name).min(1).max(200) }).describe('Pushes a version to accounts. What is pushed or being pushed already stays as it is; what has failed is tried again.'),
  PushAll: z.object({ version }).describe('Pushes a version to every account of its environment whose target is built. Refused when a newer version is built.'),
  ImportImage: z
    .object({ image: name, account, id: providerId, os: z.strictObject({ name: z.string().max(64), version: z.string().max(64), arch: z.enum(['x86_64', 'aarch64']).default('x86_64') }).optional(), labels: label.default({}) })
    .describe('Takes in an image that a provider has already, as a version that is complete. The image is made when there is none of that name. The id of the command is the id of the version.'),
  DeleteProviderImage: z.object({ version, account }).describe('Removes what was pushed to an account. One that could not be removed is tried again.'),
  DeleteTargetImage: z.object({ version, target, cascade: z.boolean().default(false).describe('with what was pushed of it') }).describe('Removes what was built for a target.'),
  DeleteVersion: z.object({ version, cascade: z.boolean().default(false).describe('with what was built and pushed of it') }).describe('Removes a version. Answered with `data` = `{manual}`: what must be removed by hand.'),
  SetLabels: z.object({ version, labels: label }).describe('Sets the labels of a version. Refused once it is complete.'),
  SetAttributes: z.object({ version, attributes: label }).describe('Sets attributes of what the warehouse holds of a version, at any time. An empty value takes one away.'),
  MarkVersion: z.object({ version, as: versionUse, reason: reason.default('said so') }).describe('Says whether a version is offered and may be launched. One that a channel points at is not disabled.'),
  RevokeVersion: z
    .object({ version, at: instant.optional().describe('from when on; at once when absent'), reason: reason.default('revoked'), cascade: z.boolean().default(true).describe('with all that is made of it') })
    .describe('Takes a version out of use: channels that point at it go back to the one before it that may be used.'),
  RestoreVersion: z
    .object({ version, reason: reason.default('restored'), cascade: z.boolean().default(true).describe('with all that was revoked with it and was not revoked for itself') })
    .describe('Takes back a revocation, also one that is still to come.'),
  SaveChannel: z
    .object({ image: name, channel: name, managed: z.boolean().default(false).describe('points at each new version once it is complete and has passed the test'), test: name.optional().describe('a plan that must pass on a host booted from a version before the channel points at it') })
    .describe('Makes or changes a channel of an image. Each image has a managed channel `latest` from its start.'),
  RemoveChannel: z.object({ image: name, channel: name }).describe('Removes a channel that no live host was booted from. `latest` stays.'),
  AssignChannel: z.object({ image: name, channel: name, version, reason: reason.optional(), retest: z.boolean().default(false).describe('try the test again that the version has failed') }).describe('Points a channel at a version that is complete, unrevoked and not disabled. Where the channel has a test, this waits until it has passed.'),
  RollbackChannel: z
    .object({ image: name, channel: name, from: version.optional().describe('only if it still points at this one'), to: version.optional().describe('the one before it that may be used when absent'), reason: reason.default('rolled back') })
    .describe('Points a channel at a version that it pointed at before.'),
} as const;

const about = { number: z.number().int().positive().describe('counts the versions of an image from 1'), revision: z.number().int().nonnegative().describe('of the template; 0 = imported') };
export const imageEvents = {
  ImageSaved: z
    .object({ revision: z.number().int().positive(), source: templateSource, format: z.enum(['yaml', 'tdl']), template: imageTemplate, targets: targetSettings.optional().describe('what was said of targets beside the source; in the template too'), environment: name.optional(), retention: retention.optional(), rebuild: rebuild.optional() })
    .describe('A revision of an image: its template, and what is done with its versions.'),
  ImageRemoved: z.object({}).describe('It is gone; its name is free.'),
  VersionRequested: z
    .object({
      version, ...about, targets, labels: label, reason: z.string().optional(),
      parent: z.object({ image: name, version, root: imageTarget.optional().describe('which of its targets has the root filesystem that those of this version begin from') }).optional().describe('the version that it is made of'),
      cause: z.enum(['asked', 'schedule', 'parent']),
    })
    .describe('PENDING: a version is to be built.'),
  VersionImported: z
    .object({ version, ...about, target, account, id: providerId, labels: label, os: z.record(z.string(), z.string()).optional() })
    .describe('COMPLETE: a version that a provider has already.'),
  TargetStarted: z.object({ version, target, attempt: z.number().int().positive(), build: uuid.describe('the build that makes it') }).describe('BUILDING.'),
  TargetProgressed: z.object({ version, target, percent, activity }).describe('How far it is.'),
  TargetStep: z.object({ version, target, facts: z.record(z.string(), z.string()) }).describe('What is known of its making at its provider; stored before each effect.'),
  TargetCompleted: z.object({ version, target, made }).describe('COMPLETE.'),
  TargetFailed: z.object({ version, target, attempt: z.number().int().positive(), error }).describe('FAILED. Its error stays, whatever follows.'),
  VersionEnded: z.object({ version, status: imageStatus.extract(['COMPLETE', 'PARTIAL', 'FAILED']) }).describe('No target of it is being built any more. From COMPLETE on its labels stay as they are.'),
  PushStarted: z.object({ version, account, target, provider: name, attempt: z.number().int().positive() }).describe('It is being pushed.'),
  PushProgressed: z.object({ version, account, percent, activity }).describe('How far it is.'),
  PushStep: z.object({ version, account, facts: z.record(z.string(), z.string()) }).describe('What is known of it at its provider; stored before each effect.'),
  PushCompleted: z.object({ version, account, id: providerId }).describe('COMPLETE: the provider has it.'),
  PushFailed: z.object({ version, account, attempt: z.number().int().positive(), error }).describe('FAILED. Its error stays, whatever follows.'),
  DeletionStarted: z.object({ version, account: account.optional(), target: target.optional() }).describe('DELETING: what was pushed to the account, what was built for the target, or the version.'),
  DeletionFailed: z.object({ version, account: account.optional(), target: target.optional(), error }).describe('DELETEFAILED: it can be tried again.'),
  Deleted: z.object({ version, account: account.optional(), target: target.optional(), manual: z.array(z.string()).default([]).describe('what must be removed by hand') }).describe('DELETED.'),
  LabelsSet: z.object({ version, labels: label }).describe('Its labels.'),
  AttributesSet: z.object({ version, attributes: label }).describe('All attributes that somebody gave it.'),
  VersionMarked: z.object({ version, as: versionUse, reason: z.string() }).describe('Whether it is offered and may be launched.'),
  VersionRevoked: z.object({ version, at: instant.describe('from when on'), reason: z.string(), cascade: z.boolean(), ancestor: z.object({ image: name, version }).optional().describe('because what it is made of was revoked') }).describe('It is out of use, or will be.'),
  RevocationDue: z.object({ version }).describe('Its revocation holds from now on.'),
  VersionRestored: z
    .object({ version, reason: z.string(), cascade: z.boolean().optional().describe('with what was revoked with it'), ancestor: z.object({ image: name, version }).optional().describe('because what it is made of was restored') })
    .describe('It may be used again.'),
  ChannelSaved: z.object({ channel: name, managed: z.boolean(), test: name.optional() }).describe('A channel.'),
  ChannelRemoved: z.object({ channel: name }).describe('It is gone; its name is free.'),
  ChannelAssigned: z
    .object({ channel: name, version: version.nullable().describe('null: at none'), previous: version.nullable(), by: assignedBy, reason: z.string().optional() })
    .describe('A channel points at another version.'),
  TestStarted: z.object({ channel: name, version, build: uuid, plan: name, by: assignedBy, attempt: z.number().int().positive() }).describe('A plan runs on a host booted from the version.'),
  TestEnded: z.object({ channel: name, version, build: uuid, passed: z.boolean(), cancelled: z.boolean().optional().describe('it was ended before anything was known of the version'), error: error.optional() }).describe('How it ended. A version that failed it is not assigned unless it is tried again.'),
} as const;

/** Attributes that a host booted from a version has, and that a request may want. */
export const bootedFrom = { image: 'image', version: 'imageVersion' } as const;
