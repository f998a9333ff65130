import './graph.css';
import type { StepView } from '@berth/client';
import { useMemo, useRef, type KeyboardEvent } from 'react';
import { running, Since } from '../ui/time';
import { layout, neighbour, type Layout, type Spot } from './layout';
import { Mark, markOf } from './mark';

const WIDTH = 172;
const HEIGHT = 32;
const ACROSS = 44;
const DOWN = 14;
const EDGE = 14;

const left = ({ column }: Spot): number => EDGE + column * (WIDTH + ACROSS);
const top = ({ row }: Spot): number => EDGE + row * (HEIGHT + DOWN);

/** A curve from the right of a node to the left of another, level through the columns between them. */
function curve(way: readonly Spot[]): string {
  let path = '';
  for (const [i, spot] of way.entries()) {
    const [x, y] = [left(spot), top(spot) + HEIGHT / 2];
    if (i === 0) path = `M${x + WIDTH} ${y}`;
    else {
      path += ` c${ACROSS / 2} 0 ${ACROSS / 2} ${y - (top(way[i - 1]!) + HEIGHT / 2)} ${ACROSS} ${y - (top(way[i - 1]!) + HEIGHT / 2)}`;
      if (i < way.length - 1) path += ` h${WIDTH}`;
    }
  }
  return path;
}

/** Steps and what each needs, from left to right. The table of steps says the same in words. */
export function Graph({ steps, chosen, onChoose }: { steps: readonly StepView[]; chosen: string; onChoose: (id: string) => void }) {
  const area = useRef<HTMLDivElement>(null);
  // It changes with the plan alone, not with every second of a step.
  const shape = JSON.stringify(steps.map(({ needs }) => needs));
  const its: Layout = useMemo(() => layout((JSON.parse(shape) as number[][]).map((needs) => ({ needs }))), [shape]);
  const over = (index: number) => steps[index]!.outcome !== 'waiting' && steps[index]!.outcome !== 'running';
  const edges = { 'have-been': its.edges.filter(({ from }) => over(from)), 'to-come': its.edges.filter(({ from }) => !over(from)) };
  const width = its.columns * (WIDTH + ACROSS) - ACROSS + 2 * EDGE;
  const height = its.rows * (HEIGHT + DOWN) - DOWN + 2 * EDGE;
  const first = Math.max(0, steps.findIndex(({ id }) => id === chosen));

  const onKeyDown = (index: number) => (event: KeyboardEvent) => {
    const next = event.key === 'Home' ? 0 : event.key === 'End' ? steps.length - 1 : neighbour(its, index, event.key);
    if (next === undefined) return;
    event.preventDefault();
    (area.current!.querySelectorAll('button')[next] as HTMLElement).focus();
  };
  return (
    <div className="graph" role="group" aria-label="Graph of the steps; arrow keys lead from one to the next">
      <div className="graph-area" ref={area} style={{ width, height }}>
        <svg className="edges" width={width} height={height} aria-hidden focusable="false">
          {Object.entries(edges).map(([name, some]) => <path key={name} className={`edge ${name}`} d={some.map(({ way }) => curve(way)).join(' ')} />)}
        </svg>
        {steps.map((step, index) => {
          const look = markOf(step);
          const spot = its.spots[index]!;
          return (
            <button
              key={step.id} type="button" className={`graph-node ${look.tone}`} style={{ left: left(spot), top: top(spot), width: WIDTH, height: HEIGHT }}
              tabIndex={index === first ? 0 : -1} aria-pressed={step.id === chosen} title={`${step.name}: ${look.word}`} onClick={() => onChoose(step.id)} onKeyDown={onKeyDown(index)}
            >
              <Mark of={look} />
              <span className="name">{step.name}<span className="hidden-visually">, {look.word}</span></span>
              <span className="took">{step.outcome === 'running' && step.started !== null ? <Since at={step.started} /> : step.durationMs !== null && step.outcome !== 'skipped' && running(step.durationMs)}</span>
            </button>
          );
        })}
      </div>
    </div>
  );
}
