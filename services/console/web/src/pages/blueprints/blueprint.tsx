import type { BlueprintView, ResourceView } from '@berth/client';
import { useState } from 'react';
import { Link, useLocation, useParams } from 'wouter';
import { stringify } from 'yaml';
import { press, run } from '../../api/commands';
import { useRead } from '../../api/read';
import { Act } from '../../parts/act';
import { allowed } from '../../parts/allow';
import { HistoryLink, ResourceLink } from '../../parts/links';
import { SlotBar, slotText } from '../../parts/slot-bar';
import { Badge } from '../../ui/badge';
import { Dialog } from '../../ui/dialog';
import { Loaded } from '../../ui/empty';
import { TextField } from '../../ui/field';
import { Facts, Page, Section } from '../../ui/page';
import { Table, type Column } from '../../ui/table';
import { Ago } from '../../ui/time';
import { pairs } from '../../words/text';
import { wordOf } from './blueprints';

/** One blueprint: how it is set, how its launches go, what it has made. */
export default function Blueprint() {
  const { name = '' } = useParams<{ name: string }>();
  const read = useRead<BlueprintView>(`blueprints/${encodeURIComponent(name)}`);
  return (
    <Page title={name} trail={<Link href="/blueprints">Blueprints</Link>} actions={read.data && <Actions of={read.data} />}>
      <Loaded read={read}>
        {(blueprint) => (
          <>
            <div className="columns">
              <Section title="How it is"><State of={blueprint} /></Section>
              <Section title="As it is set" note={blueprint.version === 0 ? 'built in' : <>version {blueprint.version}{blueprint.saved !== null && <>, <Ago at={blueprint.saved} /></>}</>}>
                <pre className="details" tabIndex={0} aria-label="Specification">{stringify(blueprint.spec)}</pre>
              </Section>
            </div>
            <Section title="Resources" note={`${blueprint.resources.length} now`}>
              <Table label="Resources" columns={columns} rows={blueprint.resources} rowKey={({ id }) => id} empty="It has made nothing, or nothing of it is left." />
            </Section>
          </>
        )}
      </Loaded>
    </Page>
  );
}

const columns: readonly Column<ResourceView>[] = [
  { id: 'name', head: 'Resource', width: '30%', sort: ({ name }) => name, cell: ({ id, name }) => <ResourceLink id={id} name={name} /> },
  { id: 'state', head: 'State', width: '120px', sort: ({ state }) => state, cell: ({ state }) => <Badge status={state} /> },
  { id: 'busy', head: 'Slots', width: '70px', number: true, sort: ({ busy }) => busy, cell: ({ busy, slots }) => `${busy} / ${slots}` },
  { id: 'attributes', head: 'Attributes', cell: ({ attributes }) => <span className="quiet" title={pairs(attributes)}>{pairs(attributes)}</span> },
  { id: 'created', head: 'Since', width: '110px', number: true, sort: ({ created }) => -Date.parse(created), cell: ({ created }) => <Ago at={created} /> },
];

function State({ of }: { of: BlueprintView }) {
  const { kind, type, answersTo, description, spec, attributes, slots, disabledReason, breaker, lastFailure, refusedOffers } = of;
  const { status, text } = wordOf(of);
  return (
    <Facts
      of={[
        ['State', <Badge status={status}>{text}</Badge>],
        ['Disabled', disabledReason],
        ['Breaker', breaker && <>{breaker.reason} ({breaker.failures} failures); tries again <Ago at={breaker.until} /></>],
        ['Last failure', lastFailure && <>{lastFailure.error} <span className="quiet">({lastFailure.fault}{lastFailure.offer !== null && `, ${lastFailure.offer}`})</span>, <Ago at={lastFailure.at} /></>],
        ['Not to be had', refusedOffers.map(({ offer, error, until }) => <div key={offer}>{offer}: {error}, until <Ago at={until} /></div>)],
        ['For', allowed(spec)],
        ['Kind', kind],
        ['Answers to', `${answersTo} (${type})`],
        ['Description', description],
        ['Attributes', pairs(attributes)],
        ['Slots', <><SlotBar slots={slots} />{slotText(slots)}</>],
      ]}
    />
  );
}

function Actions({ of: { name, enabled, version } }: { of: BlueprintView }) {
  const [asking, setAsking] = useState<'disable' | 'remove'>();
  const [reason, setReason] = useState('');
  const [, go] = useLocation();
  const path = `blueprints/${name}`;
  const key = `enable ${name}`;
  const seen = (type: string) => ({ until: (event: { kind: string; id: string; type: string }) => event.kind === 'blueprint' && event.id === name && event.type === type });
  const disable = () => run({ key, label: `${name} disabled`, path: `${path}/disable`, body: reason === '' ? {} : { reason }, ...seen('BlueprintDisabled') }, { quiet: true });
  const remove = async (): Promise<void> => {
    await run({ key: `remove ${name}`, label: `Removal of ${name}`, method: 'DELETE', path }, { quiet: true });
    go('/blueprints');
  };
  return (
    <>
      <Act onPress={() => go(`/blueprints/${name}/edit`)}>Edit</Act>
      <HistoryLink id={name} />
      {enabled ? <Act pending={key} onPress={() => setAsking('disable')}>Disable</Act> : <Act pending={key} onPress={() => press({ key, label: `${name} enabled`, path: `${path}/enable`, ...seen('BlueprintEnabled') })}>Enable</Act>}
      {version > 0 && <Act tone="danger" onPress={() => setAsking('remove')}>Remove</Act>}
      {asking === 'disable' && (
        <Dialog title={`Disable ${name}`} action="Disable" onConfirm={disable} onClose={() => setAsking(undefined)}>
          <p>It serves no requests until it is enabled again. What is leased goes on.</p>
          <TextField label="Why (if you like)" value={reason} onValue={setReason} hint="told to whoever waits for it" />
        </Dialog>
      )}
      {asking === 'remove' && (
        <Dialog title={`Remove ${name}`} action="Remove" danger onConfirm={remove} onClose={() => setAsking(undefined)}>
          <p>Its name is free. One that is built in comes back as it was.</p>
        </Dialog>
      )}
    </>
  );
}
