import type { BlueprintView, BuildView, CapacityView, JobView, LeaseView, Page, ResourceView } from '@berth/client';
import { usePages, useRead, type Rows } from '../../api/read';

/** Of the queue so many are read; more are told as "more than". */
export const MOST = 1000;
const FEW = 8;

/** What several parts of the overview look at: each is read once. */
export const useQueue = () => useRead<Page<LeaseView>>('leases', { query: { status: 'pending', limit: MOST } });
export const useRunning = () => useRead<Page<BuildView>>('builds', { query: { status: 'pending,preparing,building,paused', limit: MOST } });
export const useJobs = () => useRead<Page<JobView>>('jobs', { query: { status: 'QUEUED,RUNNING', limit: FEW } });
export const useFailures = () => useRead<Page<BuildView>>('builds', { query: { status: 'failed,error', limit: FEW } });
export const useOut = () => useRead<Page<ResourceView>>('resources', { query: { type: 'host', status: 'quarantined,held,unreachable,broken,draining', limit: MOST } });
export const useCapacity = (by: string) => useRead<CapacityView>('capacity', { query: { by } });
export const useBlueprints = (): Rows<BlueprintView> => usePages<BlueprintView>('blueprints', { resources: false });

/** "12", or "more than 1000" of what goes on. */
export const counted = (page: Page<unknown> | undefined): string => (page === undefined ? '–' : page.cursor === null ? String(page.items.length) : `> ${page.items.length}`);
