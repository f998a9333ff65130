import type { DoctorFinding } from './api-operations.js';

/** A check that looks at one thing, or at several of a kind. */
export interface DoctorCheck {
  name: string;
  /** what is said when it takes longer than its limit, and when it throws */
  hint: string;
  /** ms; 5,000 when absent */
  limitMs?: number;
  run(signal: AbortSignal): Promise<DoctorFinding[]> | DoctorFinding[];
}

const LIMIT_MS = 5000;

export const fine = (check: string, message: string): DoctorFinding => ({ check, status: 'ok', message, hint: null });
export const warning = (check: string, message: string, hint: string): DoctorFinding => ({ check, status: 'warning', message, hint });
export const failed = (check: string, message: string, hint: string): DoctorFinding => ({ check, status: 'failed', message, hint });

/** Runs all checks beside each other, each within its limit: what hangs or throws is a finding too. In the order of the checks. */
export async function runChecks(checks: readonly DoctorCheck[]): Promise<DoctorFinding[]> {
  return (await Promise.all(checks.map(within))).flat();
}

async function within(check: DoctorCheck): Promise<DoctorFinding[]> {
  const limitMs = check.limitMs ?? LIMIT_MS;
  const end = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<DoctorFinding[]>((resolve) => {
    timer = setTimeout(() => resolve([failed(check.name, `This took longer than ${limitMs / 1000} s.`, check.hint)]), limitMs);
  });
  try {
    // What comes after the limit is of no use to anybody.
    return await Promise.race([(async () => check.run(end.signal))(), late]);
  } catch (error) {
    return [failed(check.name, sentence((error as Error).message || String((error as NodeJS.ErrnoException).code)), check.hint)];
  } finally {
    clearTimeout(timer);
    end.abort();
  }
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, '')}.`;
