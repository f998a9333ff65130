import { expect } from 'vitest';
import type { ActionEvent, BuildEvent, Kind, LeaseEvent, MachineEvent, PlanEvent, Recorded, ResourceEvent } from '@berth/contracts';
import type { Fleet } from '../support/fleet.js';

type AnyEvent = MachineEvent | ResourceEvent | LeaseEvent | ActionEvent | PlanEvent | BuildEvent;
export type EventName = AnyEvent['type'];

/** One event with its place. Events of one commit share a position and stand in their order. */
export type Told<T extends EventName = EventName> = Extract<AnyEvent, { type: T }> & { kind: Kind; id: string; position: number; at: number };

const ENDS = ['ActionSucceeded', 'ActionFailed', 'ActionLost', 'ActionCancelled'] as const;
const VERDICTS = ['BuildPassed', 'BuildFailed', 'BuildAborted', 'BuildErrored'] as const;

/** The whole event log at one moment, to be asked. */
export class Log {
  readonly events: readonly Told[];

  constructor(recorded: readonly Recorded[]) {
    this.events = recorded.flatMap(({ kind, id, sequence: position, commit }) => commit.events.map((event) => ({ ...event, kind, id, position, at: Date.parse(commit.at) }) as Told));
  }

  all<T extends EventName>(types: T | readonly T[], id?: string): Told<T>[] {
    const wanted = new Set<string>([types].flat());
    return this.events.filter((event): event is Told<T> => wanted.has(event.type) && (id === undefined || event.id === id));
  }

  /** The one event of that type (and of that thing). */
  one<T extends EventName>(types: T | readonly T[], id?: string): Told<T> {
    const found = this.all(types, id);
    expect(found, `${[types].flat().join(' or ')} of ${id ?? 'anything'}`).toHaveLength(1);
    return found[0]!;
  }

  names(id: string): EventName[] {
    return this.events.filter((event) => event.id === id).map((event) => event.type);
  }

  /** Leases of a build, in the order in which it asked for them. */
  leasesOf(build: string): string[] {
    return this.all(['BuildPreparing', 'BuildWorkingCopyRequested'], build).map((event) => (event.type === 'BuildPreparing' ? event.data.hostLease : event.data.workingCopyLease));
  }

  /** What was done on hosts under the leases of a build. */
  actionsOf(build: string): Told<'ActionRequested'>[] {
    const leases = new Set(this.leasesOf(build));
    return this.all('ActionRequested').filter((event) => leases.has(event.data.lease));
  }

  commandsOf(build: string): Told<'ActionRequested'>[] {
    return this.actionsOf(build).filter((event) => event.data.spec.kind === 'run-command');
  }

  /** Name of the host that a lease was granted on. */
  hostOf(lease: string): string {
    const { resource } = this.one('LeaseAcquired', lease).data;
    const { name, parent } = this.one('ResourceCreated', resource).data;
    return parent ? this.one('ResourceCreated', parent.resource).data.name : name;
  }

  resourceNamed(name: string): string {
    return this.all('ResourceCreated').find((event) => event.data.name === name)!.id;
  }
}

export const logOf = async (fleet: Fleet): Promise<Log> => new Log(await fleet.events());

/** What must hold in every log, whatever happened. */
export function expectSafe(log: Log): void {
  expectSlotsKept(log);
  expectActionsInsideGrants(log);
  for (const { id } of log.all('BuildRequested')) expect(log.all(VERDICTS, id).length, `verdicts of build ${id}`).toBeLessThanOrEqual(1 + log.all('BuildRestarted', id).length);
  for (const { id } of log.all('LeaseRequested')) {
    for (const type of ['LeaseAcquired', 'LeaseActivated', 'LeaseReleased', 'LeaseDestroyed'] as const) expect(log.all(type, id).length, `${type} of ${id}`).toBeLessThanOrEqual(1);
  }
}

