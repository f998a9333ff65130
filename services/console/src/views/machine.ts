import type { AnyRecorded, MachineEvent } from '@berth/contracts';
import type { MachineView, ResourceView } from '@berth/client';
import { foldRow, required, type Changes, type Row } from './row.js';

/** What a machine is shown with of the host resource that stands for it. */
type OfHost = 'resource' | 'reachable' | 'error' | 'state' | 'quarantined' | 'held' | 'draining' | 'busy';

/** A row of the projection `machine`. One that was removed stays, until its name is used again. */
export type MachineRow = Omit<MachineView, OfHost | 'added'> & Row & { status: 'enrolled' | 'removed' };

type Said = Extract<MachineEvent, { type: 'MachineAdded' }>['data'];

/** What an event says of a machine. Those of older versions don't say who may use it: everybody. */
const said = ({ name, address, port, user, credential, platform, attributes, slots, hostKey, folder, facts, allow }: Said) => ({
  name, address, port, user, credential, platform, attributes, slots, hostKey, folder: folder ?? null, facts, allow: allow ?? { projects: [], owners: [] },
});

const changes: Changes<MachineRow, MachineEvent> = {
  MachineAdded: (_row, data, { id, sequence, at }) => ({ id, status: 'enrolled', ...said(data), removed: null, created: at, modified: at, position: sequence, opened: sequence }),
  MachineChanged: (row, data, where) => ({ ...required(row, where), ...said(data) }),
  MachineRemoved: (row, _data, where) => ({ ...required(row, where), status: 'removed', removed: where.at }),
};

/** Pure: a commit of a machine into its row. */
export const foldMachine = (row: MachineRow | undefined, recorded: AnyRecorded): MachineRow | undefined => foldRow(changes, row, recorded);

/** What the API shows of a row, with the host that stands for it. */
export function machineView(row: MachineRow, host: ResourceView | undefined): MachineView {
  const { name, address, port, user, credential, platform, attributes, slots, hostKey, folder, facts, allow, created, removed } = row;
  return {
    name, address, port, user, credential, platform, attributes, slots, hostKey, folder, facts, allow, added: created, removed,
    resource: host?.id ?? null, reachable: host?.reachable ?? true, error: host?.error ?? null, state: host?.state ?? null,
    quarantined: host?.quarantined ?? null, held: host?.held ?? null, draining: host?.draining ?? null, busy: host?.busy ?? 0,
  };
}
