import { fine, warning, type DoctorFinding } from '@berth/client';

/** Ends and waits are told in seconds. */
const MOST_APART_MS = 2000;

/** Compares another clock with ours, which was asked between two moments of ours. */
export function clockFinding(check: string, theirs: number, began: number, ended: number): DoctorFinding {
  const apart = theirs < began ? theirs - began : theirs > ended ? theirs - ended : 0;
  if (Math.abs(apart) <= MOST_APART_MS) return fine(check, Math.abs(apart) < 100 ? 'It agrees with ours.' : `It differs from ours by ${(Math.abs(apart) / 1000).toFixed(1)} s.`);
  return warning(check, `It is ${(Math.abs(apart) / 1000).toFixed(0)} s ${apart > 0 ? 'ahead of' : 'behind'} ours.`, 'Let both machines keep the time of one source (NTP): leases end by it.');
}
