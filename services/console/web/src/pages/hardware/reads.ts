import type { HardwareGroupView, JobTaskView, Page } from '@berth/client';
import { useRead, useWhole } from '../../api/read';

/** What several parts of these pages look at: each is read once. */
export const useTasks = () => useRead<Page<JobTaskView>>('job-tasks');
export const useGroups = () => useWhole<HardwareGroupView>('hardware-groups');
