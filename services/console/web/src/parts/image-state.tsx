import type { BoardCell, ImageView } from '@berth/client';
import { Badge } from '../ui/badge';

/** A status or a state of an image in words: "delete failed". */
export const worded = (status: ImageView['status'] | BoardCell['state']): string => (status === 'DELETEFAILED' ? 'delete failed' : status.toLowerCase().replaceAll('_', ' '));

/** How far something of an image is. */
export const ImageBadge = ({ status }: { status: ImageView['status'] | BoardCell['state'] }) => <Badge status={status.toLowerCase()}>{worded(status)}</Badge>;

/** Whether something of an image is under way. */
export const isUnderWay = (status: ImageView['status']): boolean => status === 'PENDING' || status === 'BUILDING' || status === 'DELETING';
