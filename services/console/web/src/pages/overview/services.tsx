import { useQuery } from '@tanstack/react-query';
import type { Health } from '@berth/client';
import { ProblemError } from '../../api/problem';
import { Badge } from '../../ui/badge';
import { Loaded } from '../../ui/empty';
import { Section } from '../../ui/page';
import { Table, type Column } from '../../ui/table';

/** No event tells of a service that is away. */
const EVERY_MS = 5000;

/** A console that says "no" says which service is away. */
async function health(signal: AbortSignal): Promise<Health> {
  const response = await fetch('/healthz', { signal, headers: { Accept: 'application/json' } });
  if (response.status !== 200 && response.status !== 503) throw new ProblemError(response.status, 'not-berth', `How the services are is not known (HTTP ${response.status}).`);
  return (await response.json()) as Health;
}

type Row = [name: string, service: Health['services'][string]];
const columns: readonly Column<Row>[] = [
  { id: 'name', head: 'Service', width: '38%', cell: ([name]) => name },
  { id: 'ready', head: 'State', width: '120px', cell: ([, { ready }]) => <Badge status={ready ? 'ready' : 'unavailable'} /> },
  { id: 'detail', head: 'Detail', cell: ([, { detail }]) => <span title={detail ?? ''} className="quiet">{detail}</span> },
];

/** Whether each service is there. */
export function Services() {
  const read = useQuery({ queryKey: ['healthz'], queryFn: ({ signal }) => health(signal), refetchInterval: EVERY_MS });
  return (
    <Section title="Services">
      <Loaded read={read}>{({ services }) => <Table label="Services" columns={columns} rows={Object.entries(services)} rowKey={([name]) => name} empty="" />}</Loaded>
    </Section>
  );
}
