import { ProblemError } from '../api/problem';

/** What can be done when somebody else has changed it since it was opened: neither is lost unless whoever looks says so. */
export function Meanwhile({ problem, heard, onTheirs, onMine }: { problem: unknown; /** what is there now was read */ heard: boolean; /** begins anew with what is there now */ onTheirs: () => void; /** saves over it */ onMine: () => void }) {
  if (!(problem instanceof ProblemError) || problem.code !== 'changed-meanwhile') return null;
  return (
    <div className="row wrap">
      <button type="button" className="button" disabled={!heard} onClick={onTheirs}>Begin anew with what is there now</button>
      <button type="button" className="button danger" disabled={!heard} onClick={onMine}>Save over it</button>
    </div>
  );
}
