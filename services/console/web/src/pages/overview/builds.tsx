import type { BuildView } from '@berth/client';
import { Link } from 'wouter';
import { BuildLink } from '../../parts/links';
import { Badge } from '../../ui/badge';
import { Loaded } from '../../ui/empty';
import { Section } from '../../ui/page';
import { Table, type Column } from '../../ui/table';
import { Ago, Since, span } from '../../ui/time';
import { counted, useFailures, useRunning } from './reads';

const SHOWN = 6;

const running: readonly Column<BuildView>[] = [
  { id: 'id', head: 'Build', width: '80px', cell: ({ id }) => <BuildLink id={id} /> },
  { id: 'plan', head: 'Plan', width: '20%', cell: ({ plan }) => plan },
  { id: 'status', head: 'Status', width: '92px', cell: ({ status }) => <Badge status={status} /> },
  { id: 'activity', head: 'Now', cell: ({ activity }) => <span className="quiet" title={activity ?? ''}>{activity}</span> },
  { id: 'percent', head: 'Done', width: '92px', cell: ({ percent }) => <Progress percent={percent} /> },
  { id: 'since', head: 'Since', width: '70px', number: true, cell: ({ created, remainingMs }) => <span title={remainingMs === null ? '' : `about ${span(remainingMs)} to go`}><Since at={created} /></span> },
];

function Progress({ percent }: { percent: number }) {
  return (
    <span className="row">
      <span className="bar grow" role="progressbar" aria-label="Done" aria-valuenow={percent} aria-valuemin={0} aria-valuemax={100}><span className="busy" style={{ width: `${percent}%` }} /></span>
      <span className="percent">{percent}%</span>
    </span>
  );
}

/** Builds that have not ended, the newest first. */
export function Builds() {
  const read = useRunning();
  return (
    <Section title="Builds" note={read.data && `${counted(read.data)} under way`} actions={<Link href="/builds">All</Link>}>
      <Loaded read={read}>{({ items }) => <Table label="Builds under way" columns={running} rows={items.slice(0, SHOWN)} rowKey={({ id }) => id} empty="Nothing is being built." />}</Loaded>
    </Section>
  );
}

const failed: readonly Column<BuildView>[] = [
  { id: 'id', head: 'Build', width: '80px', cell: ({ id }) => <BuildLink id={id} /> },
  { id: 'plan', head: 'Plan', width: '20%', cell: ({ plan }) => plan },
  { id: 'status', head: 'Status', width: '84px', cell: ({ status }) => <Badge status={status} /> },
  { id: 'error', head: 'Why', cell: ({ error }) => <span title={error ?? ''}>{error}</span> },
  { id: 'modified', head: 'Ended', width: '100px', number: true, cell: ({ modified }) => <Ago at={modified} /> },
];

/** The last builds that did not pass. */
export function Failures() {
  const read = useFailures();
  return (
    <Section title="Failures" note="the last builds that did not pass" actions={<Link href="/builds?status=failed,error">All</Link>}>
      <Loaded read={read}>{({ items }) => <Table label="Failures" columns={failed} rows={items} rowKey={({ id }) => id} empty="No build has failed." />}</Loaded>
    </Section>
  );
}
