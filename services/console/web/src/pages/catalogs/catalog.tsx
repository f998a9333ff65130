import '../images/images.css';
import type { CatalogView, DeployableView } from '@berth/client';
import { Link, useLocation, useParams } from 'wouter';
import { press } from '../../api/commands';
import { useRead } from '../../api/read';
import { useHas } from '../../api/session';
import { Act } from '../../parts/act';
import { ImageBadge } from '../../parts/image-state';
import { HistoryLink, ImageLink, VersionLink } from '../../parts/links';
import { Empty, Loaded } from '../../ui/empty';
import { Facts, Page, Section } from '../../ui/page';
import { useParam } from '../../ui/params';
import { Board } from '../images/board';
import { buildAll, pushAll } from '../images/offers';
import { EntryActs } from './columns';
import { listOf, trailOf } from './edit';

/** The one stream that the catalogue is in. */
const CATALOGUE = 'main';

/** One catalog: which of what it offers is built, for which accounts, and what can be done about it. */
export default function Catalog() {
  const { name = '' } = useParams<{ name: string }>();
  const read = useRead<CatalogView>(`catalogs/${encodeURIComponent(name)}`);
  const [, go] = useLocation();
  return (
    <Page title={name} trail={trailOf('catalog')} actions={read.data && <><HistoryLink id={CATALOGUE}>History of all</HistoryLink><EntryActs kind="catalog" name={name} small={false} onGone={() => go('/catalogs')} /></>}>
      <Loaded read={read}>
        {(catalog) => (
          <>
            <Facts of={[['Description', catalog.description], ['Pool', catalog.pool], ['Environment', <Link href={`${listOf('environment')}&q=${encodeURIComponent(catalog.environment)}`}>{catalog.environment}</Link>]]} />
            <Section title="Deployables" note="built and pushed where its environment says">
              {catalog.deployables.length === 0 ? <Empty>It offers nothing yet: a <Link href={listOf('deployable')}>deployable</Link> is an image in it.</Empty> : <Deployables of={catalog.deployables} />}
            </Section>
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Deployables({ of }: { of: readonly DeployableView[] }) {
  const [open, setOpen] = useParam('open');
  return (
    <div className="table-box loose board" tabIndex={0} role="group" aria-label="Deployables, table">
      <table className="table" aria-label="Deployables">
        <thead><tr><th scope="col">Deployable</th><th scope="col">State</th><th scope="col">Image</th><th scope="col">Version</th><th scope="col"><span className="hidden-visually">Actions</span></th></tr></thead>
        <tbody>{of.map((one) => <Deployable key={one.name} of={one} open={open === one.name} onOpen={() => setOpen(open === one.name ? undefined : one.name)} />)}</tbody>
      </table>
    </div>
  );
}

function Deployable({ of, open, onOpen }: { of: DeployableView; open: boolean; onOpen: () => void }) {
  const { name, description, image, channel, version, number, state } = of;
  return (
    <>
      <tr>
        <th scope="row">{name}{description !== '' && <div className="quiet">{description}</div>}</th>
        <td><ImageBadge status={state} /></td>
        <td><ImageLink name={image} channel={channel} /></td>
        <td>{version !== null && <VersionLink id={version} number={number} />}</td>
        <td>
          <span className="row">
            <Offer of={of} />
            <button type="button" className="button small" aria-expanded={open} aria-label={`Board of ${name}`} onClick={onOpen}>Board</button>
          </span>
        </td>
      </tr>
      {open && <tr><td colSpan={5}><div className="within"><Board image={image} of={image} /></div></td></tr>}
    </>
  );
}

/** What brings it a step further: it is built, or what is built is pushed. */
function Offer({ of: { name, image, version, number, state } }: { of: DeployableView }) {
  const [mayBuild, mayPush] = [useHas('images:build'), useHas('images:write')];
  if (state === 'not_built' && mayBuild) return <Act needs="images:build" small pending={buildAll(image).key} label={`Build ${name}`} onPress={() => press(buildAll(image))}>Build</Act>;
  if (state !== 'not_pushed' || version === null || number === null || !mayPush) return null;
  const command = pushAll(image, version, number);
  return <Act needs="images:write" small pending={command.key} label={`Push ${name}`} onPress={() => press(command)}>Push</Act>;
}
