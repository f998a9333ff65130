import '../../graph/graph.css';
import './builds.css';
import type { BuildView } from '@berth/client';
import { Link } from 'wouter';
import { useHas } from '../../api/session';
import { BuildLink, Owner } from '../../parts/links';
import { Badge } from '../../ui/badge';
import { Filters, SelectFilter, TextFilter } from '../../ui/filters';
import { useList } from '../../ui/list';
import { Page } from '../../ui/page';
import { useParam } from '../../ui/params';
import { Table, type Column } from '../../ui/table';
import { Ago } from '../../ui/time';
import { PlanLink } from './plan-link';
import { Progress, Took } from './progress';

const LIVE = 'pending,preparing,building,paused';
const statuses = [[LIVE, 'under way'], ['failed,error', 'failed or in error'], 'pending', 'preparing', 'building', 'paused', 'passed', 'failed', 'error', 'aborted'] as const;

const columns: readonly Column<BuildView>[] = [
  { id: 'id', head: 'Build', width: '90px', cell: ({ id }) => <BuildLink id={id} /> },
  { id: 'status', head: 'Status', width: '106px', cell: ({ status }) => <Badge status={status} /> },
  { id: 'plan', head: 'Plan', width: '17%', cell: ({ plan, planVersion, generation }) => <><PlanLink name={plan} /> <span className="quiet">v{planVersion}{generation > 1 && `, run ${generation}`}</span></> },
  { id: 'progress', head: 'Progress', width: '150px', cell: (build) => <Progress build={build} small /> },
  { id: 'activity', head: 'What it does, or why it ended', cell: ({ error, activity }) => <span title={error ?? activity ?? ''} className={error === null ? '' : 'text-bad'}>{error ?? activity}</span> },
  { id: 'initiator', head: 'For', width: '11%', cell: ({ id, initiator, project }) => <>{initiator !== `build:${id}` && <Owner name={initiator} />}{project !== null && <span className="quiet"> / {project}</span>}</> },
  { id: 'ref', head: 'Ref', width: '11%', cell: ({ ref, commit }) => <span title={commit ?? ''}>{ref}{commit !== null && <span className="quiet mono"> {commit.slice(0, 8)}</span>}</span> },
  { id: 'took', head: 'Took', width: '92px', number: true, cell: (build) => <Took build={build} /> },
  { id: 'created', head: 'Asked', width: '98px', number: true, sort: 'created', cell: ({ created }) => <Ago at={created} /> },
];

/** All builds, the newest first, as they go. */
export default function Builds() {
  const [status] = useParam('status');
  const [plan] = useParam('plan');
  const [initiator] = useParam('initiator');
  const [ref] = useParam('ref');
  const list = useList<BuildView>('builds', '-created', { status, plan, initiator, ref });
  const has = useHas('build:write');
  const filtered = status !== '' || plan !== '' || initiator !== '' || ref !== '';
  return (
    <Page title="Builds" fill actions={has && <Link href={plan === '' ? '/plans' : `/plans/${encodeURIComponent(plan)}/start`} className="button primary">Start a build</Link>}>
      <Filters>
        <SelectFilter name="status" label="Status" options={statuses} />
        <TextFilter name="plan" label="Plan" />
        <TextFilter name="initiator" label="Initiator" />
        <TextFilter name="ref" label="Ref" />
      </Filters>
      <Table label="Builds" least={1040} columns={columns} {...list} rowKey={({ id }) => id} empty={filtered ? 'No build is like that.' : <>Nothing was built yet. <Link href="/plans">Choose a plan</Link> to start with.</>} />
    </Page>
  );
}
