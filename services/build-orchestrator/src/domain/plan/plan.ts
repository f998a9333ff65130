import type { PlanEvent } from '@berth/contracts';

/** What a saved plan says: already read, so every field is plain. */
export type SavedPlan = PlanEvent['data']['plan'];
/** One step of a saved plan. */
export type SavedStep = SavedPlan['steps'][number];

/** A build plan, tagged by whether there is one of that name. */
export type PlanState =
  | { status: 'none' }
  /** what builds start from: always the newest version */
  | { status: 'saved'; version: number; source: string; plan: SavedPlan };

/** What a plan can be told. */
export type PlanCommand = { type: 'Apply'; source: string; plan: SavedPlan };

/** Pure. The same source again is not a new version. */
export function decide(command: PlanCommand, state: PlanState): readonly PlanEvent[] {
  if (state.status === 'saved' && state.source === command.source) return [];
  const version = state.status === 'saved' ? state.version + 1 : 1;
  return [{ type: 'PlanSaved', data: { version, source: command.source, plan: command.plan } }];
}

/** Pure. A plan has one kind of event, and each says everything. */
export function evolve(_state: PlanState, event: PlanEvent): PlanState {
  return { status: 'saved', ...event.data };
}

export const planDecider = { initial: { status: 'none' } as PlanState, decide, evolve, ended: () => false, says: () => 'plan' };
