import type { Page, WebhookView } from '@berth/client';
import { useState } from 'react';
import { Link } from 'wouter';
import { useRead } from '../../api/read';
import { Act } from '../../parts/act';
import { ShownOnce } from '../../parts/shown-once';
import { Badge } from '../../ui/badge';
import { Loaded } from '../../ui/empty';
import { Table, type Column } from '../../ui/table';
import { Ago } from '../../ui/time';
import { WebhookForm, type NewKey } from './webhook-form';

/** What waits, and what became of it, is no event. */
export const EVERY_MS = 5000;

/** What is sent there, in words. */
export const sentOf = ({ kinds, statuses }: Pick<WebhookView, 'kinds' | 'statuses'>): string => `${statuses.length === 0 ? 'every status' : statuses.join(', ')} of ${kinds.length === 0 ? 'everything' : kinds.join(', ')}`;

const columns: readonly Column<WebhookView>[] = [
  { id: 'name', head: 'Webhook', width: '16%', sort: ({ name }) => name, cell: ({ name }) => <Link href={`/settings/webhooks/${encodeURIComponent(name)}`}>{name}</Link> },
  { id: 'status', head: 'State', width: '116px', sort: ({ status }) => status, cell: ({ status, reason }) => <span title={reason ?? ''}><Badge status={status} /></span> },
  { id: 'url', head: 'URL', cell: ({ url }) => <span className="mono" title={url}>{url}</span> },
  { id: 'sent', head: 'Sent', width: '26%', cell: (one) => <span title={sentOf(one)}>{sentOf(one)}</span> },
  { id: 'waiting', head: 'Waits', width: '62px', number: true, sort: ({ waiting }) => waiting, cell: ({ waiting }) => waiting },
  { id: 'last', head: 'Last try', width: '200px', cell: ({ last }) => (last === null ? <span className="quiet">nothing yet</span> : <><Badge status={last.outcome} /> <Ago at={last.at} /></>) },
];

/** Where statuses are sent, for systems that can't listen on the bus. */
export default function Webhooks() {
  const [key, setKey] = useState<NewKey>();
  const [making, setMaking] = useState(false);
  return (
    <>
      <div className="row"><Act needs="webhooks:write" tone="primary" onPress={() => setMaking(true)}>New webhook</Act></div>
      <List making={making} onKey={setKey} onMade={() => setMaking(false)} />
      {key && <KeyShown of={key} onClose={() => setKey(undefined)} />}
    </>
  );
}

/** The key that a webhook signs with, this once. */
export function KeyShown({ of: { name, key }, onClose }: { of: NewKey; onClose: () => void }) {
  return <ShownOnce title={`Key of ${name}`} label="The key" value={key} onClose={onClose}>What is sent is signed with it, for the target to check. It is shown this once.</ShownOnce>;
}

function List({ making, onKey, onMade }: { making: boolean; onKey: (key: NewKey) => void; onMade: () => void }) {
  const read = useRead<Page<WebhookView>>('webhooks', { every: EVERY_MS });
  return (
    <Loaded read={read}>
      {({ items }) => (
        <>
          <Table label="Webhooks" least={900} columns={columns} rows={items} rowKey={({ name }) => name} empty="Nothing is sent anywhere: a webhook tells a system that can't listen on the bus." />
          {making && <WebhookForm taken={items.map(({ name }) => name)} onKey={onKey} onClose={onMade} />}
        </>
      )}
    </Loaded>
  );
}
