import type { ActionEvent, ActionResult, AnyRecorded } from '@berth/contracts';
import type { ActionView } from '@berth/client';
import { foldRow, required, type Changes, type Row } from './row.js';

/** An action as folded from its events; not kept as a row: its few events are read when it is asked for. */
export type ActionRow = ActionView & Row;

const result = (data: ActionResult): Partial<ActionRow> => ({
  exitCode: data.exitCode ?? null,
  stdoutBytes: data.stdoutBytes ?? null,
  stderrBytes: data.stderrBytes ?? null,
  path: data.path ?? null,
  bytes: data.bytes ?? null,
  sha256: data.sha256 ?? null,
});

const changes: Changes<ActionRow, ActionEvent> = {
  ActionRequested: (_row, { lease, spec }, { id, sequence, at }) => ({
    id,
    lease,
    kind: spec.kind,
    status: 'requested',
    exitCode: null,
    stdoutBytes: null,
    stderrBytes: null,
    path: null,
    bytes: null,
    sha256: null,
    code: null,
    error: null,
    created: at,
    modified: at,
    position: sequence,
    opened: sequence,
  }),
  ActionStarted: (row, _data, where) => ({ ...required(row, where), status: 'started' }),
  CancelRequested: (row, _data, where) => required(row, where),
  ActionSucceeded: (row, data, where) => ({ ...required(row, where), ...result(data), status: 'succeeded' }),
  ActionFailed: (row, data, where) => ({ ...required(row, where), ...result(data), status: 'failed', code: data.code, error: data.error }),
  ActionLost: (row, data, where) => ({ ...required(row, where), ...result(data), status: 'lost', error: data.error }),
  ActionCancelled: (row, data, where) => ({ ...required(row, where), ...result(data), status: 'cancelled', error: data.reason }),
};

/** Pure: a commit of an action into its row. */
export const foldAction = (row: ActionRow | undefined, recorded: AnyRecorded): ActionRow | undefined => foldRow(changes, row, recorded);

export const actionEnded = ({ status }: Pick<ActionView, 'status'>): boolean => status !== 'requested' && status !== 'started';

/** What the API shows of it. */
export function actionView({ opened: _opened, position: _position, ...view }: ActionRow): ActionView {
  return view;
}
