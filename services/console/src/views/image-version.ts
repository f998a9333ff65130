import type { ImageVersionView, ProviderImageView, TargetImageView } from '@berth/client';
import type { AnyRecorded, ImageEvent, ImageTarget, KeptFile } from '@berth/contracts';
import { ALL, foldPart, type PartChanges, type PartWhere, type Row, type RowOf } from './row.js';

/** A file, with its name in the store of artifacts. */
export type KeptTarget = Omit<TargetImageView, 'file' | 'sbom'> & { file: KeptFile | null; sbom: KeptFile | null };
/** Without what the catalogue says of the account. `provider` is null of what was imported. */
export type KeptPush = Omit<ProviderImageView, 'region' | 'provider'> & { provider: string | null };

/** A row of the projection `image_version`. One that was removed stays. */
export type ImageVersionRow = Pick<
  ImageVersionView,
  'image' | 'number' | 'revision' | 'status' | 'percent' | 'activity' | 'error' | 'imported' | 'cause' | 'by' | 'reason' | 'labels' | 'attributes' | 'use' | 'useReason' | 'manual' | 'ended'
> &
  Row & {
    revoked: { at: string; reason: string; holds: boolean; ancestor: { image: string; version: string } | null } | null;
    parent: { image: string; version: string } | null;
    /** the version of `parent`: what is made of a version is looked up by it */
    parentVersion: string | null;
    /** as it was told; null: as the revision of the template says */
    os: Record<string, string> | null;
    targets: KeptTarget[];
    pushes: KeptPush[];
    /** accounts that have it */
    pushed: string[];
    /** it may be used, and is there */
    shown: boolean;
  };

const freshTarget = (target: ImageTarget): KeptTarget => ({ target, status: 'PENDING', percent: 0, activity: null, error: null, failed: [], attempt: 1, build: null, file: null, sbom: null, provided: null });
const freshPush = (account: string, target: ImageTarget, provider: string | null): KeptPush => ({ account, provider, target, status: 'PENDING', percent: 0, activity: null, error: null, failed: [], attempt: 1, id: null });

type Asked = Extract<ImageEvent, { type: 'VersionRequested' | 'VersionImported' }>['data'];
const fresh = ({ version, number, revision, labels }: Asked, { stream, at, sequence, opened, actor }: PartWhere) => ({
  id: version, image: stream, number, revision, status: 'PENDING' as const, percent: 0, activity: null, error: null, imported: false, cause: 'asked' as ImageVersionRow['cause'], by: actor, reason: null as string | null, labels, attributes: {},
  use: 'active' as const, useReason: null, revoked: null, parent: null as ImageVersionRow['parent'], parentVersion: null as string | null, os: null as Record<string, string> | null, targets: [] as KeptTarget[], pushes: [] as KeptPush[],
  pushed: [] as string[], shown: true, manual: [], ended: null, created: at, modified: at, position: sequence, opened,
});

/** All that follows from the rest of a row: one place for all of it. */
function settled(row: ImageVersionRow): ImageVersionRow {
  const { targets, pushes, use, revoked, status } = row;
  const percent = targets.length === 0 ? 0 : Math.floor(targets.reduce((sum, target) => sum + target.percent, 0) / targets.length);
  return { ...row, percent, pushed: pushes.filter((push) => push.status === 'COMPLETE').map(({ account }) => account).sort(), shown: use === 'active' && revoked?.holds !== true && status !== 'DELETED' };
}

type Change<P> = (part: P, row: ImageVersionRow) => P;
const withTarget = (row: ImageVersionRow | undefined, target: ImageTarget, change: Change<KeptTarget>): ImageVersionRow | undefined => {
  if (!row) return undefined;
  const known = row.targets.find((one) => one.target === target);
  const changed = change(known ?? freshTarget(target), row);
  return settled({ ...row, targets: known ? row.targets.map((one) => (one === known ? changed : one)) : [...row.targets, changed] });
};
const withPush = (row: ImageVersionRow | undefined, account: string, change: Change<KeptPush>): ImageVersionRow | undefined => {
  const known = row?.pushes.find((one) => one.account === account);
  if (!row || !known) return row;
  return settled({ ...row, pushes: row.pushes.map((one) => (one === known ? change(one, row) : one)) });
};

