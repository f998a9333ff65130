import './log.css';
import type { BuildView } from '@berth/client';
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore, type ReactNode } from 'react';
import { useParam } from '../ui/params';
import { Empty } from '../ui/empty';
import { ProblemBox } from '../ui/problem';
import { Bar } from './bar';
import { Heading } from './heading';
import { LogLine } from './line';
import { hashOf, Rows, spotOf } from './rows';
import { useSearch } from './search';
import type { Section } from './sections';
import { httpSource } from './source';
import { LogStore } from './store';
import { useSections } from './use-sections';
import { Viewport } from './viewport';

/** How often it is asked what was printed. */
const AGAIN_MS = 500;
/** What is looked at for so long is read. */
const REST_MS = 60;
interface Spot {
  section: number;
  line: number;
}
const foldKey = (section: number, firstLine: number): string => `${section}:${firstLine}`;

/** What a build prints, as it prints it: all of its steps or one. */
export function Log({ build }: { build: BuildView }) {
  const { sections, error } = useSections(build);
  const [step] = useParam('step');
  const shown = useMemo(() => sections?.filter((one) => step === '' || one.step === step), [sections, step]);
  if (error) return <ProblemBox error={error} />;
  if (!shown) return <div className="empty" aria-busy="true">Loading…</div>;
  // What is looked at in one step has no place in another.
  return <Sections key={step} build={build} sections={shown} step={step} />;
}

function Sections({ build, sections, step }: { build: BuildView; sections: readonly Section[]; step: string }) {
  const [store] = useState(() => new LogStore(httpSource));
  const version = useSyncExternalStore(store.watch, store.current);
  const [times, setTimes] = useParam('times');
  const { search, type, move } = useSearch(build.id, step);
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [closed, setClosed] = useState<ReadonlyMap<number, boolean>>(new Map());
  const [here, goTo] = useHere(sections);
  const [goal, setGoal] = useState<Spot | undefined>(here);
  const [reveal, setReveal] = useState<{ row: number }>();
  const [follow, setFollow] = useState(() => here === undefined && sections.some(({ running, now }) => running || now?.outcome === 'failed'));
  useReading(store, sections);

  // Earlier tries are folded unless one asks for them.
  const isClosed = useCallback((one: Section) => closed.get(one.section) ?? (one.now === undefined && sections.some((other) => other.step === one.step && other.section > one.section)), [closed, sections]);
  const rows = useMemo(() => {
    void version;
    return new Rows(
      sections.map((one) => ({
        section: one.section, lines: store.countOf(one.action), open: !isClosed(one),
        folded: one.groups.filter(({ firstLine }) => folded.has(foldKey(one.section, firstLine))),
      })),
    );
  }, [sections, store, version, isClosed, folded]);

  const match = search.matches[search.index];
  useEffect(() => {
    if (!match) return;
    setFollow(false);
    setGoal(match);
  }, [match]);
  const [seen, setSeen] = useState(here);
  if (seen !== here) {
    setSeen(here);
    setGoal(here);
  }
  useEffect(() => {
    const one = goal && sections.find(({ section }) => section === goal.section);
    if (!goal || !one) return;
    const hiding = one.groups.filter(({ firstLine, lastLine }) => folded.has(foldKey(one.section, firstLine)) && firstLine < goal.line && goal.line <= (lastLine ?? Infinity));
    if (isClosed(one)) setClosed((now) => new Map(now).set(one.section, false));
    else if (hiding.length > 0) setFolded((now) => new Set([...now].filter((key) => !hiding.some(({ firstLine }) => key === foldKey(one.section, firstLine)))));
    else {
      const row = rows.rowOf(goal.section, goal.line);
      // It may be counted yet.
      if (row === undefined) return;
      setFollow(false);
      setReveal({ row });
      // Meanwhile it may be another one.
      setGoal((now) => (now === goal ? undefined : now));
    }
  }, [goal, sections, folded, isClosed, rows]);

  const onFold = useCallback((section: number, firstLine: number) => setFolded((now) => toggled(now, foldKey(section, firstLine))), []);
  const onPlace = useCallback((section: number, line: number) => goTo({ section, line }, false), [goTo]);
  const groups = useMemo(() => new Map(sections.flatMap(({ section, groups: its }) => its.map((group) => [foldKey(section, group.firstLine), group] as const))), [sections]);
  const all = sections.every(isClosed);
  const render = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => {
      const row = rows.at(from + i);
      const one = row && sections.find(({ section }) => section === row.section);
      if (!row || !one) return null;
      if (row.kind === 'heading') return <Heading key={`h${row.section}`} of={one} lines={store.countOf(one.action)} open={!isClosed(one)} onOpen={(open) => setClosed((now) => new Map(now).set(one.section, !open))} />;
      const { section, line } = row;
      const key = foldKey(section, line);
      const isHere = (spot: Spot | undefined) => spot?.section === section && spot.line === line;
      return <LogLine key={key} section={section} n={line} line={store.line(one.action, line)} times={times !== ''} wanted={search.text} here={isHere(match) || (!match && isHere(here))} group={groups.get(key)} folded={folded.has(key)} onFold={onFold} onPlace={onPlace} />;
    });

  return (
    <div className="log">
      <Bar
        build={build} step={step} search={search} onType={type} onMove={move} follow={follow} onFollow={setFollow} times={times !== ''} onTimes={(on) => setTimes(on ? '1' : undefined)}
        closed={all} onClose={(close) => setClosed(new Map(sections.map(({ section }) => [section, close])))} onGo={(text) => goToText(text, sections, (spot) => goTo(spot, true))}
      />
      <ProblemBox error={search.problem ?? store.problem} />
      {sections.length === 0 ? <Empty>{step === '' ? 'No step has begun on a host yet.' : `${step} has not begun, or prints nothing.`}</Empty> : (
        <Viewport label={step === '' ? `Log of ${build.plan}` : `Log of ${step}`} rows={rows.count} follow={follow} onFollow={setFollow} reveal={reveal}>
          {(from, to) => <Seen store={store} sections={sections} rows={rows} from={from} to={to}>{render(from, to)}</Seen>}
        </Viewport>
      )}
    </div>
  );
}

