import type { StepView } from '@berth/client';
import type { SavedPlan } from '@berth/contracts';

/** Pure: the steps of a plan, as those of a build that has not begun. */
export function stepsOf({ steps }: Pick<SavedPlan, 'steps'>): StepView[] {
  return steps.map(({ id, name, needs, run, uses, continueOnError }, index) => ({
    name, id: id ?? `step-${index + 1}`, kind: run === undefined ? (uses ?? '') : 'run-command', needs: needs ?? (index === 0 ? [] : [index - 1]), allowed: continueOnError ?? false,
    outcome: 'waiting', action: null, tries: 0, started: null, durationMs: null, exitCode: null, error: null, outputs: null, report: null,
  }));
}
