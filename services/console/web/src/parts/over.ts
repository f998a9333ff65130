import type { BuildStatus } from '@berth/client';

/** Whether a build has ended. As `ended` of the client, whose code is for Node. */
export const isOver = (status: BuildStatus): boolean => status === 'passed' || status === 'failed' || status === 'aborted' || status === 'error';
