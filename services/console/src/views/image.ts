import type { ImageView } from '@berth/client';
import { imageTargets, type AnyRecorded, type ImageEvent, type ImageStatus, type ImageTarget, type ImageTemplate } from '@berth/contracts';
import { foldPart, type PartChanges, type PartWhere, type Row } from './row.js';

/** What of a revision of a template is asked about after later ones. */
export interface Revision {
  os: { name: string; version: string; arch: string };
  parent: { image: string; channel: string } | null;
}

/** A version that is there. */
export interface Living {
  id: string;
  number: number;
  status: ImageStatus;
}

/** A row of the projection `image`. One that was removed stays, until its name is used again. */
export type ImageRow = Pick<ImageView, 'name' | 'description' | 'revision' | 'format' | 'source' | 'template' | 'environment' | 'retention' | 'rebuild' | 'status'> &
  Row & {
    /** by their numbers */
    revisions: Record<string, Revision>;
    /** its versions, the oldest first */
    living: Living[];
    removed: string | null;
  };

const fresh = ({ stream, at, sequence, opened }: PartWhere): ImageRow => ({
  id: stream, name: stream, description: '', revision: 0, format: null, source: null, template: null, environment: null, retention: null, rebuild: null, status: 'NEW', revisions: {}, living: [], removed: null,
  created: at, modified: at, position: sequence, opened,
});
/** A name that is used again is another image. */
const begun = (row: ImageRow | undefined, where: PartWhere): ImageRow => (row === undefined ? fresh(where) : row.removed === null ? row : { ...fresh(where), opened: row.opened });

/** The status of an image is that of its newest version. */
const withLiving = (row: ImageRow, living: Living[]): ImageRow => ({ ...row, living, status: living.at(-1)?.status ?? 'NEW' });
const withStatus = (row: ImageRow | undefined, version: string, status: ImageStatus): ImageRow | undefined => row && withLiving(row, row.living.map((one) => (one.id === version ? { ...one, status } : one)));
/** Of a version as a whole, and not of a part of it. */
const isWhole = ({ account, target }: { account?: string | undefined; target?: string | undefined }): boolean => account === undefined && target === undefined;

const revisionOf = ({ os: { name, version, arch }, parent }: ImageTemplate): Revision => ({ os: { name, version, arch }, parent: parent ? { image: parent.image, channel: parent.channel } : null });

/** Of versions, of what was pushed of them, and of channels: an image says nothing of it. */
type Others =
  | 'TargetProgressed' | 'TargetStep' | 'TargetCompleted' | 'TargetFailed' | 'PushStarted' | 'PushProgressed' | 'PushStep' | 'PushCompleted' | 'PushFailed' | 'LabelsSet' | 'AttributesSet'
  | 'VersionMarked' | 'VersionRevoked' | 'RevocationDue' | 'VersionRestored' | 'ChannelRemoved' | 'ChannelAssigned' | 'TestStarted' | 'TestEnded';

const changes: PartChanges<ImageRow, ImageEvent, Others> = {
  ImageSaved: (row, { revision, source, format, template, environment, retention, rebuild }, where) => {
    const image = begun(row, where);
    return { ...image, description: template.description, revision, source, format, template, environment: environment ?? null, retention: retention ?? null, rebuild: rebuild ?? null, revisions: { ...image.revisions, [revision]: revisionOf(template) } };
  },
  ImageRemoved: (row, _data, { at }) => row && { ...withLiving(row, []), removed: at },
  VersionRequested: (row, { version, number }, where) => added(begun(row, where), { id: version, number, status: 'PENDING' }),
  VersionImported: (row, { version, number }, where) => added(begun(row, where), { id: version, number, status: 'COMPLETE' }),
  TargetStarted: (row, { version }) => withStatus(row, version, 'BUILDING'),
  VersionEnded: (row, { version, status }) => withStatus(row, version, status),
  DeletionStarted: (row, data) => (isWhole(data) ? withStatus(row, data.version, 'DELETING') : row),
  DeletionFailed: (row, data) => (isWhole(data) ? withStatus(row, data.version, 'DELETEFAILED') : row),
  Deleted: (row, data) => (row && isWhole(data) ? withLiving(row, row.living.filter(({ id }) => id !== data.version)) : row),
  // A channel may be the first that is said of what is imported.
  ChannelSaved: (row, _data, where) => begun(row, where),
};
const added = (row: ImageRow, version: Living): ImageRow => withLiving(row, [...row.living.filter(({ id }) => id !== version.id), version].sort((a, b) => a.number - b.number));

/** Pure: a commit of an image into its row. */
export const foldImage = (row: ImageRow | undefined, recorded: AnyRecorded): ImageRow | undefined => foldPart(changes, (_event: ImageEvent, stream) => stream, row, recorded, recorded.id);

/** What an image can be built as. */
export const targetsOf = ({ template }: Pick<ImageRow, 'template'>): ImageTarget[] => imageTargets.filter((target) => template?.targets[target] !== undefined);
