import type { BuildView, ChannelView, ImageView } from '@berth/client';
import type { AssignedBy } from '@berth/contracts';
import { useState } from 'react';
import { Link } from 'wouter';
import { run } from '../../api/commands';
import { useRead, useWhole } from '../../api/read';
import { useHas } from '../../api/session';
import { Act } from '../../parts/act';
import { BuildLink, VersionLink } from '../../parts/links';
import { Badge } from '../../ui/badge';
import { Bar } from '../../ui/bar';
import { Dialog } from '../../ui/dialog';
import { Loaded } from '../../ui/empty';
import { Facts, Section } from '../../ui/page';
import { Table, type Column } from '../../ui/table';
import { Ago } from '../../ui/time';
import { ChangeChannel, ChannelForm } from './channel-form';
import { AssignDialog, RollbackDialog } from './move';

/** Always there, and always the newest. */
const LATEST = 'latest';

/** The channels of an image: where each points, and why. */
export function Channels({ image }: { image: ImageView }) {
  const read = useWhole<ChannelView>('channels', { query: { image: image.name } });
  const [making, setMaking] = useState(false);
  const has = useHas('images:write');
  return (
    <Loaded read={read}>
      {({ items }) => (
        <>
          {has && <div className="row"><Act needs="images:write" onPress={() => setMaking(true)}>New channel</Act></div>}
          {items.map((channel) => <Channel key={channel.id} of={channel} />)}
          {making && <ChannelForm image={image.name} taken={items.map((one) => one.channel)} onClose={() => setMaking(false)} />}
        </>
      )}
    </Loaded>
  );
}

type Asking = 'assign' | 'retest' | 'rollback' | 'change' | 'remove';

function Channel({ of }: { of: ChannelView }) {
  const { channel, version, number, managed, test, testing, lastTest, history } = of;
  const [asking, setAsking] = useState<Asking>();
  const has = useHas('images:write');
  const close = (): void => setAsking(undefined);
  return (
    <Section
      title={channel} note={managed ? 'follows what is built' : 'moves when somebody says so'}
      actions={has && <Buttons of={of} onAsk={setAsking} />}
    >
      <Facts
        of={[
          ['Points at', version === null ? <span className="quiet">no version</span> : <VersionLink id={version} number={number} />],
          ['Test', test !== null && <><Link href={`/plans/${encodeURIComponent(test)}`}>{test}</Link> must pass on a host booted from a version before</>],
          ['Being tested', testing && <Testing of={testing} />],
          ['Last test', lastTest && <><VersionLink id={lastTest.version} number={lastTest.number} /> <Badge status={lastTest.passed ? 'passed' : 'failed'} /> <BuildLink id={lastTest.build} /> <Ago at={lastTest.at} />{lastTest.error !== null && <div className="text-bad">{lastTest.error}</div>}</>],
        ]}
      />
      <Table label={`History of ${channel}`} least={620} columns={columns} rows={history} rowKey={({ at, version: to }) => `${at} ${to ?? ''}`} empty="It has pointed at nothing yet." sortParam={`history-${channel}`} />
      {asking === 'assign' && <AssignDialog channel={of} onClose={close} />}
      {asking === 'retest' && <AssignDialog channel={of} again onClose={close} />}
      {asking === 'rollback' && <RollbackDialog channel={of} onClose={close} />}
      {asking === 'change' && <ChangeChannel channel={of} onClose={close} />}
      {asking === 'remove' && <RemoveDialog channel={of} onClose={close} />}
    </Section>
  );
}

function Buttons({ of: { id, channel, version, lastTest, testing }, onAsk }: { of: ChannelView; onAsk: (asking: Asking) => void }) {
  const act = (asking: Asking, text: string, label: string, why?: string) => (
    <Act key={asking} needs="images:write" small pending={`${asking === 'retest' ? 'assign' : asking} ${id}`} label={label} why={why} {...(asking === 'remove' && { tone: 'danger' as const })} onPress={() => onAsk(asking)}>{text}</Act>
  );
  const failed = lastTest !== null && !lastTest.passed && lastTest.version !== version && testing === null;
  return (
    <>
      {failed && act('retest', 'Test again', `Test again for ${channel}: version ${lastTest.number}`)}
      {act('assign', 'Assign', `Assign ${channel}`)}
      {act('rollback', 'Roll back', `Roll back ${channel}`, version === null ? 'It points at nothing' : undefined)}
      {act('change', 'Change', `Change ${channel}`)}
      {channel !== LATEST && act('remove', 'Remove', `Remove ${channel}`)}
    </>
  );
}

/** The test that is under way, as it goes. */
function Testing({ of: { version, number, build, attempt } }: { of: NonNullable<ChannelView['testing']> }) {
  const { data } = useRead<BuildView>(`builds/${build}`);
  return (
    <div className="now">
      <VersionLink id={version} number={number} />
      {data && <Badge status={data.status} />}
      {data && <Bar small tone="busy" percent={data.percent} label={`Test of version ${number}`} />}
      <span>build <BuildLink id={build} />{attempt > 1 && `, try ${attempt}`}</span>
      <span className="quiet" role="status">{data?.activity ?? 'its build has not begun yet'}</span>
    </div>
  );
}

/** How a channel came to point where it does. */
const ways: Record<AssignedBy, string> = { assign: 'assigned', managed: 'followed what was built', rollback: 'rolled back', revoke: 'what it pointed at was revoked', delete: 'what it pointed at was removed' };
type Entry = ChannelView['history'][number];
const columns: readonly Column<Entry>[] = [
  { id: 'at', head: 'When', width: '104px', cell: ({ at }) => <Ago at={at} /> },
  { id: 'version', head: 'Points at', width: '110px', cell: ({ version, number }) => (version === null ? <span className="quiet">nothing</span> : <VersionLink id={version} number={number} />) },
  { id: 'by', head: 'How', width: '200px', cell: ({ by }) => ways[by] },
  { id: 'reason', head: 'Why', cell: ({ reason }) => <span title={reason ?? ''}>{reason}</span> },
  { id: 'who', head: 'Who', width: '18%', cell: ({ who }) => <span className="quiet" title={who}>{who}</span> },
];

function RemoveDialog({ channel: { id, channel, image }, onClose }: { channel: ChannelView; onClose: () => void }) {
  const confirm = () => run({ key: `remove ${id}`, label: `Removal of ${id}`, method: 'DELETE', path: `channels/${encodeURIComponent(id)}`, until: (event) => event.kind === 'image' && event.id === image && event.type === 'ChannelRemoved' }, { quiet: true });
  return (
    <Dialog title={`Remove ${channel}`} action="Remove" danger onConfirm={confirm} onClose={onClose}>
      <p>Its name is free. The version that it points at stays.</p>
    </Dialog>
  );
}
