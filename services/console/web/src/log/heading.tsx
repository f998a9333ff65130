import { Mark, markOf } from '../graph/mark';
import type { Section } from './sections';

/** Above the lines of one try of a step. */
export function Heading({ of: { step, attempt, now, running }, lines, open, onOpen }: { of: Section; lines: number; open: boolean; onOpen: (open: boolean) => void }) {
  return (
    <div className="log-head">
      <button type="button" aria-expanded={open} onClick={() => onOpen(!open)}>
        <span aria-hidden>{open ? '▾' : '▸'}</span>
        {now && <Mark of={markOf(now)} />}
        {step}
        <span className="quiet">
          {attempt > 1 && `try ${attempt}, `}
          {now ? markOf(now).word : 'an earlier try'}, {lines === 0 ? (running ? 'has printed nothing yet' : 'printed nothing') : `${lines} ${lines === 1 ? 'line' : 'lines'}`}
        </span>
      </button>
    </div>
  );
}