/** Another attempt begins at nothing; the same one told again stays where it is. */
const anew = <P extends { attempt: number; percent: number; status: string }>(part: P, attempt: number): number => (part.attempt === attempt && part.status === 'BUILDING' ? part.percent : 0);
/** Percent never decreases within an attempt. */
const further = <P extends KeptTarget | KeptPush>(part: P, percent: number, activity: string): P => (part.status === 'BUILDING' ? { ...part, percent: Math.max(part.percent, percent), activity } : part);
const done = { status: 'COMPLETE', percent: 100, activity: null, error: null } as const;
/** What has failed is never taken away. */
const failed = <P extends KeptTarget | KeptPush>(part: P, attempt: number, error: string, at: string): P => ({ ...part, status: 'FAILED', activity: null, error, attempt, failed: [...part.failed, { attempt, error, at }] });

type OfPart = { account?: string | undefined; target?: ImageTarget | undefined };
type Removal = { status: 'DELETING' | 'DELETEFAILED' | 'DELETED'; error: string | null };
const gone = { file: null, sbom: null, provided: null } as const;
/** Of what was pushed to an account, of what was built for a target, or of the whole. */
function removal(row: ImageVersionRow | undefined, { account, target }: OfPart, how: Removal, at: string): ImageVersionRow | undefined {
  const part = { ...how, activity: null };
  if (account !== undefined) return withPush(row, account, (push) => ({ ...push, ...part, ...(how.status === 'DELETED' && { id: null }) }));
  if (target !== undefined) return withTarget(row, target, (one) => ({ ...one, ...part, ...(how.status === 'DELETED' && gone) }));
  return row && settled({ ...row, ...part, ...(how.status === 'DELETED' && { ended: row.ended ?? at }) });
}

/** A version that is gone has no parts any more. */
const emptied = (row: ImageVersionRow): ImageVersionRow => ({
  ...row,
  targets: row.targets.map((one) => (one.status === 'FAILED' ? one : { ...one, ...gone, status: 'DELETED', activity: null })),
  pushes: row.pushes.map((one) => (one.status === 'FAILED' ? one : { ...one, id: null, status: 'DELETED', activity: null })),
});

/** What a version says of how its targets came out. */
const errors = (targets: readonly KeptTarget[]): string | null => targets.flatMap(({ target, status, error }) => (status === 'FAILED' ? [`${target}: ${error ?? 'it has failed'}`] : [])).join('; ') || null;
/** What is done for which of several targets. */
const activity = ({ targets }: ImageVersionRow, target: ImageTarget, text: string): string => (targets.length > 1 ? `${target}: ${text}` : text);

/** Of the image, of its channels, or of interest to the factory alone. */
type Others = 'ImageSaved' | 'TargetStep' | 'PushStep' | 'ChannelSaved' | 'ChannelRemoved' | 'ChannelAssigned' | 'TestStarted' | 'TestEnded';

