import type { Tone } from './badge';

/** How far something is, as a bar and a number. `label` says of what, for whoever does not see where it stands. */
export function Bar({ label, percent, tone, small = false }: { label: string; percent: number; tone: Tone; small?: boolean }) {
  return (
    <div className={small ? 'progress small' : 'progress'}>
      <div className="bar grow" role="progressbar" aria-label={label} aria-valuenow={percent} aria-valuemin={0} aria-valuemax={100}>
        <span className={tone} style={{ width: `${percent}%` }} />
      </div>
      <span className="percent">{percent}%</span>
    </div>
  );
}
