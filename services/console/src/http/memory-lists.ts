import type { ArtifactView, BlueprintView, HardwareGroupView, HardwareView, HistoryEntry, OrphanView, PlanView } from '@berth/client';
import { artifactType, blueprintKind, managementInterfaces, resourceType, writers } from '@berth/contracts';
import { instantOf } from '../views/row.js';
import { beginsWith, between, isAny, type MemoryList } from './paging.js';

/** The lists that are held in memory, or are a part of one thing: what each is filtered and sorted by. */

const instantOrNull = (text: string | null): string | null => text && instantOf(text);

export const blueprintList: MemoryList<BlueprintView> = {
  filters: {
    status: isAny({ oneOf: ['enabled', 'disabled'] }, ({ enabled }) => (enabled ? 'enabled' : 'disabled')),
    kind: isAny({ oneOf: blueprintKind.options }, ({ kind }) => kind),
    type: isAny({ oneOf: resourceType.options }, ({ type }) => type),
    attr: { form: 'attribute', is: ({ attributes }, values) => values.every((one) => attributes[one.slice(0, one.indexOf(':'))] === one.slice(one.indexOf(':') + 1)) },
    q: beginsWith(({ name }) => [name]),
    ...between<BlueprintView>(({ saved }) => instantOrNull(saved)),
  },
  sorts: { name: ({ name }) => name, saved: ({ saved }) => instantOrNull(saved) ?? '' },
  tie: ({ name }) => name,
};

export const planList: MemoryList<PlanView> = {
  filters: { q: beginsWith(({ name }) => [name]), ...between<PlanView>(({ saved }) => instantOf(saved)) },
  sorts: { name: ({ name }) => name, saved: ({ saved }) => instantOf(saved) },
  tie: ({ name }) => name,
};

const placeOfArtifact = ({ generation, name }: ArtifactView): string => `${String(generation).padStart(9, '0')} ${name}`;
export const artifactList: MemoryList<ArtifactView> = {
  filters: {
    type: isAny({ oneOf: [...artifactType.options, 'host', 'working-copy'] }, ({ type }) => type),
    generation: isAny('number', ({ generation }) => String(generation)),
    q: beginsWith(({ name }) => [name, name.slice(name.lastIndexOf('/') + 1)]),
  },
  sorts: { generation: placeOfArtifact, name: ({ name }) => name },
  tie: placeOfArtifact,
};

/** An event of a history, and which one of its commit it is. */
interface Placed {
  entry: HistoryEntry;
  nth: number;
}
export const historyList: MemoryList<Placed> = {
  filters: {
    kind: isAny({ oneOf: Object.keys(writers) }, ({ entry }) => entry.kind),
    type: isAny('text', ({ entry }) => entry.type),
    actor: isAny('text', ({ entry }) => entry.actor),
    q: beginsWith(({ entry }) => [entry.id, entry.type]),
    ...between<Placed>(({ entry }) => instantOf(entry.time)),
  },
  sorts: { position: ({ entry }) => entry.sequence },
  tie: ({ nth }) => String(nth).padStart(6, '0'),
};
/** The events of a history, which come in order, each with its place. */
export function placed(entries: readonly HistoryEntry[]): Placed[] {
  let [last, nth] = [0, 0];
  return entries.map((entry) => {
    nth = entry.sequence === last ? nth + 1 : 0;
    last = entry.sequence;
    return { entry, nth };
  });
}

/** Has any of the values. */
const anyOf = <R>(form: 'text' | { oneOf: readonly string[] }, of: (row: R) => readonly string[]) => ({ form, is: (row: R, values: readonly string[]) => values.some((value) => of(row).includes(value)) });

export const hardwareList: MemoryList<HardwareView> = {
  filters: {
    group: anyOf('text', ({ groups }) => groups),
    worker: anyOf('text', ({ workers }) => workers.map(({ id }) => id)),
    interface: anyOf({ oneOf: Object.keys(managementInterfaces.shape) }, ({ interfaces }) => Object.keys(interfaces)),
    status: isAny({ oneOf: ['lent', 'free'] }, ({ loan }) => (loan === null ? 'free' : 'lent')),
    q: beginsWith(({ name, workers }) => [name, ...workers.map(({ id }) => id)]),
    ...between<HardwareView>(({ set }) => set),
  },
  sorts: { name: ({ name }) => name, set: ({ set }) => set },
  tie: ({ name }) => name,
};

export const hardwareGroupList: MemoryList<HardwareGroupView> = {
  filters: { q: beginsWith(({ name }) => [name]), ...between<HardwareGroupView>(({ set }) => set) },
  sorts: { name: ({ name }) => name, set: ({ set }) => set },
  tie: ({ name }) => name,
};

export const orphanList: MemoryList<OrphanView> = {
  filters: { what: isAny({ oneOf: ['instance', 'folder'] }, ({ what }) => what), q: beginsWith(({ id }) => [id]), ...between<OrphanView>(({ found, destroyed }) => instantOrNull(found ?? destroyed)) },
  sorts: { found: ({ found, destroyed }) => instantOrNull(found ?? destroyed) ?? '' },
  tie: ({ what, id, where, found }) => `${what} ${id} ${where} ${found ?? ''}`,
};
