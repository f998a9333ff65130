import type { LeaseView } from '@berth/client';
import { BlueprintLink, LeaseLink, Owner, ResourceLink } from '../../parts/links';
import { Badge } from '../../ui/badge';
import { Filters, SelectFilter, TextFilter } from '../../ui/filters';
import { useList } from '../../ui/list';
import { Page } from '../../ui/page';
import { useParam } from '../../ui/params';
import { Table, type Column } from '../../ui/table';
import { Ago } from '../../ui/time';
import { pairs } from '../../words/text';
import { ReleaseButton } from './release';

const OPEN = 'pending,acquired,active';
const groups = [[OPEN, 'open'], ['pending', 'waiting'], ['active', 'active'], ['released,broken,destroyed', 'over'], ['all', 'all']] as const;
const types = ['host', 'working-copy', 'service', 'composite'];

const columns: readonly Column<LeaseView>[] = [
  { id: 'id', head: 'Lease', width: '80px', cell: ({ id }) => <LeaseLink id={id} /> },
  { id: 'status', head: 'Status', width: '100px', cell: ({ status, ended }) => <Badge status={status}>{ended !== null && ended !== status ? `${status}, ${ended}` : status}</Badge> },
  { id: 'type', head: 'Type', width: '106px', cell: ({ type }) => type },
  { id: 'owner', head: 'Owner', width: '14%', cell: ({ owner, project }) => <><Owner name={owner} />{project !== null && <span className="quiet"> / {project}</span>}</> },
  { id: 'resource', head: 'Served by', width: '168px', cell: ({ resource, blueprint }) => resource !== null && <>{blueprint !== null && <BlueprintLink name={blueprint} />} <ResourceLink id={resource} /></> },
  { id: 'wants', head: 'Wants, or why it waits', cell: ({ attributes, reason, error }) => <span title={error ?? reason ?? pairs(attributes)} className={error === null ? '' : 'text-bad'}>{error ?? reason ?? pairs(attributes)}</span> },
  { id: 'priority', head: 'Priority', width: '68px', number: true, sort: 'priority', cell: ({ priority }) => priority },
  { id: 'created', head: 'Asked', width: '86px', number: true, sort: 'created', cell: ({ created }) => <Ago at={created} /> },
  { id: 'until', head: 'Until', width: '86px', number: true, cell: ({ until }) => until !== null && <Ago at={until} /> },
  { id: 'act', head: '', width: '84px', cell: (lease) => <ReleaseButton lease={lease} small /> },
];

/** All leases, those that are open unless asked otherwise. */
export default function Leases() {
  const [status, setStatus] = useParam('status', OPEN);
  const [owner] = useParam('owner');
  const [project] = useParam('project');
  const [type] = useParam('type');
  const list = useList<LeaseView>('leases', '-created', { status: status === 'all' ? undefined : status, owner, project, type });
  return (
    <Page title="Leases" fill>
      <Filters>
        <div className="field">
          <span className="label" id="lease-status">Status</span>
          <div className="choices" role="group" aria-labelledby="lease-status">
            {groups.map(([value, text]) => <button key={value} type="button" className="button" aria-pressed={status === value} onClick={() => setStatus(value)}>{text}</button>)}
          </div>
        </div>
        <SelectFilter name="type" label="Type" options={types} />
        <TextFilter name="owner" label="Owner" />
        <TextFilter name="project" label="Project" />
      </Filters>
      <Table label="Leases" least={1040} columns={columns} {...list} rowKey={({ id }) => id} empty={status === OPEN ? 'Nobody holds anything or waits for it.' : 'No lease is like that.'} />
    </Page>
  );
}