const changes: PartChanges<ImageVersionRow, ImageEvent, Others> = {
  VersionRequested: (_row, data, where) => ({
    ...fresh(data, where), targets: data.targets.map(freshTarget), cause: data.cause, reason: data.reason ?? null, parent: data.parent ?? null, parentVersion: data.parent?.version ?? null,
  }),
  VersionImported: (_row, data, where) => {
    const { target, account, id, os } = data;
    const row: ImageVersionRow = { ...fresh(data, where), status: 'COMPLETE', imported: true, cause: 'import', os: os ?? {}, ended: where.at };
    return settled({ ...row, targets: [{ ...freshTarget(target), ...done, provided: { account, id } }], pushes: [{ ...freshPush(account, target, null), ...done, id }] });
  },
  TargetStarted: (row, { target, attempt, build }) => {
    const next = withTarget(row, target, (one) => ({ ...one, status: 'BUILDING', percent: anew(one, attempt), activity: null, error: null, attempt, build }));
    return next && { ...next, status: 'BUILDING', error: null, ended: null };
  },
  TargetProgressed: (row, { target, percent, activity: text }) => {
    const next = withTarget(row, target, (one) => further(one, percent, text));
    return next && { ...next, activity: next.status === 'BUILDING' ? activity(next, target, text) : next.activity };
  },
  TargetCompleted: (row, { target, made }) => withTarget(row, target, (one) => ({ ...one, ...done, file: made.object ?? null, sbom: made.sbom ?? null, provided: made.provided ?? null })),
  TargetFailed: (row, { target, attempt, error }, { at }) => withTarget(row, target, (one) => failed(one, attempt, error, at)),
  VersionEnded: (row, { status }, { at }) => row && { ...row, status, activity: null, error: errors(row.targets), ended: at },
  PushStarted: (row, { account, target, provider, attempt }) => {
    const known = row?.pushes.some((one) => one.account === account) === true;
    const next = row && (known ? row : { ...row, pushes: [...row.pushes, freshPush(account, target, provider)] });
    return withPush(next, account, (one) => ({ ...one, target, provider, status: 'BUILDING', percent: anew(one, attempt), activity: null, error: null, attempt, id: null }));
  },
  PushProgressed: (row, { account, percent, activity: text }) => withPush(row, account, (one) => further(one, percent, text)),
  PushCompleted: (row, { account, id }) => withPush(row, account, (one) => ({ ...one, ...done, id })),
  PushFailed: (row, { account, attempt, error }, { at }) => withPush(row, account, (one) => failed(one, attempt, error, at)),
  DeletionStarted: (row, data, { at }) => removal(row, data, { status: 'DELETING', error: null }, at),
  DeletionFailed: (row, data, { at }) => removal(row, data, { status: 'DELETEFAILED', error: data.error }, at),
  Deleted: (row, data, { at }) => {
    const next = removal(row, data, { status: 'DELETED', error: null }, at);
    return next?.status === 'DELETED' ? settled({ ...emptied(next), manual: data.manual }) : next;
  },
  LabelsSet: (row, { labels }) => row && { ...row, labels },
  AttributesSet: (row, { attributes }) => row && { ...row, attributes },
  VersionMarked: (row, { as, reason }) => row && settled({ ...row, use: as, useReason: as === 'active' ? null : reason }),
  // What holds goes on holding, also while another one is to come.
  VersionRevoked: (row, { at, reason, ancestor }, where) => row && (row.revoked?.holds && Date.parse(at) > Date.parse(where.at) ? row : settled({ ...row, revoked: { at: new Date(at).toISOString(), reason, holds: Date.parse(at) <= Date.parse(where.at), ancestor: ancestor ?? null } })),
  RevocationDue: (row) => row && settled({ ...row, revoked: row.revoked && { ...row.revoked, holds: true } }),
  VersionRestored: (row) => row && settled({ ...row, revoked: null }),
  // Whatever was left of it then.
  ImageRemoved: (row, _data, { at }) => row && (row.status === 'DELETED' ? row : settled(emptied(removal(row, {}, { status: 'DELETED', error: null }, at)!))),
};

/** Which version an event changes. Channels and their tests name one, and change nothing of it. */
export const versionOf: RowOf<ImageEvent> = (event) => {
  if (event.type === 'ImageRemoved') return ALL;
  return event.type in changes && 'version' in event.data ? (event.data.version ?? undefined) : undefined;
};

/** Pure: what a commit of an image says of a version, into its row. */
export const foldImageVersion = (row: ImageVersionRow | undefined, recorded: AnyRecorded, id: string): ImageVersionRow | undefined => foldPart(changes, versionOf, row, recorded, id);
