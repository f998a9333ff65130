import type { BuildView } from '@berth/client';
import { awaitsSomebody } from '../../graph/mark';
import { isOver } from '../../parts/over';
import { running, span, useNow } from '../../ui/time';

const tones: Record<BuildView['status'], string> = { pending: 'off', preparing: 'busy', building: 'busy', paused: 'wait', passed: 'good', failed: 'bad', error: 'bad', aborted: 'off' };

/** How far a build is. */
export function Progress({ build: { percent, status, plan }, small = false }: { build: BuildView; small?: boolean }) {
  return (
    <div className={small ? 'progress small' : 'progress'}>
      <div className="bar grow" role="progressbar" aria-label={`Progress of ${plan}`} aria-valuenow={percent} aria-valuemin={0} aria-valuemax={100}>
        <span className={tones[status]} style={{ width: `${percent}%` }} />
      </div>
      <span className="percent">{percent}%</span>
    </div>
  );
}

/** How much longer, by what it took before; the estimate is as of the build's last event. */
export function Remaining({ build: { remainingMs, modified, status, steps } }: { build: BuildView }) {
  const left = (remainingMs ?? 0) - (useNow() - Date.parse(modified));
  const atWork = steps.filter(({ outcome }) => outcome === 'running');
  // How long people take is not known.
  if (remainingMs === null || (atWork.length > 0 && atWork.every(awaitsSomebody))) return null;
  if (status === 'paused') return <span className="quiet">{span(remainingMs)} of work left</span>;
  return <span className="quiet">{left < 1000 ? 'longer than before' : `about ${span(left)} left`}</span>;
}

/** How long the present generation takes or took. */
export function Took({ build }: { build: BuildView }) {
  const now = useNow();
  const own = build.generations.find(({ generation }) => generation === build.generation);
  if (!own) return null;
  const end = own.ended === null ? (isOver(build.status) ? Date.parse(build.modified) : now) : Date.parse(own.ended);
  return <>{running(end - Date.parse(own.started))}</>;
}
