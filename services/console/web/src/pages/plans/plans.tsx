import type { PlanView } from '@berth/client';
import { Link, useLocation } from 'wouter';
import { useHas } from '../../api/session';
import { Act } from '../../parts/act';
import { Filters, TextFilter } from '../../ui/filters';
import { useList } from '../../ui/list';
import { Page } from '../../ui/page';
import { useParam } from '../../ui/params';
import { Table, type Column } from '../../ui/table';
import { Ago } from '../../ui/time';
import { NewPlan } from './edit';

const columns: readonly Column<PlanView>[] = [
  { id: 'name', head: 'Plan', width: '26%', sort: 'name', cell: ({ name }) => <Link href={`/plans/${name}`}>{name}</Link> },
  { id: 'version', head: 'Version', width: '74px', number: true, cell: ({ version }) => version },
  { id: 'count', head: 'Steps', width: '60px', number: true, cell: ({ steps }) => steps.length },
  { id: 'steps', head: 'What it does', cell: ({ steps }) => <span className="quiet" title={steps.join(', ')}>{steps.join(', ')}</span> },
  { id: 'saved', head: 'Saved', width: '104px', number: true, sort: 'saved', cell: ({ saved }) => <Ago at={saved} /> },
  {
    id: 'act', head: '', width: '132px',
    cell: ({ name }) => <><Link href={`/builds?plan=${encodeURIComponent(name)}`} className="button small" aria-label={`Builds of ${name}`}>Builds</Link> <StartLink name={name} /></>,
  },
];

function StartLink({ name }: { name: string }) {
  return useHas('build:write') && <Link href={`/plans/${name}/start`} className="button small" aria-label={`Start ${name}`}>Start</Link>;
}

/** All plans. */
export default function Plans() {
  const [text] = useParam('q');
  const [making, setMaking] = useParam('new');
  const [, go] = useLocation();
  const list = useList<PlanView>('plans', 'name', { q: text });
  if (making !== '') return <NewPlan onLeave={(saved) => (saved === undefined ? setMaking(undefined) : go(`/plans/${saved}`))} />;
  return (
    <Page title="Plans" fill actions={<Act needs="plan:write" tone="primary" onPress={() => setMaking('1')}>New plan</Act>}>
      <Filters><TextFilter name="q" label="Name begins with" /></Filters>
      <Table label="Plans" least={720} columns={columns} {...list} rowKey={({ name }) => name} empty={text === '' ? 'No plans yet: a plan says what is built, step by step.' : 'No plan is called so.'} />
    </Page>
  );
}
