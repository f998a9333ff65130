import { count } from '../words/text';

/** How often something has failed, with the last error for whoever opens it. */
export function Failed({ times, error }: { times: number; error: string | null }) {
  if (times === 0) return error === null ? null : <p className="text-bad">{error}</p>;
  return (
    <details className="failed">
      <summary>{count(times, 'failed attempt')}</summary>
      <p className="text-bad">{error ?? 'it is not known why'}</p>
    </details>
  );
}