/** Has what is seen read. */
function Seen({ store, sections, rows, from, to, children }: { store: LogStore; sections: readonly Section[]; rows: Rows; from: number; to: number; children: ReactNode }) {
  useEffect(() => {
    const read = (): void => {
      for (let at = from; at < to; at++) {
        const row = rows.at(at);
        const one = row?.kind === 'line' && sections.find(({ section }) => section === row.section);
        if (row?.kind === 'line' && one && !store.line(one.action, row.line)) store.want(one.action, row.line, row.line);
      }
    };
    // What is only passed on the way to somewhere else is not read.
    const soon = setTimeout(read, REST_MS);
    // What could not be read is tried again.
    const again = setInterval(read, 4 * AGAIN_MS);
    return () => {
      clearTimeout(soon);
      clearInterval(again);
    };
  }, [store, sections, rows, from, to]);
  return <>{children}</>;
}

/** Keeps count of the lines there are. */
function useReading(store: LogStore, sections: readonly Section[]): void {
  useEffect(() => {
    for (const { action, lines } of sections) if (lines !== null) store.counted(action, lines);
  }, [store, sections]);
  const growing = sections.filter(({ lines }) => lines === null).map(({ action }) => action).join(' ');
  useEffect(() => {
    if (growing === '') return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const again = async (): Promise<void> => {
      // Nobody looks at a hidden page.
      if (!document.hidden) await Promise.all(growing.split(' ').map((action) => store.catchUp(action)));
      if (!over) timer = setTimeout(() => void again(), AGAIN_MS);
    };
    void again();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [store, growing]);
  useEffect(() => () => store.stop(), [store]);
}

/** The line that the address leads to, and how to lead it elsewhere. */
function useHere(sections: readonly Section[]): [Spot | undefined, (spot: Spot, move: boolean) => void] {
  const [hash, setHash] = useState(location.hash);
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    const changed = (): void => setHash(location.hash);
    window.addEventListener('hashchange', changed);
    return () => window.removeEventListener('hashchange', changed);
  }, []);
  const numbers = sections.map(({ section }) => section).join(' ');
  // Asked for again it is another object, so that it is shown again.
  const here = useMemo(() => {
    void asked;
    return spotOf(hash, numbers === '' ? [] : numbers.split(' ').map(Number));
  }, [hash, numbers, asked]);
  const goTo = useCallback(({ section, line }: Spot, move: boolean) => {
    const next = hashOf(section, line);
    history.replaceState(history.state, '', `${location.pathname}${location.search}${next}`);
    setHash(next);
    if (move) setAsked((now) => now + 1);
  }, []);
  return [here, goTo];
}

/** "120" is a line of the last section, "2:120" of section 2. */
function goToText(text: string, sections: readonly Section[], go: (spot: Spot) => void): boolean {
  const spot = spotOf(`#L${text.trim()}`, sections.map(({ section }) => section));
  if (!spot || !sections.some(({ section }) => section === spot.section)) return false;
  go(spot);
  return true;
}

function toggled<T>(set: ReadonlySet<T>, key: T): ReadonlySet<T> {
  const next = new Set(set);
  if (!next.delete(key)) next.add(key);
  return next;
}
