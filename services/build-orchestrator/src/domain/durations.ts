import type { Build } from './build/build.js';
import type { View } from './view.js';

/** How long the steps that run have been at it, by action; milliseconds. */
export function durationsOf(build: Build, view: Pick<View, 'since'>, now: number): Record<string, number> {
  if (build.status === 'none' || !('steps' in build)) return {};
  return Object.fromEntries(build.steps.flatMap((step) => (step.status === 'running' ? [[step.action, Math.max(0, now - (view.since(step.action) ?? now))]] : [])));
}
