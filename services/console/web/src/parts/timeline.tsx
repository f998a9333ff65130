import type { HistoryEntry } from '@berth/client';
import { useState } from 'react';
import { Empty } from '../ui/empty';
import { stamp } from '../ui/time';
import { shortened } from '../words/text';
import { KindLink } from './links';
import { sentence } from '../words/words';

/** Events in order, each in words, with all that it says on asking. */
export function Timeline({ entries, own }: { entries: readonly HistoryEntry[]; own?: string }) {
  if (entries.length === 0) return <Empty>Nothing has happened.</Empty>;
  return (
    <ol className="timeline">
      {entries.map((entry, i) => <Entry key={`${entry.sequence}.${i}`} entry={entry} day={dayOf(entry) === dayOf(entries[i - 1]) ? undefined : dayOf(entry)} own={own} />)}
    </ol>
  );
}

const dayOf = (entry: HistoryEntry | undefined): string | undefined => entry && stamp(entry.time).slice(0, 10);

function Entry({ entry, day, own }: { entry: HistoryEntry; day: string | undefined; own: string | undefined }) {
  const [open, setOpen] = useState(false);
  const { time, kind, id, actor, sequence, type } = entry;
  return (
    <>
      {day !== undefined && <li className="day">{day}</li>}
      <li>
        <time dateTime={time} title={time} className="mono quiet">{stamp(time).slice(11)}.{time.replace(/^.*\.(\d{1,3}).*$|.*/, '$1').padEnd(3, '0')}</time>
        <span className="said">
          {id !== own && <span className="quiet">{kind} <KindLink kind={kind} id={id} />: </span>}
          {sentence(entry)}
          {open && <pre className="details" tabIndex={0}>{JSON.stringify(entry.data, null, 2)}</pre>}
        </span>
        <span className="quiet clip" title={`by ${actor}`}>{shortened(actor)}</span>
        <button type="button" className="button small bare mono" aria-expanded={open} onClick={() => setOpen(!open)} title={type}>
          {sequence}
          <span className="hidden-visually"> {type}, details</span>
        </button>
      </li>
    </>
  );
}
