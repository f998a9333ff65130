import '../images/images.css';
import type { ImageVersionView } from '@berth/client';
import { Link, useParams } from 'wouter';
import { useRead } from '../../api/read';
import { ImageBadge, isUnderWay } from '../../parts/image-state';
import { ImageLink, VersionLink } from '../../parts/links';
import { Bar } from '../../ui/bar';
import { Empty, Loaded } from '../../ui/empty';
import { Facts, Page, Section } from '../../ui/page';
import { Tabs } from '../../ui/tabs';
import { Ago } from '../../ui/time';
import { pairs, short } from '../../words/text';
import { causes, Marks } from '../images/versions';
import { Actions, EditPairs } from './actions';
import { Lineage } from './lineage';
import { Pushes } from './pushes';
import { Sbom } from './sbom';
import { TargetImages } from './targets';

/** One version of an image: what it is built as, where it is, whether it may be used, what it is made of. */
export default function Version() {
  const { id = '', tab } = useParams<{ id: string; tab?: string }>();
  const path = `/versions/${encodeURIComponent(id)}`;
  const read = useRead<ImageVersionView>(`versions/${encodeURIComponent(id)}`);
  const { data } = read;
  if (tab !== undefined && tab !== 'sbom') return <Page title="Not found"><Empty>A version has no such page.</Empty></Page>;
  const trail = <><Link href="/images">Images</Link>{data && <> / <ImageLink name={data.image} /></>}</>;
  return (
    <Page title={data ? `version ${data.number}` : `Version ${short(id)}`} trail={trail} fill={tab === 'sbom'} actions={data && <Actions version={data} />}>
      <Loaded read={read}>
        {(version) => (
          <>
            <div className="now">
              <ImageBadge status={version.status} />
              <Marks of={version} />
              {isUnderWay(version.status) && <Bar percent={version.percent} tone="busy" label={`Progress of version ${version.number}`} />}
              <span role="status">{version.activity}</span>
              {version.error !== null && <span className="text-bad">{version.error}</span>}
            </div>
            <Tabs label="Pages of this version" at={tab === undefined ? path : `${path}/sbom`} tabs={[{ path, label: 'Overview' }, { path: `${path}/sbom`, label: 'Packages' }]} />
            {tab === undefined ? <Overview of={version} /> : <Sbom version={version} />}
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Overview({ of }: { of: ImageVersionView }) {
  return (
    <>
      {of.manual.length > 0 && <div className="note wait"><p>To be removed by hand, as Berth has not made it:</p><ul>{of.manual.map((one) => <li key={one} className="mono">{one}</li>)}</ul></div>}
      <TargetImages version={of} />
      <Pushes version={of} />
      <div className="columns">
        <Section title="Use"><Use of={of} /></Section>
        <Section title="About"><About of={of} /></Section>
      </div>
      <Lineage version={of} />
    </>
  );
}

function Use({ of }: { of: ImageVersionView }) {
  const { use, useReason, revoked, channels, image, labels, attributes, status } = of;
  return (
    <Facts
      of={[
        ['May be used', <>{revoked?.holds ? 'no' : use === 'active' ? 'yes' : use}{useReason !== null && <span className="quiet">, {useReason}</span>}</>],
        ['Revoked', revoked && <><Ago at={revoked.at} />: {revoked.reason}{revoked.ancestor !== null && <span className="quiet"> (with {revoked.ancestor}, which it is made of)</span>}</>],
        ['Channels', channels.length > 0 && <Link href={`/images/${encodeURIComponent(image)}/channels`}>{channels.join(', ')}</Link>],
        ['Labels', <>{pairs(labels) || <span className="quiet">none</span>} {status === 'COMPLETE' ? <span className="quiet">(they stay as they are, as it is complete)</span> : <EditPairs version={of} what="labels" />}</>],
        ['Attributes', <>{pairs(attributes) || <span className="quiet">none</span>} <EditPairs version={of} what="attributes" /></>],
      ]}
    />
  );
}

function About({ of: { id, image, revision, cause, by, reason, parent, os, created, ended, imported } }: { of: ImageVersionView }) {
  return (
    <Facts
      of={[
        ['Image', <ImageLink name={image} />],
        ['Template', !imported && <Link href={`/images/${encodeURIComponent(image)}/template?revision=${revision}`}>revision {revision}</Link>],
        ['System', [os['name'], os['version'], os['arch']].filter((part) => part !== undefined).join(' ')],
        ['Made of', parent && <><ImageLink name={parent.image} /> <VersionLink id={parent.version} number={parent.number} /></>],
        ['Why', <>{causes[cause]}{reason !== null && `: ${reason}`}</>],
        ['By', by],
        ['Asked', <Ago at={created} />],
        ['Ended', ended !== null && <Ago at={ended} />],
        ['Id', <span className="mono">{id}</span>],
      ]}
    />
  );
}
