import './images.css';
import type { EnvironmentView, ImageView } from '@berth/client';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { useWhole } from '../../api/read';
import { useHas } from '../../api/session';
import { Act } from '../../parts/act';
import { ImageBadge, isUnderWay, worded } from '../../parts/image-state';
import { ImageLink, VersionLink } from '../../parts/links';
import { Bar } from '../../ui/bar';
import { Filters, SelectFilter, TextFilter } from '../../ui/filters';
import { useList } from '../../ui/list';
import { Page } from '../../ui/page';
import { useParam } from '../../ui/params';
import { Table, type Column } from '../../ui/table';
import { Ago } from '../../ui/time';
import { NewImage } from './edit';
import { ImportDialog } from './import';
import { imageStatuses } from './statuses';

const LIVE = 'PENDING,BUILDING';
const statuses = [[LIVE, 'under way'], ...imageStatuses.map((status) => [status, worded(status)] as const)] as const;

/** Where the channels point: "latest 4, prod 3". */
const channelsOf = ({ channels }: ImageView): string => channels.map(({ channel, number }) => `${channel} ${number ?? '–'}`).join(', ');

const columns: readonly Column<ImageView>[] = [
  { id: 'name', head: 'Image', width: '19%', sort: 'name', cell: ({ name, description }) => <span title={description}><ImageLink name={name} /></span> },
  { id: 'status', head: 'Status', width: '108px', cell: ({ status }) => <ImageBadge status={status} /> },
  { id: 'newest', head: 'Newest version', width: '216px', cell: ({ name, newest }) => newest && <Newest image={name} newest={newest} /> },
  { id: 'channels', head: 'Channels', cell: (image) => <span title={channelsOf(image)}>{channelsOf(image)}</span> },
  { id: 'environment', head: 'Environment', width: '13%', cell: ({ environment }) => environment ?? <span className="quiet">all</span> },
  { id: 'targets', head: 'Built as', width: '11%', cell: ({ targets, revision }) => (revision === 0 ? <span className="quiet">imported</span> : targets.join(', ')) },
  { id: 'versions', head: 'Versions', width: '86px', number: true, cell: ({ versions }) => versions },
  { id: 'modified', head: 'Changed', width: '96px', number: true, sort: 'modified', cell: ({ modified }) => <Ago at={modified} /> },
];

function Newest({ image, newest: { id, number, status, percent } }: { image: string; newest: NonNullable<ImageView['newest']> }) {
  return (
    <span className="row">
      <VersionLink id={id} number={number} />
      {isUnderWay(status) && <span className="grow"><Bar small tone="busy" percent={percent} label={`Progress of ${image}`} /></span>}
    </span>
  );
}

/** All images, with how their newest versions come on. */
export default function Images() {
  const [q] = useParam('q');
  const [status] = useParam('status');
  const [environment] = useParam('environment');
  const [making, setMaking] = useParam('new');
  const [taking, setTaking] = useState(false);
  const [, go] = useLocation();
  const has = useHas('images:write');
  const list = useList<ImageView>('images', 'name', { q, status, environment });
  const environments = useWhole<EnvironmentView>('environments').data?.items ?? [];
  if (making !== '') return <NewImage onLeave={(saved) => (saved === undefined ? setMaking(undefined) : go(`/images/${encodeURIComponent(saved)}`))} />;
  const filtered = q !== '' || status !== '' || environment !== '';
  return (
    <Page
      title="Images" fill
      {...(has && { actions: <><Act needs="images:write" onPress={() => setTaking(true)}>Import</Act><Act needs="images:write" tone="primary" onPress={() => setMaking('1')}>New image</Act></> })}
    >
      <Filters>
        <TextFilter name="q" label="Name begins with" />
        <SelectFilter name="status" label="Status" options={statuses} />
        <SelectFilter name="environment" label="Environment" options={environments.map(({ name }) => name)} />
      </Filters>
      <Table label="Images" least={980} columns={columns} {...list} rowKey={({ name }) => name} empty={filtered ? 'No image is like that.' : 'No images yet: a template says what one is made of.'} />
      {taking && <ImportDialog onClose={() => setTaking(false)} />}
    </Page>
  );
}
