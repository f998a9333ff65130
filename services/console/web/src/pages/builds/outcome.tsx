import type { StepView } from '@berth/client';
import { Mark, markOf } from '../../graph/mark';
import { running, Since } from '../../ui/time';

/** How a step is, as a shape and a word. */
export function Outcome({ step }: { step: Pick<StepView, 'outcome' | 'allowed' | 'kind'> }) {
  const look = markOf(step);
  return <span className={`outcome text-${look.tone}`}><Mark of={look} /> {look.word}</span>;
}

/** How long it takes or took. */
export const StepTook = ({ step: { outcome, started, durationMs } }: { step: StepView }) => (outcome === 'running' && started !== null ? <Since at={started} /> : durationMs !== null ? <>{running(durationMs)}</> : null);
