import type { JobView } from '@berth/client';

/** The status as badges know it. */
export const wordOf = (status: JobView['status']): string => status.toLowerCase();

/** Whether a job has ended. */
export const isOver = (status: JobView['status']): boolean => status !== 'QUEUED' && status !== 'RUNNING';

/** The statuses of those that have not. */
export const LIVE = 'QUEUED,RUNNING';
