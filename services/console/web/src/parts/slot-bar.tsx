import type { SlotCounts } from '@berth/client';

const parts = [
  ['busy', 'busy', 'in use'], ['free', 'good', 'free'], ['booting', 'off', 'booting'], ['draining', 'off', 'draining'],
  ['held', 'wait', 'held'], ['quarantined', 'wait', 'quarantined'], ['unreachable', 'bad', 'unreachable'], ['broken', 'bad', 'broken'],
] as const satisfies readonly (readonly [keyof SlotCounts, string, string])[];

/** "4 in use, 2 free" */
export const slotText = (slots: SlotCounts): string => parts.filter(([key]) => slots[key] > 0).map(([key, , word]) => `${slots[key]} ${word}`).join(', ') || 'none';

/** Slots by what can be done with them, as a bar. */
export function SlotBar({ slots }: { slots: SlotCounts }) {
  if (slots.total === 0) return null;
  return (
    <div className="bar" role="img" aria-label={slotText(slots)} title={slotText(slots)}>
      {parts.map(([key, tone]) => slots[key] > 0 && <span key={key} className={tone} style={{ flex: slots[key] }} />)}
    </div>
  );
}
