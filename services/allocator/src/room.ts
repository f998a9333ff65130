import { randomUUID } from 'node:crypto';
import { derivedId, type Answer, type FleetEvent, type Quota } from '@berth/contracts';
import { tellUntilStored, type Aggregates, type Command, type Follower, type Runtime } from '@berth/runtime';
import type { Catalogue } from './catalogue.js';
import { FLEET, ownerLimit, type Fleet, type FleetCommand, type LaunchRoom, type SlotRoom } from './domain/fleet.js';

export type Fleets = Aggregates<Fleet, FleetCommand, FleetEvent>;

interface Asked {
  slots: readonly SlotRoom[];
  launches: readonly LaunchRoom[];
  done: () => void;
  fail: (error: Error) => void;
}

const empty: Fleet = { quota: { owners: {} }, slots: new Map(), launches: new Map() };

/**
 * Room under the limits. Where no limit applies nothing is asked or written; where one does, room is set aside on the one
 * stream of the fleet before it is used. All that is asked for at a time goes in one commit.
 */
export class Room {
  private readonly asked: Asked[] = [];
  private readonly back = { slots: new Set<string>(), launches: new Set<string>() };
  private busy = false;
  private retry: NodeJS.Timeout | undefined;

  constructor(
    private readonly runtime: Runtime,
    private readonly follower: () => Follower,
    private readonly fleets: Fleets,
    private readonly catalogue: Catalogue,
    /** slots of hosts that are claimed, and resources that were launched and are not gone */
    private readonly inUse: () => { hosts: number; resources: number },
  ) {}

  get fleet(): Fleet {
    return this.fleets.get(FLEET)?.state ?? empty;
  }

  get quota(): Quota {
    return this.fleet.quota;
  }

  /** Our mark on what is launched. @throws before the first start is stored */
  get installation(): string {
    const { installation } = this.fleet;
    if (installation === undefined) throw new Error('the fleet has not been founded');
    return installation;
  }

  /** Gives the fleet its mark, once and for all. Resolves when it has one. */
  async found(): Promise<void> {
    while (this.fleet.installation === undefined) {
      const answer = await this.fleets.handle(FLEET, { type: 'Found', installation: randomUUID() }, this.cause(randomUUID()));
      if (answer.accepted && answer.position) await this.follower().reached(answer.position);
    }
  }

  async setQuota(command: Command<Quota>): Promise<Answer> {
    return this.fleets.handle(FLEET, { type: 'SetQuota', quota: command.data, inUse: this.inUse() }, { id: command.id, actor: command.actor, cause: command.id, at: new Date().toISOString(), base: command.base });
  }

  /** Does a limit apply to a lease of this blueprint? */
  limitsSlots({ owner, blueprint, host }: Omit<SlotRoom, 'lease'>): boolean {
    const { quota } = this;
    if (host && (quota.hosts !== undefined || ownerLimit(quota, owner) !== undefined)) return true;
    const limits = this.catalogue.get(blueprint)?.spec.limits;
    return limits?.leases !== undefined || limits?.leasesPerOwner !== undefined;
  }

  /**
   * Sets room aside. @returns who has it, also who had it before
   * @throws {UnavailableError} whether it was set aside is unknown: ask again
   */
  async take(slots: readonly SlotRoom[], launches: readonly LaunchRoom[] = []): Promise<{ slots: Set<string>; launches: Set<string> }> {
    const limited = slots.filter((slot) => this.limitsSlots(slot));
    if (limited.length + launches.length > 0) {
      await new Promise<void>((done, fail) => {
        this.asked.push({ slots: limited, launches, done, fail });
        this.go();
      });
    }
    const { fleet } = this;
    return {
      // Room that another process set aside for the same lease elsewhere says nothing of this blueprint's limits.
      slots: new Set(slots.filter((slot) => !this.limitsSlots(slot) || fleet.slots.get(slot.lease)?.blueprint === slot.blueprint).map((slot) => slot.lease)),
      launches: new Set(launches.filter(({ resource }) => fleet.launches.has(resource)).map(({ resource }) => resource)),
    };
  }

  /** Gives room back, soon and until it is stored. */
  give(slots: readonly string[], launches: readonly string[] = []): void {
    const { fleet } = this;
    for (const lease of slots) if (fleet.slots.has(lease)) this.back.slots.add(lease);
    for (const resource of launches) if (fleet.launches.has(resource)) this.back.launches.add(resource);
    if (this.back.slots.size + this.back.launches.size > 0) this.go();
  }

  /** Counts what is in use already and was never set aside: the limit is newer than it. */
  adopt(slots: readonly SlotRoom[], launches: readonly LaunchRoom[]): void {
    const { fleet } = this;
    const own = { slots: slots.filter((s) => this.limitsSlots(s) && !fleet.slots.has(s.lease)), launches: launches.filter((l) => !fleet.launches.has(l.resource)) };
    if (own.slots.length + own.launches.length > 0) tellUntilStored(this.runtime, this.fleets, FLEET, { type: 'Adopt', ...own }, this.cause(randomUUID()));
  }

  note(event: Extract<FleetEvent, { type: 'OrphanFound' | 'OrphanDestroyed' }>): void {
    const id = derivedId(event.data.id, event.type === 'OrphanFound' ? `found ${event.data.grace}` : 'destroyed');
    tellUntilStored(this.runtime, this.fleets, FLEET, { type: 'NoteOrphan', event }, this.cause(id));
  }

  stop(): void {
    clearTimeout(this.retry);
  }

  private go(): void {
    if (this.busy) return;
    this.busy = true;
    queueMicrotask(() => {
      this.commit()
        .catch((error: unknown) => {
          if (this.runtime.connection.isClosed()) return;
          this.runtime.log.warn({ error }, 'room given back is not known to be stored, tried again');
          this.retry = setTimeout(() => {
            this.retry = undefined;
            this.go();
          }, 500);
          this.retry.unref();
        })
        .finally(() => {
          this.busy = false;
          // What was given back in the meantime as well; after an outage that waits for its next try.
          if (this.asked.length > 0 || (!this.retry && this.back.slots.size + this.back.launches.size > 0)) this.go();
        });
    });
  }

  private async commit(): Promise<void> {
    while (this.asked.length + this.back.slots.size + this.back.launches.size > 0) {
      const asked = this.asked.splice(0);
      const give = { slots: [...this.back.slots], launches: [...this.back.launches] };
      const slots = asked.flatMap((one) => one.slots);
      const launches = asked.flatMap((one) => one.launches);
      const names = new Set([...slots, ...launches].map(({ blueprint }) => blueprint));
      const limits = Object.fromEntries([...names].map((name) => [name, this.catalogue.get(name)?.spec.limits ?? {}]));
      const id = derivedId(FLEET, `reserve ${this.fleets.get(FLEET)?.revision ?? 0} ${[...give.slots, ...give.launches, ...slots.map((s) => s.lease), ...launches.map((l) => l.resource)].join()}`);
      try {
        const answer = await this.fleets.handle(FLEET, { type: 'Reserve', slots, launches, limits, give }, this.cause(id));
        if (answer.accepted && answer.position) await this.follower().reached(answer.position);
      } catch (error) {
        for (const one of asked) one.fail(error as Error);
        throw error;
      }
      for (const lease of give.slots) this.back.slots.delete(lease);
      for (const resource of give.launches) this.back.launches.delete(resource);
      for (const one of asked) one.done();
    }
  }

  private readonly cause = (id: string) => ({ id, actor: 'allocator', cause: id, at: new Date().toISOString() });
}
