import { memo } from 'react';
import { stamp } from '../ui/time';
import { marked, piecesOf } from './ansi';
import { hashOf } from './rows';
import type { Group } from './sections';
import type { Line } from './store';

/** More of one line is in the download: nobody reads it here, and it makes the browser slow. */
const SHOWN = 10_000;
const LEFT_OUT = /^\[\.\.\. \d+ bytes (left out|are missing) \.\.\.\]$/;
const GROUP = /^::group::(.*)$/;

interface LineProps {
  section: number;
  n: number;
  /** undefined: not here yet */
  line: Line | undefined;
  times: boolean;
  wanted: string;
  /** the address leads to it, or the search */
  here: boolean;
  group: Group | undefined;
  folded: boolean;
  onFold: (section: number, firstLine: number) => void;
  onPlace: (section: number, line: number) => void;
}

/** One line of a log. */
export const LogLine = memo(function LogLine({ section, n, line, times, wanted, here, group, folded, onFold, onPlace }: LineProps) {
  const error = line?.stream === 'stderr';
  const cut = line !== undefined && LEFT_OUT.test(line.text);
  return (
    <div className={`log-line${here ? ' here' : ''}${error ? ' stderr' : ''}${cut ? ' cut' : ''}`} data-line={`${section}:${n}`} {...(here && { 'aria-current': 'location' as const })}>
      <a
        className="no"
        href={hashOf(section, n)}
        tabIndex={-1}
        aria-label={`Line ${n}`}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          onPlace(section, n);
        }}
      >
        {n}
      </a>
      {times && <time className="at" {...(line?.time && { dateTime: line.time, title: line.time })}>{line?.time ? stamp(line.time).slice(11) : ''}</time>}
      <span className="out">{error && <abbr title="written to stderr">err</abbr>}</span>
      {group && <button type="button" className="fold" aria-expanded={!folded} onClick={() => onFold(section, group.firstLine)} aria-label={`${group.name}, lines`}>{folded ? '▸' : '▾'}</button>}
      {group ? <span className="group">{GROUP.exec(line?.text ?? '')?.[1] ?? group.name}{folded && <span className="quiet"> {group.lastLine === null ? 'goes on' : `${group.lastLine - group.firstLine} lines`}</span>}</span> : <Text line={line} wanted={wanted} />}
    </div>
  );
});

function Text({ line, wanted }: { line: Line | undefined; wanted: string }) {
  if (!line) return <span className="quiet">…</span>;
  const long = line.text.length - SHOWN;
  return (
    <span className="text">
      {marked(piecesOf(line.text.slice(0, SHOWN)), wanted).map(({ text, style: { classes, color, background }, hit }, i) => {
        const className = classes.join(' ');
        const style = { ...(color !== undefined && { color }), ...(background !== undefined && { background }) };
        return hit ? <mark key={i}>{text}</mark> : className === '' && color === undefined && background === undefined ? text : <span key={i} className={className} style={style}>{text}</span>;
      })}
      {long > 0 && <span className="cut"> … {long} more characters of this line are in the download</span>}
    </span>
  );
}
