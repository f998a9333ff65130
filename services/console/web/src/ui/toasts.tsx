import { dismiss, useToasts, type Toast } from '../api/commands';

const words: Record<Toast['state'], string> = { queued: 'queued', accepted: 'accepted', done: 'done', refused: 'refused' };

/** What became of the commands of this page. */
export function Toasts() {
  const toasts = useToasts();
  return (
    <div className="toasts" role="status" aria-live="polite">
      {toasts.map(({ id, label, state, problem }) => (
        <div key={id} className={`toast ${state}`}>
          {(state === 'queued' || state === 'accepted') && <span className="spinner" aria-hidden />}
          <div className="grow">
            {label}: {words[state]}
            {problem !== undefined && <div className="text-bad">{problem}</div>}
          </div>
          <button className="button small bare" onClick={() => dismiss(id)} aria-label={`Dismiss: ${label}`}>×</button>
        </div>
      ))}
    </div>
  );
}
