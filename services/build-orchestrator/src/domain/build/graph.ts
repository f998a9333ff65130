import type { SavedPlan, SavedStep } from '@berth/contracts';
import type { StepAt } from './state.js';

/** Numbers of the steps that a step needs. Steps of older plans were carried out one after the other. */
export const needsOf = (step: SavedStep, index: number): readonly number[] => step.needs ?? (index === 0 ? [] : [index - 1]);

interface Graph {
  /** for each step, all that come before it by what is needed */
  ancestors: readonly ReadonlySet<number>[];
}

const graphs = new WeakMap<SavedPlan, Graph>();

/** What is before what in a plan; a step needs steps of any number, and never itself in the end (that is looked at when a plan is saved). */
function graphOf(plan: SavedPlan): Graph {
  const known = graphs.get(plan);
  if (known) return known;
  const ancestors: (Set<number> | undefined)[] = [];
  const of = (index: number): Set<number> => {
    const found = ancestors[index];
    if (found) return found;
    const all = new Set<number>();
    ancestors[index] = all;
    for (const need of needsOf(plan.steps[index]!, index)) {
      all.add(need);
      for (const further of of(need)) all.add(further);
    }
    return all;
  };
  const graph = { ancestors: plan.steps.map((_, index) => of(index)) };
  graphs.set(plan, graph);
  return graph;
}

export const ancestors = (plan: SavedPlan, index: number): ReadonlySet<number> => graphOf(plan).ancestors[index]!;

/** A step with all that build on it, in order. */
export function closure(plan: SavedPlan, index: number): number[] {
  return plan.steps.flatMap((_, other) => (other === index || ancestors(plan, other).has(index) ? [other] : []));
}

/** Nothing of it stands in the way of what builds on it. */
export const isFine = (step: StepAt): boolean => step.status === 'passed' || (step.status === 'failed' && step.allowed) || (step.status === 'skipped' && step.because === 'condition');
