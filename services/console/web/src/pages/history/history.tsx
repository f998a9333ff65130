import type { HistoryEntry, LiveEvent } from '@berth/client';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { useLocation } from 'wouter';
import { useFeed } from '../../api/feed';
import { Timeline } from '../../parts/timeline';
import { Empty } from '../../ui/empty';
import { TextField } from '../../ui/field';
import { Page, Section } from '../../ui/page';
import { Past } from './past';

const KEPT = 200;
const SHOWN_EVERY_MS = 400;

/** Looks for the history of anything, and shows how everything was and what happens now. */
export default function History() {
  const [id, setId] = useState('');
  const [, go] = useLocation();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (id.trim() !== '') go(`/history/${encodeURIComponent(id.trim())}`);
  };
  return (
    <Page title="History">
      <form className="filters" role="search" onSubmit={submit}>
        <TextField label="Id or name" value={id} onValue={setId} size={44} placeholder="of a build, lease, resource, machine, blueprint, plan…" />
        <button className="button">Show</button>
      </form>
      <Past />
      <Now />
    </Page>
  );
}

/** The last events since the page was opened, the newest first. */
function Now() {
  const [shown, setShown] = useState<readonly HistoryEntry[]>([]);
  const heard = useRef<{ entries: HistoryEntry[]; nth: number }>({ entries: [], nth: 0 });
  useFeed((event: LiveEvent) => {
    const { kind, id, type, data, at, actor } = event;
    heard.current.entries = [{ sequence: ++heard.current.nth, time: at, kind, id, type, data, actor, cause: '' }, ...heard.current.entries].slice(0, KEPT);
  });
  useEffect(() => {
    const timer = setInterval(() => setShown(heard.current.entries), SHOWN_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <Section title="Now" note="what happens while you look, the newest first">
      {shown.length === 0 ? <Empty>Nothing has happened since you opened this page.</Empty> : <Timeline entries={shown} />}
    </Section>
  );
}
