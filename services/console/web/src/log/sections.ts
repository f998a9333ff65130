import type { BuildLogGroup, StepView } from '@berth/client';
import type { Fold } from './rows';

/** A group of lines that can be folded. */
export interface Group extends Fold {
  name: string;
}
/** One try of a step, and what is known of its lines. */
export interface Section {
  section: number;
  /** name of the step */
  step: string;
  action: string;
  /** counts from 1, over all generations */
  attempt: number;
  /** the step as it is now, when this is its last try */
  now: StepView | undefined;
  running: boolean;
  /** how many there are, once it is over */
  lines: number | null;
  groups: readonly Group[];
}

/** Pure: sections out of the list of groups. */
export function sectionsOf(items: readonly BuildLogGroup[], steps: readonly StepView[]): Section[] {
  const attempts = new Map<string, number>();
  const sections: Section[] = [];
  for (const { section, step, action, name, within, firstLine, lastLine } of items) {
    if (within.length > 0) {
      if (firstLine !== null) (sections.at(-1)!.groups as Group[]).push({ name, firstLine, lastLine });
      continue;
    }
    const attempt = (attempts.get(step) ?? 0) + 1;
    attempts.set(step, attempt);
    const now = steps.find((one) => one.action === action);
    const running = now?.outcome === 'running';
    sections.push({ section, step, action, attempt, now, running, lines: lastLine ?? (running || firstLine !== null ? null : 0), groups: [] });
  }
  // What runs on no host prints nothing.
  return sections.filter(({ step, lines, running }) => lines !== 0 || running || steps.some((one) => one.name === step && onHost(one)));
}

const elsewhere = new Set(['wait-for-approval', 'wait-for-message', 'wait-for-previous-builds', 'sleep', 'http-request', 'lease', 'call-plan']);
/** Whether a step runs on a host, so that it can print something. */
export const onHost = ({ kind }: Pick<StepView, 'kind'>): boolean => !elsewhere.has(kind);
