import type { ImageInput, ImageView } from '@berth/client';

/** What is said of an image besides its template, as it stands in the form. */
export interface Said {
  environment: string;
  keep: string;
  maxAge: string;
  schedule: string;
  onParent: boolean;
}

export const nothingSaid: Said = { environment: '', keep: '', maxAge: '', schedule: '', onParent: false };

const UNITS = [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1000]] as const;
/** Pure: milliseconds as a duration that can be typed, such as 30d or 1h30m. */
export function durationOf(ms: number): string {
  let rest = ms;
  const parts = UNITS.flatMap(([unit, of]) => {
    const whole = Math.floor(rest / of);
    rest -= whole * of;
    return whole === 0 ? [] : [`${whole}${unit}`];
  });
  return parts.join('') || '1s';
}

/** Pure: the form of an image as it is. */
export const saidOf = ({ environment, retention, rebuild }: Pick<ImageView, 'environment' | 'retention' | 'rebuild'>): Said => ({
  environment: environment ?? '', keep: retention ? String(retention.keep) : '', maxAge: retention?.maxAge === undefined ? '' : durationOf(retention.maxAge),
  schedule: rebuild?.schedule ?? '', onParent: rebuild?.onParent ?? false,
});

/** What stands in the form is all that there is, but for targets that were said beside the template: those have no place in it, and are kept. */
type Sent = Omit<ImageInput, 'retention'> & { retention: { keep: number | string; maxAge: string | null } | null };

/** Pure: what is sent. Numbers that are none are left for the service to refuse. */
export function inputOf(source: string, { environment, keep, maxAge, schedule, onParent }: Said): Sent {
  return {
    source,
    unsaid: 'kept',
    environment: environment || null,
    retention: keep === '' && maxAge === '' ? null : { keep: keep === '' ? 10 : /^\d+$/.test(keep) ? Number(keep) : keep, maxAge: maxAge || null },
    rebuild: schedule === '' && !onParent ? null : { schedule: schedule || null, onParent },
  };
}
