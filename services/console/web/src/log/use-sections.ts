import type { BuildLogGroup, BuildView, Page } from '@berth/client';
import { useMemo } from 'react';
import type { ProblemError } from '../api/problem';
import { useRead } from '../api/read';
import { isOver } from '../parts/over';
import { sectionsOf, type Section } from './sections';

/** Groups are told by no event. */
const AGAIN_MS = 2000;

/** The tries of a build's steps that can have printed something, in the order in which they began. */
export function useSections(build: BuildView): { sections: readonly Section[] | undefined; error: ProblemError | null } {
  const live = !isOver(build.status) || build.steps.some(({ outcome }) => outcome === 'running');
  const read = useRead<Page<BuildLogGroup>>(`builds/${build.id}/log/groups`, live ? { every: AGAIN_MS } : {});
  const { data } = read;
  return { sections: useMemo(() => data && sectionsOf(data.items, build.steps), [data, build.steps]), error: data ? null : read.error };
}
