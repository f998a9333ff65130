import type { StatusEvent } from '@berth/contracts';
import { isLive, type Action } from './action.js';

/** What frontends are told of an action. */
export function actionStatus(id: string, action: Exclude<Action, { status: 'none' }>): { name: string; data: StatusEvent['data'] } {
  const error = action.status === 'failed' || action.status === 'lost' ? action.error : null;
  const activity = isLive(action) ? (action.cancel === undefined ? action.spec.kind : `ending: ${action.cancel}`) : action.status === 'cancelled' ? action.reason : null;
  return {
    name: `dev.berth.action.${action.status}`,
    data: { id, status: action.status, percent: isLive(action) ? null : 100, activity, error, kind: action.spec.kind, lease: action.lease, ...('result' in action && { exitCode: action.result.exitCode ?? null }) },
  };
}
