import type { BuildView } from '@berth/client';
import { Link } from 'wouter';
import { plainOf } from '../../log/ansi';

/** Why a build did not pass, with what its step printed last. */
export function Failure({ build: { id, status, error, failure } }: { build: BuildView }) {
  if (error === null || (status !== 'failed' && status !== 'error' && status !== 'aborted')) return null;
  if (status === 'aborted') return <p className="note wait">Aborted: {error}</p>;
  return (
    <div className="problem" role="group" aria-label="Why it failed">
      <strong>{error}</strong>
      {failure && (
        <>
          {failure.command !== undefined && <div><code>{failure.command}</code>{failure.exitCode !== undefined && ` ended with exit code ${failure.exitCode}`}</div>}
          {failure.tail !== undefined && failure.tail !== '' && <pre className="tail" tabIndex={0} aria-label="What it printed last">{failure.tail.split('\n').map(plainOf).join('\n')}</pre>}
          <div><Link href={`/builds/${id}/log?step=${encodeURIComponent(failure.step)}`}>The log of {failure.step}</Link></div>
        </>
      )}
    </div>
  );
}
