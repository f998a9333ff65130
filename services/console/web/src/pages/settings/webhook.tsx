import type { DeliveryView, Page, WebhookTest, WebhookView } from '@berth/client';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { press, run, type Command } from '../../api/commands';
import { useRead } from '../../api/read';
import { Act } from '../../parts/act';
import { HistoryLink } from '../../parts/links';
import { Badge } from '../../ui/badge';
import { Dialog } from '../../ui/dialog';
import { Loaded } from '../../ui/empty';
import { TextField } from '../../ui/field';
import { Facts, Section } from '../../ui/page';
import { ProblemBox } from '../../ui/problem';
import { Table, type Column } from '../../ui/table';
import { stamp } from '../../ui/time';
import { WebhookForm, type NewKey } from './webhook-form';
import { EVERY_MS, KeyShown, sentOf } from './webhooks';

const columns: readonly Column<DeliveryView>[] = [
  { id: 'at', head: 'When', width: '168px', cell: ({ at }) => <time dateTime={at}>{stamp(at)}</time> },
  { id: 'outcome', head: 'Outcome', width: '106px', cell: ({ outcome }) => <Badge status={outcome} /> },
  { id: 'status', head: 'Answer', width: '70px', number: true, cell: ({ status }) => status ?? <span className="quiet">none</span> },
  { id: 'attempt', head: 'Try', width: '50px', number: true, cell: ({ attempt }) => attempt },
  { id: 'took', head: 'Took', width: '80px', number: true, cell: ({ durationMs }) => `${durationMs} ms` },
  { id: 'type', head: 'Event', width: '20%', cell: ({ type }) => <span title={type}>{type}</span> },
  { id: 'id', head: 'Id', width: '22%', cell: ({ id }) => <span className="mono" title={id}>{id}</span> },
  { id: 'error', head: 'Why not', cell: ({ error }) => error !== null && <span className="text-bad" title={error}>{error}</span> },
];

/** One webhook: what is sent there, and what became of it. */
export default function Webhook({ name }: { name: string }) {
  const path = `webhooks/${encodeURIComponent(name)}`;
  const read = useRead<WebhookView>(path, { every: EVERY_MS });
  const deliveries = useRead<Page<DeliveryView>>(`${path}/deliveries`, { every: EVERY_MS });
  return (
    <Loaded read={read}>
      {(webhook) => (
        <>
          <Controls of={webhook} path={path} />
          <Section title="What is sent">
            <Facts
              of={[
                ['State', <Badge status={webhook.status} />],
                ['Why', webhook.reason],
                ['To', <span className="mono">{webhook.url}</span>],
                ['Sent', sentOf(webhook)],
                ['Waits', webhook.waiting],
                ['Version', webhook.version],
              ]}
            />
          </Section>
          <Section title="Deliveries" note="the last tries, the newest first; what a target did not take is tried again by itself">
            <Loaded read={deliveries}>{({ items }) => <Table label="Deliveries" least={900} columns={columns} rows={items} rowKey={({ id, attempt, at }) => `${id} ${attempt} ${at}`} empty="Nothing was sent in the last days." />}</Loaded>
          </Section>
        </>
      )}
    </Loaded>
  );
}

function Controls({ of: webhook, path }: { of: WebhookView; path: string }) {
  const { name, status } = webhook;
  const [asking, setAsking] = useState<'change' | 'suspend' | 'rotate' | 'remove'>();
  const [key, setKey] = useState<NewKey>();
  const [, go] = useLocation();
  const close = () => setAsking(undefined);
  const pending = `webhook ${name}`;
  const command = (label: string, more: Pick<Command, 'method' | 'path' | 'body'>, type: string): Command => ({ key: pending, label, ...more, until: (event) => event.kind === 'webhook' && event.id === name && event.type === type });
  const rotate = async (): Promise<void> => setKey(await run<NewKey>(command(`Key of ${name}`, { path: `${path}/rotate-key`, body: {} }, 'WebhookKeyRotated'), { quiet: true }));
  const remove = async (): Promise<void> => {
    await run(command(`Webhook ${name} removed`, { method: 'DELETE', path }, 'WebhookRemoved'), { quiet: true });
    go('/settings/webhooks');
  };
  return (
    <>
      <div className="row wrap">
        <Test name={name} path={path} />
        <Act needs="webhooks:write" pending={pending} onPress={() => setAsking('change')}>Change</Act>
        {status === 'active' ? <Act needs="webhooks:write" pending={pending} onPress={() => setAsking('suspend')}>Suspend</Act> : <Act needs="webhooks:write" pending={pending} onPress={() => press(command(`Webhook ${name} resumed`, { path: `${path}/resume`, body: {} }, 'WebhookResumed'))}>Resume</Act>}
        <Act needs="webhooks:write" pending={pending} onPress={() => setAsking('rotate')}>New key</Act>
        <Act needs="webhooks:write" pending={pending} tone="danger" onPress={() => setAsking('remove')}>Remove</Act>
        <HistoryLink id={name} />
      </div>
      {asking === 'change' && <WebhookForm webhook={webhook} onClose={close} />}
      {asking === 'suspend' && <SuspendDialog name={name} onConfirm={(reason) => run(command(`Webhook ${name} suspended`, { path: `${path}/suspend`, body: reason === '' ? {} : { reason } }, 'WebhookSuspended'), { quiet: true })} onClose={close} />}
      {asking === 'rotate' && (
        <Dialog title={`New key for ${name}`} action="Make it" onConfirm={rotate} onClose={close}>
          <p>What is sent is signed with the new one, and for a day with the one before too.</p>
        </Dialog>
      )}
      {asking === 'remove' && (
        <Dialog title={`Remove ${name}`} action="Remove it" danger onConfirm={remove} onClose={close}>
          <p>Nothing more is sent there, nor what waits. One of its name later on signs with another key.</p>
        </Dialog>
      )}
      {key && <KeyShown of={key} onClose={() => setKey(undefined)} />}
    </>
  );
}

/** Sends one event that says nothing, and tells what became of it. */
function Test({ name, path }: { name: string; path: string }) {
  const [told, setTold] = useState<WebhookTest>();
  const [problem, setProblem] = useState<unknown>();
  const pending = `test webhook ${name}`;
  const test = (): void => {
    setProblem(undefined);
    run<WebhookTest>({ key: pending, label: `Test of ${name}`, path: `${path}/test` }, { quiet: true }).then(setTold, setProblem);
  };
  return (
    <>
      <Act needs="webhooks:write" pending={pending} onPress={test}>Send a test</Act>
      <span role="status" className="row">{told && <><Badge status={told.outcome} /> <span>{told.error ?? `answered ${told.status}`}, after {told.durationMs} ms</span></>}</span>
      <ProblemBox error={problem} />
    </>
  );
}

function SuspendDialog({ name, onConfirm, onClose }: { name: string; onConfirm: (reason: string) => Promise<unknown>; onClose: () => void }) {
  const [reason, setReason] = useState('');
  return (
    <Dialog title={`Suspend ${name}`} action="Suspend it" onConfirm={() => onConfirm(reason)} onClose={onClose}>
      <p>Nothing is sent for now; what happens waits until it is resumed.</p>
      <TextField label="Why (if you like)" value={reason} onValue={setReason} hint="kept in its history" />
    </Dialog>
  );
}
