import { derivedId, rejected, type Answer, type EventOf, type Kind, type Recorded, type StatusEvent } from '@berth/contracts';
import { memoryStore, type EventStore } from '@berth/event-store';
import type { Bus, Runtime } from '@berth/runtime';

/** A command that the service under test sent. */
export interface Sent {
  type: string;
  id: string;
  after: number;
  data: Record<string, unknown>;
}

type Told = EventOf<string, unknown>;

/**
 * The other services as far as specs of this one need them, on a store in memory: they answer commands, and their leases and
 * actions go their way by themselves unless a spec holds them. Like the real ones they know nothing but the store.
 */
export class Others {
  readonly sent: Sent[] = [];
  readonly statuses: { subject: string; event: StatusEvent }[] = [];
  readonly problems: unknown[] = [];
  /** objects of artifacts that are to go */
  readonly removed: string[] = [];
  /** answers of a spec's own, tried first; `undefined` leaves it to the default */
  answer: (sent: Sent) => Promise<Answer | undefined> | Answer | undefined = () => undefined;
  /** what follows by itself from an event of another service; a spec may hold or replace it */
  follow: (recorded: Recorded, event: Told) => Told[] | undefined = () => undefined;

  constructor(readonly store: EventStore = memoryStore()) {}

  /** A runtime on these; nothing of it is real but the store. */
  runtime(): Runtime {
    const bus = { command: (_service: string, type: string, data: Record<string, unknown>, options: { id: string; after?: number }) => this.take({ type, id: options.id, after: options.after ?? 0, data }) };
    const problem = (...what: unknown[]) => this.problems.push(what);
    return {
      name: 'build-orchestrator',
      config: { home: '/nowhere' },
      store: this.store,
      bus: bus as unknown as Bus,
      connection: {
        request: () => Promise.resolve({ headers: { code: 404 } }),
        // A connection that never breaks has nothing to tell.
        status: async function* () {},
        publish: (subject: string, payload: string) => this.statuses.push({ subject, event: JSON.parse(payload) as StatusEvent }),
      },
      log: { error: problem, warn: problem, info: () => undefined },
      fail: problem,
    } as unknown as Runtime;
  }

  /** Begins with what is stored already, like a service that starts. */
  async start(): Promise<void> {
    await this.store.feed(0, (recorded) => void this.next(recorded).catch((error: unknown) => this.problems.push(error)), (error) => this.problems.push(error));
  }

  /** Appends to a stream as its writer would; the same commit id once. */
  async tell(kind: Kind, id: string, events: Told[], commit = derivedId(id, events.map((event) => event.type).join())): Promise<number> {
    const stored = await this.store.load(kind, id);
    return this.store.append(kind, id, stored.at(-1)?.sequence ?? 0, { id: commit, at: new Date().toISOString(), actor: 'others', cause: commit, events });
  }

  async types(kind: Kind, id: string): Promise<string[]> {
    return (await this.store.load(kind, id)).flatMap((recorded) => recorded.commit.events.map((event) => event.type));
  }

  private async take(sent: Sent): Promise<Answer> {
    this.sent.push(sent);
    const own = await this.answer(sent);
    if (own) return own;
    if (sent.type === 'ReleaseLease') {
      const id = sent.data['lease'] as string;
      const types = await this.types('lease', id);
      if (types.length === 0) return rejected('unknown-lease', 'There is no such lease.');
      if (!types.includes('LeaseReleased') && !types.includes('LeaseBroken')) await this.tell('lease', id, [{ type: 'LeaseReleased', data: { reason: sent.data['reason'], expired: false } }]);
      return { accepted: true, id };
    }
    if (sent.type === 'HoldResource') {
      const held = resourceOf(sent.data['lease'] as string);
      return { accepted: true, id: held, position: await this.tell('resource', held, [{ type: 'ResourceHeld', data: { until: HELD_UNTIL, reason: sent.data['reason'] } }]) };
    }
    const kind = sent.type === 'RequestLease' ? 'lease' : 'action';
    const types = await this.types(kind, sent.id);
    if (types.length > 0) return { accepted: true, id: sent.id };
    return { accepted: true, id: sent.id, position: await this.tell(kind, sent.id, [{ type: kind === 'lease' ? 'LeaseRequested' : 'ActionRequested', data: sent.data }]) };
  }

  private async next(recorded: Recorded): Promise<void> {
    for (const event of recorded.commit.events) {
      const events = this.follow(recorded, event) ?? follows(recorded, event);
      if (events.length > 0 && event.type === 'LeaseRequested') await this.makeResource(recorded.id, event);
      if (events.length > 0) await this.tell(recorded.kind, recorded.id, events);
    }
  }

  /** A lease as it stands once it can be used: for histories that a spec begins with. */
  async lend(id: string, type: 'host' | 'working-copy'): Promise<void> {
    const asked = { type: 'LeaseRequested', data: { type } };
    await this.tell('lease', id, [asked]);
    await this.makeResource(id, asked);
    await this.tell('lease', id, follows({ kind: 'lease', id } as Recorded, asked));
  }

  private async makeResource(lease: string, { data }: Told): Promise<void> {
    const { type } = data as { type: string };
    const copy = type === 'working-copy' ? { path: `/w/${lease}`, commit: 'c0ffee' } : {};
    const claim = { slot: 0, lease, owner: 'x' };
    await this.tell('resource', resourceOf(lease), [{ type: 'ResourceCreated', data: { type, blueprint: 'local', name: 'r', attributes: {}, slots: 1 } }, { type: 'SlotClaimed', data: claim }, { type: 'ResourceActivated', data: copy }]);
  }
}

/** Until when a host is held here. */
export const HELD_UNTIL = '2030-01-01T00:00:00Z';

export const resourceOf = (lease: string) => derivedId(lease, 'resource');

/** How things go when nothing goes wrong. */
function follows({ kind, id }: Recorded, event: Told): Told[] {
  if (event.type === 'LeaseRequested') return [{ type: 'LeaseAcquired', data: { resource: resourceOf(id), blueprint: 'local', slot: 0, token: 7 } }, { type: 'LeaseActivated', data: {} }];
  if (event.type === 'LeaseReleased' || event.type === 'LeaseBroken') return [{ type: 'LeaseDestroyed', data: {} }];
  if (event.type === 'ActionRequested') return [{ type: 'ActionStarted', data: {} }];
  if (event.type !== 'ActionStarted' || kind !== 'action') return [];
  return [{ type: 'ActionSucceeded', data: { exitCode: 0, artifacts: [{ name: 'wordcount.tgz', object: 'o', bytes: 3, sha256: 'ab' }] } }];
}
