import type { AttemptView } from '@berth/client';
import { Badge } from '../../ui/badge';
import { Empty } from '../../ui/empty';
import { Since, span, stamp } from '../../ui/time';

/** Each try of each method, in order: how far it came, how it ended, and what it said. */
export function Attempts({ of }: { of: readonly AttemptView[] }) {
  if (of.length === 0) return <Empty>Nothing was tried yet.</Empty>;
  return (
    <ol className="attempts" aria-label="Attempts">
      {of.map((attempt) => <li key={attempt.attempt}><Attempt of={attempt} /></li>)}
    </ol>
  );
}

const clock = (at: string): string => stamp(at).slice(11);

function Attempt({ of: { attempt, method, outcome, steps, fault, error, output, startedAt, durationMs } }: { of: AttemptView }) {
  const isSkipped = outcome === 'skipped';
  return (
    <>
      <div className="row wrap">
        <strong>{attempt}. {method}</strong>
        <Badge status={outcome} />
        {fault !== null && <span className="quiet">{fault}</span>}
        {!isSkipped && <span className="quiet"><time dateTime={startedAt} title={stamp(startedAt)}>{clock(startedAt)}</time>, {durationMs === null ? <Since at={startedAt} /> : <>took {span(durationMs)}</>}</span>}
      </div>
      {steps.length > 0 && <div className="quiet">{steps.map(({ step, at }, i) => <span key={i}>{i > 0 && ' → '}{step} <time dateTime={at} title={stamp(at)}>{clock(at)}</time></span>)}</div>}
      {error !== null && <div className={isSkipped ? 'quiet' : 'text-bad'}>{error}</div>}
      {output !== null && output !== '' && <details><summary>What it said</summary><pre className="details" tabIndex={0} aria-label={`What attempt ${attempt} said`}>{output}</pre></details>}
    </>
  );
}
