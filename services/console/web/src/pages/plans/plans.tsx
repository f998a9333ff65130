import type { PlanView } from '@berth/client';
import { Link, useLocation } from 'wouter';
import { usePages } from '../../api/read';
import { useMay } from '../../api/session';
import { Filters, TextFilter } from '../../ui/filters';
import { Page } from '../../ui/page';
import { useParam } from '../../ui/params';
import { Table, type Column } from '../../ui/table';
import { Ago } from '../../ui/time';
import { NewPlan } from './edit';

const columns: readonly Column<PlanView>[] = [
  { id: 'name', head: 'Plan', width: '26%', sort: ({ name }) => name, cell: ({ name }) => <Link href={`/plans/${name}`}>{name}</Link> },
  { id: 'version', head: 'Version', width: '74px', number: true, sort: ({ version }) => version, cell: ({ version }) => version },
  { id: 'count', head: 'Steps', width: '60px', number: true, sort: ({ steps }) => steps.length, cell: ({ steps }) => steps.length },
  { id: 'steps', head: 'What it does', cell: ({ steps }) => <span className="quiet" title={steps.join(', ')}>{steps.join(', ')}</span> },
  { id: 'saved', head: 'Saved', width: '104px', number: true, sort: ({ saved }) => -Date.parse(saved), cell: ({ saved }) => <Ago at={saved} /> },
  {
    id: 'act', head: '', width: '132px',
    cell: ({ name }) => <><Link href={`/builds?plan=${encodeURIComponent(name)}`} className="button small" aria-label={`Builds of ${name}`}>Builds</Link> <Link href={`/plans/${name}/start`} className="button small" aria-label={`Start ${name}`}>Start</Link></>,
  },
];

/** All plans. */
export default function Plans() {
  const [text] = useParam('name');
  const [making, setMaking] = useParam('new');
  const [, go] = useLocation();
  const may = useMay('builder');
  const list = usePages<PlanView>('plans');
  if (making !== '') return <NewPlan onLeave={(saved) => (saved === undefined ? setMaking(undefined) : go(`/plans/${saved}`))} />;
  const rows = text === '' ? list.rows : list.rows.filter(({ name }) => name.toLowerCase().includes(text.toLowerCase()));
  return (
    <Page title="Plans" fill actions={<button type="button" className="button primary" disabled={!may} onClick={() => setMaking('1')}>New plan</button>}>
      <Filters><TextFilter name="name" label="Name" /></Filters>
      <Table label="Plans" least={720} columns={columns} {...list} rows={rows} rowKey={({ name }) => name} empty={text === '' ? 'No plans yet: a plan says what is built, step by step.' : 'No plan is called like that.'} />
    </Page>
  );
}
