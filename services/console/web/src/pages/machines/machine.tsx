import type { HardwareView, MachineView, ResourceView } from '@berth/client';
import { useState } from 'react';
import { Link, useLocation, useParams } from 'wouter';
import { run } from '../../api/commands';
import { useRead } from '../../api/read';
import { Act } from '../../parts/act';
import { allowed } from '../../parts/allow';
import { HardwareLink, HistoryLink, ResourceLink } from '../../parts/links';
import { Reserved } from '../../parts/reserved';
import { ServiceButtons, whyOut } from '../../parts/service';
import { Badge } from '../../ui/badge';
import { Dialog } from '../../ui/dialog';
import { Loaded } from '../../ui/empty';
import { Facts, Page, Section } from '../../ui/page';
import { Ago } from '../../ui/time';
import { pairs } from '../../words/text';
import { MachineForm } from './form';
import { stateOf } from './machines';

/** One machine. */
export default function Machine() {
  const { name = '' } = useParams<{ name: string }>();
  const read = useRead<MachineView>(`machines/${encodeURIComponent(name)}`);
  const { data } = read;
  const actions = data && (
    <>
      <HistoryLink id={name} />
      <ServiceButtons of={{ path: `machines/${name}`, name, host: data }} id={data.resource} />
      <Edit machine={data} />
      <Remove machine={data} />
    </>
  );
  return (
    <Page title={name} trail={<Link href="/machines">Machines</Link>} actions={actions}>
      <Loaded read={read}>
        {(machine) => (
          <div className="columns">
            <Section title="How it is"><State of={machine} /></Section>
            <Section title="How Berth gets in"><Access of={machine} /></Section>
          </div>
        )}
      </Loaded>
    </Page>
  );
}

function State({ of }: { of: MachineView }) {
  const { name, quarantined, held, busy, slots, attributes, facts, resource, added } = of;
  const hardware = useRead<HardwareView>(`hardware/${encodeURIComponent(name)}`);
  // A machine does not know it: its host does.
  const reserved = useRead<ResourceView>(`resources/${resource ?? ''}`, { enabled: resource !== null }).data?.reserved;
  return (
    <Facts
      of={[
        ['State', <Badge status={stateOf(of)} />],
        ['Why', whyOut(of)],
        ['Until', quarantined ? <Ago at={quarantined.until} /> : held && <Ago at={held.until} />],
        ['Slots', `${busy} of ${slots} in use`],
        ['Taken as a whole', reserved && <Reserved by={reserved} machine={name} />],
        ['Hardware', hardware.data ? <><HardwareLink name={name} /> <span className="quiet">{Object.keys(hardware.data.interfaces).join(', ')}</span></> : hardware.error?.code === 'unknown-hardware' && <span className="quiet">it is not said how it is managed</span>],
        ['Attributes', pairs(attributes)],
        ['For', allowed(of)],
        ['Found on it', pairs(facts)],
        ['Resource', resource !== null && <ResourceLink id={resource} />],
        ['Added', <Ago at={added} />],
      ]}
    />
  );
}

function Access({ of: { user, address, port, platform, credential, hostKey, folder } }: { of: MachineView }) {
  return (
    <Facts
      of={[
        ['Address', <span className="mono">{user}@{address}:{port}</span>],
        ['Platform', platform],
        ['Credential', <span className="mono">{credential}</span>],
        ['Host key', <span className="mono">{hostKey}</span>],
        ['Folder', folder === null ? <span className="quiet">as its blueprint says</span> : <span className="mono">{folder}</span>],
      ]}
    />
  );
}

function Edit({ machine }: { machine: MachineView }) {
  const [editing, setEditing] = useState(false);
  return (
    <>
      <Act pending={`change machine ${machine.name}`} onPress={() => setEditing(true)}>Edit</Act>
      {editing && <MachineForm of={machine} onClose={() => setEditing(false)} />}
    </>
  );
}

function Remove({ machine: { name, busy } }: { machine: MachineView }) {
  const [asking, setAsking] = useState(false);
  const [, go] = useLocation();
  const confirm = async (): Promise<void> => {
    await run({ key: `remove machine ${name}`, label: `Removal of ${name}`, method: 'DELETE', path: `machines/${name}` }, { quiet: true });
    go('/machines');
  };
  return (
    <>
      <Act tone="danger" pending={`remove machine ${name}`} onPress={() => setAsking(true)}>Remove</Act>
      {asking && (
        <Dialog title={`Remove ${name}`} action="Remove" danger onConfirm={confirm} onClose={() => setAsking(false)}>
          <p>It takes no new leases and its name is free. {busy > 0 ? `${busy === 1 ? 'The lease' : `The ${busy} leases`} on it ${busy === 1 ? 'goes' : 'go'} on until ${busy === 1 ? 'it is' : 'they are'} given back.` : 'Nothing is leased on it.'}</p>
        </Dialog>
      )}
    </>
  );
}
