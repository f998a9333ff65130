import type { ImageVersionView } from '@berth/client';
import { ImageBadge, isUnderWay, worded } from '../../parts/image-state';
import { VersionLink } from '../../parts/links';
import { Badge } from '../../ui/badge';
import { Bar } from '../../ui/bar';
import { Filters, SelectFilter } from '../../ui/filters';
import { useList } from '../../ui/list';
import { useParam } from '../../ui/params';
import { Table, type Column } from '../../ui/table';
import { Ago } from '../../ui/time';
import { pairs } from '../../words/text';
import { imageStatuses } from './statuses';

/** What else is to be known of a version, beside how far it is: each a word with its tone. */
export function Marks({ of: { use, revoked, outdated } }: { of: Pick<ImageVersionView, 'use' | 'revoked' | 'outdated'> }) {
  return (
    <>
      {revoked && (revoked.holds ? <Badge status="revoked" /> : <span title={`at ${revoked.at}`}><Badge status="waiting">revoked later</Badge></span>)}
      {use !== 'active' && <Badge status={use} />}
      {outdated && <Badge status="outdated" />}
    </>
  );
}

/** Why there is a version. */
export const causes: Record<ImageVersionView['cause'], string> = { asked: 'asked for', schedule: 'by its schedule', parent: 'what it is made of moved on', import: 'imported' };

const columns: readonly Column<ImageVersionView>[] = [
  { id: 'number', head: 'Version', width: '92px', cell: ({ id, number }) => <VersionLink id={id} number={number} /> },
  { id: 'status', head: 'Status', width: '104px', cell: ({ status }) => <ImageBadge status={status} /> },
  { id: 'marks', head: 'Marks', width: '132px', cell: (version) => <Marks of={version} /> },
  { id: 'progress', head: 'What it does, or why it failed', cell: (version) => <Doing of={version} /> },
  { id: 'channels', head: 'Channels', width: '14%', cell: ({ channels }) => <span title={channels.join(', ')}>{channels.join(', ')}</span> },
  { id: 'pushed', head: 'Pushed to', width: '15%', cell: ({ pushes }) => { const there = pushes.filter(({ status }) => status === 'COMPLETE').map(({ account }) => account).join(', '); return <span title={there}>{there}</span>; } },
  { id: 'labels', head: 'Labels', width: '14%', cell: ({ labels }) => <span className="quiet" title={pairs(labels)}>{pairs(labels)}</span> },
  { id: 'created', head: 'Asked', width: '90px', number: true, sort: 'created', cell: ({ created, by, cause }) => <span title={`${causes[cause]}, by ${by}`}><Ago at={created} /></span> },
];

function Doing({ of: { number, status, percent, activity, error } }: { of: ImageVersionView }) {
  if (isUnderWay(status)) return <span className="row"><span className="grow"><Bar small tone="busy" percent={percent} label={`Progress of version ${number}`} /></span><span className="quiet clip grow" title={activity ?? ''}>{activity}</span></span>;
  return error === null ? null : <span className="text-bad" title={error}>{error}</span>;
}

/** The versions of an image, the newest first. */
export function Versions({ image }: { image: string }) {
  const [status] = useParam('status');
  const [shown] = useParam('shown');
  const list = useList<ImageVersionView>('versions', '-created', { image, status, all: shown === 'all' || undefined });
  return (
    <>
      <Filters>
        <SelectFilter name="status" label="Status" options={imageStatuses.filter((one) => one !== 'NEW').map((one) => [one, worded(one)] as const)} />
        <SelectFilter name="shown" label="Shown" all="those that are offered" options={[['all', 'all: also deprecated, disabled, revoked and removed']]} />
      </Filters>
      <Table label="Versions" least={960} columns={columns} {...list} rowKey={({ id }) => id} empty={status !== '' ? 'No version is like that.' : 'There is no version yet: the board builds one.'} />
    </>
  );
}