/** A slot has at most one live claim, a resource no more than it has slots, the tokens of a slot only grow, and no host is claimed while it is away. */
function expectSlotsKept(log: Log): void {
  const slots = new Map<string, number>();
  const held = new Map<string, Map<number, string>>();
  const claims = new Map<string, Told<'SlotClaimed'>>();
  const tokens = new Map<string, number>();
  const away = new Set<string>();
  for (const event of log.events) {
    if (event.type === 'ResourceCreated') {
      slots.set(event.id, event.data.slots);
      held.set(event.id, new Map());
    } else if (event.type === 'SlotClaimed') {
      const mine = held.get(event.id)!;
      expect(mine.get(event.data.slot), `holder of slot ${event.data.slot} at position ${event.position}`).toBeUndefined();
      expect([...held.values()].some((others) => [...others.values()].includes(event.data.lease)), `lease ${event.data.lease} held a slot already at position ${event.position}`).toBe(false);
      mine.set(event.data.slot, event.data.lease);
      claims.set(event.data.lease, event);
      expect(away.has(event.id), `a claim at position ${event.position} on a host that is known to be away`).toBe(false);
      expect(mine.size, `slots held at position ${event.position}`).toBeLessThanOrEqual(slots.get(event.id)!);
      const slot = `${event.id} ${event.data.slot}`;
      expect(event.position, `token of slot ${slot}`).toBeGreaterThan(tokens.get(slot) ?? 0);
      tokens.set(slot, event.position);
    } else if (event.type === 'SlotFreed') {
      const mine = held.get(event.id)!;
      expect(mine.get(event.data.slot), `holder of slot ${event.data.slot} freed at position ${event.position}`).toBe(event.data.lease);
      mine.delete(event.data.slot);
    } else if (event.type === 'ResourceUnreachable') away.add(event.id);
    else if (event.type === 'ResourceReachable') away.delete(event.id);
    else if (event.type === 'LeaseAcquired') {
      expect(event.data).toMatchObject({ resource: claims.get(event.id)!.id, slot: claims.get(event.id)!.data.slot, token: claims.get(event.id)!.position });
    } else if (event.type === 'LeaseDestroyed' && log.all('LeaseAcquired', event.id).length > 0) {
      // One that was given up while its claim was on the way has nothing on a host, and never hears of the claim; that is freed after it.
      expect([...held.values()].some((mine) => [...mine.values()].includes(event.id)), `lease ${event.id} destroyed at ${event.position} still has a slot`).toBe(false);
    }
  }
}

/** Every action ends at most once, and what began did so and ended while its lease had the slot, under that grant's token. */
function expectActionsInsideGrants(log: Log): void {
  for (const { id, data } of log.all('ActionRequested')) {
    expect(log.all('ActionStarted', id).length, `starts of action ${id}`).toBeLessThanOrEqual(1);
    expect(log.all(ENDS, id).length, `ends of action ${id}`).toBeLessThanOrEqual(1);
    const [started] = log.all('ActionStarted', id);
    if (!started) continue;
    const claim = log.all('SlotClaimed').find((event) => event.data.lease === data.lease)!;
    const freed = log.all('SlotFreed').find((event) => event.data.lease === data.lease);
    expect(data.token, `token of action ${id}`).toBe(claim.position);
    expect(started.position).toBeGreaterThan(claim.position);
    if (freed) {
      expect(started.position, `action ${id} (${data.spec.kind}) began after the slot was freed`).toBeLessThan(freed.position);
      expect(log.one(ENDS, id).position, `action ${id} (${data.spec.kind}) ended after the slot was freed`).toBeLessThan(freed.position);
    }
  }
}

/** Everything that was asked for has come to its end, and nothing of it holds anything any more. */
export function expectAllOver(log: Log): void {
  const open = (begin: EventName, ends: readonly EventName[]) => log.all(begin).map((e) => e.id).filter((id) => log.all(ends, id).length === 0);
  expect(open('BuildRequested', VERDICTS), 'builds without a verdict').toEqual([]);
  expect(open('BuildRequested', ['BuildCleanedUp']), 'builds that are not cleaned up').toEqual([]);
  expect(open('LeaseRequested', ['LeaseDestroyed']), 'leases that are not destroyed').toEqual([]);
  expect(open('ActionRequested', ENDS), 'actions without an end').toEqual([]);
  const alive = log.all('ResourceCreated').filter((e) => e.data.type !== 'host' && log.all('ResourceDestroyed', e.id).length === 0);
  expect(alive.map((e) => e.data.name), 'live resources apart from hosts').toEqual([]);
  const freed = new Set(log.all('SlotFreed').map((e) => e.data.lease));
  expect(log.all('SlotClaimed').filter((e) => !freed.has(e.data.lease)).map((e) => e.data.lease), 'leases that still hold a slot').toEqual([]);
}
