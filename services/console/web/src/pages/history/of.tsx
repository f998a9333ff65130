import type { HistoryEntry } from '@berth/client';
import { Link, useParams } from 'wouter';
import { useWhole } from '../../api/read';
import { Timeline } from '../../parts/timeline';
import { Loaded } from '../../ui/empty';
import { Filters, SelectFilter, TextFilter } from '../../ui/filters';
import { Page } from '../../ui/page';
import { useParam } from '../../ui/params';
import { short } from '../../words/text';
import { sentence } from '../../words/words';

/** More are a page that nobody reads and a browser that stands still. */
const SHOWN = 1000;

/** Every event of one thing; of a build also those of what it used. */
export default function HistoryOf() {
  const { id = '' } = useParams<{ id: string }>();
  const read = useWhole<HistoryEntry>(`history/${encodeURIComponent(id)}`);
  const [kind] = useParam('kind');
  const [text] = useParam('text');
  const kinds = [...new Set(read.data?.items.map((entry) => entry.kind))];
  const wanted = (entry: HistoryEntry): boolean => (kind === '' || entry.kind === kind) && (text === '' || `${entry.type} ${entry.id} ${entry.actor} ${sentence(entry)}`.toLowerCase().includes(text.toLowerCase()));
  return (
    <Page title={`History of ${short(id)}`} trail={<Link href="/history">History</Link>}>
      <Filters>
        <TextFilter name="text" label="With the words" />
        {kinds.length > 1 && <SelectFilter name="kind" label="Of" options={kinds} />}
      </Filters>
      <Loaded read={read}>
        {({ items }) => {
          const found = items.filter(wanted);
          return (
            <>
              {found.length > SHOWN && <p className="quiet">The last {SHOWN} of {found.length} events: use words to find earlier ones.</p>}
              <Timeline entries={found.slice(-SHOWN)} own={id} />
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}
