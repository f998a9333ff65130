import type { ImageView } from '@berth/client';

const all: Record<ImageView['status'], true> = { NEW: true, PENDING: true, BUILDING: true, COMPLETE: true, PARTIAL: true, FAILED: true, DELETING: true, DELETED: true, DELETEFAILED: true };
/** All statuses of images, in the order of a life. */
export const imageStatuses = Object.keys(all) as readonly ImageView['status'][];
