import type { HistoryEntry, PlanView } from '@berth/client';
import type { PlanEvent, SavedPlan } from '@berth/contracts';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ProblemError } from '../../api/problem';
import { useRead, useWhole } from '../../api/read';

/** A version of a plan, as it was saved. */
export interface Version {
  version: number;
  source: string;
  plan: SavedPlan;
  saved: string;
  actor: string;
}

/** Pure: the versions of a plan, the newest first, out of its events. */
export function versionsOf(entries: readonly HistoryEntry[]): Version[] {
  return entries
    .filter(({ kind, type }) => kind === 'plan' && type === ('PlanSaved' satisfies PlanEvent['type']))
    .map(({ data, time, actor }) => ({ ...(data as PlanEvent['data']), saved: time, actor }))
    .sort((a, b) => b.version - a.version);
}

/** Reads the events in which a plan was saved: a machine may have the same name, and so the same history. */
export const useVersions = (name: string, enabled = true) => useWhole<HistoryEntry>(`history/${encodeURIComponent(name)}`, { query: { kind: 'plan', type: 'PlanSaved' satisfies PlanEvent['type'] }, enabled });

/** Reads a plan and all its versions: each event has the text and what was read of it. */
export function usePlan(name: string): { read: UseQueryResult<PlanView, ProblemError>; versions: readonly Version[] | undefined; error: ProblemError | null } {
  const read = useRead<PlanView>(`plans/${name}`);
  const history = useVersions(name, read.data !== undefined);
  return { read, versions: history.data && versionsOf(history.data.items), error: history.error };
}
