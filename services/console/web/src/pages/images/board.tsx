import './images.css';
import type { BoardCell, ImageBoard } from '@berth/client';
import { Link } from 'wouter';
import { press, usePending } from '../../api/commands';
import { useRead } from '../../api/read';
import { useHas } from '../../api/session';
import { Act } from '../../parts/act';
import { Failed } from '../../parts/failed';
import { ImageBadge } from '../../parts/image-state';
import { VersionLink } from '../../parts/links';
import { RemovalButton } from '../../parts/removal';
import { Badge } from '../../ui/badge';
import { Bar } from '../../ui/bar';
import { Empty, Loaded } from '../../ui/empty';
import { Section } from '../../ui/page';
import { buildAll, offeredBy, pushAll, type Account, type Row } from './offers';

/** What is built of an image, for which accounts, and the one thing that can be done about each. `of`: named in the heading, where it is one among several */
export function Board({ image, of }: { image: string; of?: string }) {
  const read = useRead<ImageBoard>(`images/${encodeURIComponent(image)}/board`);
  return (
    <Section title={of === undefined ? 'Board' : `Board of ${of}`} note={read.data && (read.data.environment === null ? 'versions and all accounts' : `versions, and accounts of ${read.data.environment}`)} actions={read.data && <AllButtons board={read.data} />}>
      <Loaded read={read}>{(board) => <BoardTable board={board} />}</Loaded>
    </Section>
  );
}

function AllButtons({ board: { image, versions, buildAll: canBuild, pushAll: version } }: { board: ImageBoard }) {
  const [mayBuild, mayPush] = [useHas('images:build'), useHas('images:write')];
  const number = versions.find((row) => row.version === version)?.number ?? 0;
  return (
    <>
      {mayBuild && <Act needs="images:build" small pending={buildAll(image).key} why={canBuild ? undefined : 'It has no template that names a target which its environment lets be built'} onPress={() => press(buildAll(image))}>Build all</Act>}
      {mayPush && <Act needs="images:write" small pending={`push ${version ?? ''}`} why={version === null ? 'Nothing is built that is not pushed' : undefined} onPress={() => version !== null && press(pushAll(image, version, number))}>Push all</Act>}
    </>
  );
}

function BoardTable({ board: { image, accounts, versions } }: { board: ImageBoard }) {
  if (accounts.length === 0) return <Empty>No account takes what it is built as. <Link href="/catalogs?of=accounts">Accounts</Link> say where images are pushed to.</Empty>;
  return (
    <div className="table-box loose board" tabIndex={0} role="group" aria-label={`Board of ${image}, table`}>
      <table className="table" aria-label={`Board of ${image}`}>
        <thead>
          <tr>
            <th scope="col">Version</th>
            {accounts.map(({ account, provider, region, target }) => <th key={account} scope="col">{account}<div className="quiet">{target}, {provider}{region !== null && `, ${region}`}</div></th>)}
          </tr>
        </thead>
        <tbody>
          {versions.map((row) => (
            <tr key={row.version ?? ''}>
              <th scope="row">
                <div className="cell">
                  {row.version === null ? 'None yet' : <VersionLink id={row.version} number={row.number} />}
                  <ImageBadge status={row.status} />
                  {row.channels.map((channel) => <span key={channel} className="quiet">{channel}</span>)}
                </div>
              </th>
              {row.cells.map((cell, nth) => <td key={cell.account}><Cell image={image} row={row} account={accounts[nth]!} cell={cell} /></td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell({ image, row, account, cell }: { image: string; row: Row; account: Account; cell: BoardCell }) {
  const { state, percent, activity, failed, error, id } = cell;
  return (
    <div className="cell">
      {/* That it has failed before is told below. */}
      {failed > 0 && state === 'not_built' ? <Badge status="failed">not built: failed</Badge> : failed > 0 && state === 'not_pushed' ? <Badge status="failed">not pushed: failed</Badge> : <ImageBadge status={state} />}
      {percent !== null && <Bar small tone="busy" percent={percent} label={`${state === 'building' ? 'Build' : 'Push'} of version ${row.number} for ${account.account}`} />}
      {activity !== null && <span className="quiet">{activity}</span>}
      {id !== null && <span className="mono" title="as the provider calls it">{id}</span>}
      <Failed times={failed} error={error} />
      <Offer image={image} row={row} account={account} cell={cell} />
    </div>
  );
}

/** The one thing on offer, for whoever may. */
function Offer({ image, row, account, cell }: { image: string; row: Row; account: Account; cell: BoardCell }) {
  const needs = cell.offer === 'build' ? 'images:build' : 'images:write';
  const has = useHas(needs);
  const offered = offeredBy(image, row, account, cell);
  const sent = usePending(offered?.command.key ?? '');
  if (!offered || !has) return null;
  const { text, label, command } = offered;
  if (cell.offer === 'delete') {
    return (
      <RemovalButton small label={label} title={label} command={command} says={<>It is removed at the provider. What is built stays, and can be pushed again.</>}>
        {text}
      </RemovalButton>
    );
  }
  return (
    <>
      <Act needs={needs} small pending={command.key} label={label} onPress={() => press(command)}>{text}</Act>
      {sent && <span className="quiet">asked for, not begun yet</span>}
    </>
  );
}
