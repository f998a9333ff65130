import { rejected, unreachable, type ActionEvent, type ActionResult, type ActionSpec, type Refusal } from '@berth/contracts';

interface Asked {
  lease: string;
  token: number;
  spec: ActionSpec;
}

/** Why it is to be ended, if it is, and the time it has to end by itself where that was said. */
interface Cancelling {
  cancel?: string;
  graceMs?: number;
}

/** An action, tagged by how far it is. */
export type Action =
  | { status: 'none' }
  | ({ status: 'requested' } & Cancelling & Asked)
  | ({ status: 'started' } & Cancelling & Asked)
  | ({ status: 'succeeded'; result: ActionResult } & Asked)
  | ({ status: 'failed'; result: ActionResult; code: string; error: string } & Asked)
  | ({ status: 'lost'; result: ActionResult; error: string } & Asked)
  | ({ status: 'cancelled'; result: ActionResult; reason: string } & Asked);

export type LiveAction = Extract<Action, { status: 'requested' | 'started' }>;

/** How an action ended, as what carried it out tells it. */
export type End =
  | { kind: 'succeeded'; result: ActionResult }
  | { kind: 'failed'; result: ActionResult; code: string; error: string }
  | { kind: 'lost'; result: ActionResult; error: string }
  | { kind: 'cancelled'; result: ActionResult; reason: string };

export type ActionCommand = ({ type: 'Request' } & Asked) | { type: 'Start' } | { type: 'Cancel'; reason: string; graceMs?: number } | { type: 'End'; end: End };

export const isLive = (action: Action): action is LiveAction => action.status === 'requested' || action.status === 'started';

/** Pure. */
export function decide(command: ActionCommand, action: Action): readonly ActionEvent[] | Refusal {
  switch (command.type) {
    case 'Request':
      return action.status === 'none' ? [{ type: 'ActionRequested', data: { lease: command.lease, token: command.token, spec: command.spec } }] : [];
    case 'Start':
      return action.status === 'requested' ? [{ type: 'ActionStarted', data: {} }] : [];
    case 'Cancel':
      if (action.status === 'none') return rejected('unknown-action', 'There is no such action.', [{ field: 'data.action', message: 'is not the id of an action' }]);
      return isLive(action) && action.cancel === undefined ? [{ type: 'CancelRequested', data: { reason: command.reason, ...(command.graceMs !== undefined && { graceMs: command.graceMs }) } }] : [];
    case 'End':
      return isLive(action) ? [endEvent(command.end)] : [];
    default:
      return unreachable(command);
  }
}

function endEvent(end: End): ActionEvent {
  switch (end.kind) {
    case 'succeeded':
      return { type: 'ActionSucceeded', data: end.result };
    case 'failed':
      return { type: 'ActionFailed', data: { ...end.result, code: end.code, error: end.error } };
    case 'lost':
      return { type: 'ActionLost', data: { ...end.result, error: end.error } };
    case 'cancelled':
      return { type: 'ActionCancelled', data: { ...end.result, reason: end.reason } };
    default:
      return unreachable(end);
  }
}

/** Pure. @throws when the event can't follow from the state */
export function evolve(action: Action, event: ActionEvent): Action {
  if (event.type === 'ActionRequested') {
    if (action.status !== 'none') throw new Error(`an action that is ${action.status} can't be requested`);
    return { status: 'requested', ...event.data };
  }
  if (!isLive(action)) throw new Error(`an action that is ${action.status} can't have ${event.type}`);
  const { lease, token, spec } = action;
  switch (event.type) {
    case 'ActionStarted':
      return { ...action, status: 'started' };
    case 'CancelRequested':
      return { ...action, cancel: event.data.reason, ...(event.data.graceMs !== undefined && { graceMs: event.data.graceMs }) };
    case 'ActionSucceeded':
      return { status: 'succeeded', lease, token, spec, result: event.data };
    case 'ActionFailed': {
      const { code, error, ...result } = event.data;
      return { status: 'failed', lease, token, spec, result, code, error };
    }
    case 'ActionLost': {
      const { error, ...result } = event.data;
      return { status: 'lost', lease, token, spec, result, error };
    }
    case 'ActionCancelled': {
      const { reason, ...result } = event.data;
      return { status: 'cancelled', lease, token, spec, result, reason };
    }
    default:
      return unreachable(event);
  }
}

export const actionDecider = { initial: { status: 'none' } as Action, decide, evolve, ended: (action: Action) => action.status !== 'none' && !isLive(action) };
