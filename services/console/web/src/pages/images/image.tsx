import './images.css';
import type { ImageView } from '@berth/client';
import { Link, useLocation, useParams } from 'wouter';
import { useRead } from '../../api/read';
import { useHas } from '../../api/session';
import { Act } from '../../parts/act';
import { ImageBadge, isUnderWay } from '../../parts/image-state';
import { HistoryLink, ImageLink, VersionLink } from '../../parts/links';
import { RemovalButton } from '../../parts/removal';
import { Bar } from '../../ui/bar';
import { Empty, Loaded } from '../../ui/empty';
import { Page } from '../../ui/page';
import { Tabs } from '../../ui/tabs';
import { Board } from './board';
import { Channels } from './channels';
import { durationOf } from './form';
import { Template } from './template';
import { Versions } from './versions';

const labels = { '': 'Board', versions: 'Versions', channels: 'Channels', template: 'Template' } as const;
type Tab = keyof typeof labels;

/** One image: what is built of it and where it is, its versions, its channels and its template. */
export default function Image() {
  const { name = '', tab = '' } = useParams<{ name: string; tab?: string }>();
  const path = `/images/${encodeURIComponent(name)}`;
  const read = useRead<ImageView>(`images/${encodeURIComponent(name)}`);
  if (!Object.hasOwn(labels, tab)) return <Page title="Not found"><Empty>An image has no such page.</Empty></Page>;
  const at = (one: string): string => (one === '' ? path : `${path}/${one}`);
  return (
    <Page title={name} trail={<Link href="/images">Images</Link>} fill={tab === 'versions'} actions={read.data && <Actions image={read.data} />}>
      <Loaded read={read}>
        {(image) => (
          <>
            <Now image={image} />
            <Tabs label="Pages of this image" at={at(tab)} tabs={Object.entries(labels).map(([one, label]) => ({ path: at(one), label, ...(one === 'versions' && { count: image.versions }), ...(one === 'channels' && { count: image.channels.length }) }))} />
            <Part image={image} tab={tab as Tab} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Part({ image, tab }: { image: ImageView; tab: Tab }) {
  switch (tab) {
    case '':
      return <Board image={image.name} />;
    case 'versions':
      return <Versions image={image.name} />;
    case 'channels':
      return <Channels image={image} />;
    case 'template':
      return <Template image={image} />;
  }
}

/** How it is, and what is done with it by itself, in a line. */
function Now({ image: { name, description, status, newest, environment, parent, retention, rebuild, revision } }: { image: ImageView }) {
  const facts = [
    environment !== null && `environment ${environment}`,
    revision === 0 ? 'imported: it has no template' : `revision ${revision}`,
    retention && `${retention.keep} versions stay${retention.maxAge === undefined ? '' : `, and others for ${durationOf(retention.maxAge)}`}`,
    rebuild?.schedule !== undefined && `built anew at ${rebuild.schedule}`,
    rebuild?.onParent && 'built anew when what it is made of moves on',
  ].filter((fact) => typeof fact === 'string');
  return (
    <div className="now">
      <ImageBadge status={status} />
      {newest && <VersionLink id={newest.id} number={newest.number} />}
      {newest && isUnderWay(newest.status) && <Bar percent={newest.percent} tone="busy" label={`Progress of ${name}`} />}
      {description !== '' && <span>{description}</span>}
      <span className="quiet">{parent && <>made of <ImageLink name={parent.image} channel={parent.channel} /> · </>}{facts.join(' · ')}</span>
    </div>
  );
}

function Actions({ image: { name, versions } }: { image: ImageView }) {
  const [, go] = useLocation();
  const has = useHas('images:write');
  const path = `/images/${encodeURIComponent(name)}`;
  return (
    <>
      <HistoryLink id={name} />
      {has && <Act needs="images:write" onPress={() => go(`${path}/edit`)}>Edit</Act>}
      <RemovalButton
        title={`Remove ${name}`} command={{ key: `remove ${name}`, label: `Removal of ${name}`, path: `images/${encodeURIComponent(name)}` }} onGone={() => go('/images')}
        cascade={versions === 0 ? undefined : `also its ${versions === 1 ? 'version' : `${versions} versions`}, and what was pushed of them`} says="Its name is free. What it was, its history says."
      />
    </>
  );
}
