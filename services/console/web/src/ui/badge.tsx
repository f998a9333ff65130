import type { ReactNode } from 'react';

/** How something is, in five tones: fine, at work, waiting, wrong, out of use. */
export type Tone = 'good' | 'busy' | 'wait' | 'bad' | 'off';

/** Words of all statuses and states that the API has; what is not here is out of use. */
const tones: Readonly<Record<string, Tone>> = {
  active: 'good', passed: 'good', succeeded: 'good', ok: 'good', ready: 'good', enabled: 'good', live: 'good', complete: 'good', pushed: 'good', there: 'good', lent: 'busy', up: 'good', delivered: 'good',
  acquired: 'busy', building: 'busy', preparing: 'busy', running: 'busy', started: 'busy', booting: 'busy', requested: 'busy', pushing: 'busy', deleting: 'busy',
  pending: 'wait', waiting: 'wait', paused: 'wait', quarantined: 'wait', held: 'wait', draining: 'wait', ending: 'wait', queued: 'wait', suspended: 'wait',
  partial: 'wait', not_pushed: 'wait', deprecated: 'wait', outdated: 'wait',
  broken: 'bad', failed: 'bad', error: 'bad', lost: 'bad', unreachable: 'bad', unavailable: 'bad', open: 'bad', refused: 'bad', 'given-up': 'bad', gone: 'bad', down: 'bad',
  deletefailed: 'bad', delete_failed: 'bad', revoked: 'bad',
};

export const toneOf = (status: string): Tone => tones[status] ?? 'off';

/** A status as a word with its tone; the word says all, the colour nothing more. */
export function Badge({ status, tone = toneOf(status), children }: { status: string; tone?: Tone; children?: ReactNode }) {
  return <span className={`badge ${tone}`}>{children ?? status}</span>;
}
