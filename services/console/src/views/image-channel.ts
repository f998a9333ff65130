import type { ChannelView } from '@berth/client';
import type { AnyRecorded, ImageEvent } from '@berth/contracts';
import { ALL, foldPart, type PartChanges, type PartWhere, type Row, type RowOf } from './row.js';

type Numbered = 'number';
/** A row of the projection `channel`: the numbers of versions are looked up. One that was removed stays, until its name is used again. */
export type ChannelRow = Pick<ChannelView, 'image' | 'channel' | 'version' | 'managed' | 'test'> &
  Row & {
    /** `IMAGE:CHANNEL` */
    name: string;
    testing: Omit<NonNullable<ChannelView['testing']>, Numbered> | null;
    lastTest: Omit<NonNullable<ChannelView['lastTest']>, Numbered> | null;
    /** the newest first */
    history: Omit<ChannelView['history'][number], Numbered>[];
    removed: string | null;
  };

/** What a channel remembers of where it pointed. */
const REMEMBERED = 50;

const fresh = ({ id, stream, at, sequence, opened }: PartWhere, channel: string): ChannelRow => ({
  id, name: id, image: stream, channel, version: null, managed: channel === 'latest', test: null, testing: null, lastTest: null, history: [], removed: null, created: at, modified: at, position: sequence, opened,
});
const begun = (row: ChannelRow | undefined, where: PartWhere, channel: string): ChannelRow => (row === undefined ? fresh(where, channel) : row.removed === null ? row : { ...fresh(where, channel), opened: row.opened });

type Said = 'ChannelSaved' | 'ChannelRemoved' | 'ImageRemoved' | 'ChannelAssigned' | 'TestStarted' | 'TestEnded';

const changes: PartChanges<ChannelRow, ImageEvent, Exclude<ImageEvent['type'], Said>> = {
  ChannelSaved: (row, { channel, managed, test }, where) => ({ ...begun(row, where, channel), managed, test: test ?? null }),
  ChannelRemoved: (row, _data, { at }) => row && { ...row, removed: at },
  ImageRemoved: (row, _data, { at }) => row && { ...row, removed: row.removed ?? at },
  ChannelAssigned: (row, { channel, version, by, reason }, where) => {
    const known = begun(row, where, channel);
    return { ...known, version, history: [{ version, by, reason: reason ?? null, who: where.actor, at: where.at }, ...known.history].slice(0, REMEMBERED) };
  },
  TestStarted: (row, { version, build, attempt }) => row && { ...row, testing: { version, build, attempt } },
  TestEnded: (row, { version, build, passed, error }, { at }) => row && { ...row, testing: row.testing?.build === build ? null : row.testing, lastTest: { version, build, passed, error: error ?? null, at } },
};

export const channelId = (image: string, channel: string): string => `${image}:${channel}`;

/** Which channel an event changes. */
export const channelOf: RowOf<ImageEvent> = (event, stream) => {
  if (event.type === 'ImageRemoved') return ALL;
  return 'channel' in event.data ? channelId(stream, event.data.channel) : undefined;
};

/** Pure: what a commit of an image says of a channel, into its row. */
export const foldChannel = (row: ChannelRow | undefined, recorded: AnyRecorded, id: string): ChannelRow | undefined => foldPart(changes, channelOf, row, recorded, id);
