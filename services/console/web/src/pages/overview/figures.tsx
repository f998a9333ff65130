import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { counted, useBlueprints, useCapacity, useOut, useQueue, useRunning } from './reads';

/** The numbers that one looks for first. */
export function Figures() {
  const { data: capacity } = useCapacity('');
  const { data: queue } = useQueue();
  const { data: running } = useRunning();
  const { data: out } = useOut();
  const { rows: blueprints } = useBlueprints();
  const total = capacity?.total;
  const open = blueprints.filter(({ breaker }) => breaker !== null);
  return (
    <dl className="figures">
      <Figure name="Slots in use" to="/resources?type=host">{total ? <>{total.busy}<small> of {total.total}</small></> : '–'}</Figure>
      <Figure name="Free" to="/resources?type=host&status=active" tone={total && total.free === 0 && (queue?.items.length ?? 0) > 0 ? 'wait' : ''}>{total?.free ?? '–'}</Figure>
      <Figure name="Waiting" to="/leases?status=pending" tone={queue && queue.items.length > 0 ? 'wait' : ''}>{counted(queue)}</Figure>
      <Figure name="Builds under way" to="/builds">{counted(running)}</Figure>
      <Figure name="Hosts out of service" to="/resources?type=host" tone={out && out.items.length > 0 ? 'bad' : ''}>{counted(out)}</Figure>
      {open.length > 0 && <Figure name="Open breakers" to="/blueprints" tone="bad">{open.length}</Figure>}
    </dl>
  );
}

function Figure({ name, to, tone = '', children }: { name: string; to: string; tone?: '' | 'wait' | 'bad'; children: ReactNode }) {
  return (
    <div>
      <dt><Link href={to}>{name}</Link></dt>
      <dd className={tone && `text-${tone}`}>{children}</dd>
    </div>
  );
}
