import type { BuildView } from '@berth/client';
import { awaitsSomebody } from '../../graph/mark';
import { isOver } from '../../parts/over';
import type { Tone } from '../../ui/badge';
import { Bar } from '../../ui/bar';
import { running, span, useNow } from '../../ui/time';

const tones: Record<BuildView['status'], Tone> = { pending: 'off', preparing: 'busy', building: 'busy', paused: 'wait', passed: 'good', failed: 'bad', error: 'bad', aborted: 'off' };

/** How far a build is. */
export const Progress = ({ build: { percent, status, plan }, small = false }: { build: Pick<BuildView, 'percent' | 'status' | 'plan'>; small?: boolean }) => <Bar label={`Progress of ${plan}`} percent={percent} tone={tones[status]} small={small} />;

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
