import type { AuditEntry } from '@berth/client';
import { usePages } from '../../api/read';
import { KindLink } from '../../parts/links';
import { Badge, type Tone } from '../../ui/badge';
import { Filters, SelectFilter, TextFilter } from '../../ui/filters';
import { useParam } from '../../ui/params';
import { Table, type Column } from '../../ui/table';
import { stamp } from '../../ui/time';

const words: Record<AuditEntry['what'], { text: string; tone: Tone }> = { did: { text: 'did', tone: 'good' }, refused: { text: 'was refused', tone: 'bad' }, 'signed-in': { text: 'came or went', tone: 'busy' } };
const choices = (Object.keys(words) as AuditEntry['what'][]).map((what) => [what, words[what].text] as const);

const columns: readonly Column<AuditEntry>[] = [
  { id: 'time', head: 'When', width: '168px', cell: ({ time }) => <time dateTime={time} title={time}>{stamp(time)}</time> },
  { id: 'actor', head: 'Who', width: '18%', cell: ({ actor }) => <span title={actor}>{actor}</span> },
  { id: 'what', head: 'What', width: '116px', cell: ({ what }) => <Badge status={what} tone={words[what].tone}>{words[what].text}</Badge> },
  { id: 'of', head: 'Of', width: '18%', cell: ({ kind, id }) => kind !== 'access' && <><span className="quiet">{kind}</span> <KindLink kind={kind} id={id} /></> },
  { id: 'detail', head: 'Exactly', cell: ({ detail, events }) => <span title={detail ?? events.join(', ')}>{detail ?? events.join(', ')}</span> },
];

/** Who did what and who was refused what, the newest first. */
export default function Audit() {
  return (
    <>
      <Filters>
        <SelectFilter name="what" label="What" options={choices} />
        <TextFilter name="actor" label="Who" placeholder="token:NAME or user:EMAIL" />
      </Filters>
      <List />
    </>
  );
}

function List() {
  const [what] = useParam('what');
  const [actor] = useParam('actor');
  const list = usePages<AuditEntry>('audit', { what, actor });
  return <Table label="Audit" least={900} columns={columns} {...list} rowKey={({ position }) => String(position)} empty={what || actor ? 'Nothing is like that.' : 'Nobody has done anything yet.'} />;
}
