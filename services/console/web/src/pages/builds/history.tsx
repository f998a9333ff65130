import type { HistoryEntry } from '@berth/client';
import { useWhole } from '../../api/read';
import { Timeline } from '../../parts/timeline';
import { Loaded } from '../../ui/empty';
import { Filters, SelectFilter } from '../../ui/filters';
import { useParam } from '../../ui/params';

/** More are a page that nobody reads and a browser that stands still. */
const SHOWN = 1000;

/** Every event of a build and of what it used, in words. */
export function BuildHistory({ id }: { id: string }) {
  const [kind] = useParam('kind');
  const read = useWhole<HistoryEntry>(`history/${id}`);
  return (
    <>
      <Filters><SelectFilter name="kind" label="Of" all="the build and all that it used" options={[['build', 'the build alone'], ['lease', 'its leases'], ['resource', 'its resources'], ['action', 'what it did on hosts']]} /></Filters>
      <Loaded read={read}>
        {({ items }) => {
          const found = items.filter((entry) => kind === '' || entry.kind === kind);
          return (
            <>
              {found.length > SHOWN && <p className="quiet">The last {SHOWN} of {found.length} events.</p>}
              <Timeline entries={found.slice(-SHOWN)} own={id} />
            </>
          );
        }}
      </Loaded>
    </>
  );
}
