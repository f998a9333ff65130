import { Events, type NatsConnection } from 'nats';
import { subjects, type Kind, type StatusEvent } from '@berth/contracts';
import { streams } from '@berth/nats';
import { isOutage } from '@berth/event-store';

/** What a frontend is told about one thing. `name` becomes the type of the CloudEvent. */
export interface Status {
  name: string;
  data: StatusEvent['data'];
}

/** How often it is looked at how far the server has stored what it was told. */
const CONFIRM_MS = 500;
const OUTAGE_PAUSE_MS = 50;
const decoder = new TextDecoder();

/**
 * Keeps `berth.status.<kind>.<id>` in step with the events. The last status there carries the position it tells of, and
 * positions are published in order, so after a crash the next start knows where to go on: nothing else is remembered.
 *
 * A server that is killed takes along what it has not stored yet, and the client drops what is published without a server.
 * So the last of each subject is kept until it is known to be stored, and told again after a reconnect where it isn't.
 */
export class StatusFeed {
  private readonly resume = new Map<Kind, number>();
  /** by kind and subject, in the order of their positions */
  private readonly unconfirmed = new Map<Kind, Map<string, { sequence: number; payload: string }>>();
  private away = false;
  private closed = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly connection: NatsConnection,
    private readonly source: string,
  ) {}

  /** Reads how far each kind has been published. */
  async open(kinds: readonly Kind[]): Promise<void> {
    for (const kind of kinds) this.unconfirmed.set(kind, new Map());
    await Promise.all(kinds.map(async (kind) => this.resume.set(kind, await this.stored(kind))));
    void (async () => {
      for await (const status of this.connection.status()) {
        if (this.closed) return;
        if (status.type === Events.Disconnect) this.away = true;
        else if (status.type === Events.Reconnect) await this.tellAgain().catch(() => undefined); // closed, or away again: then the next reconnect does it
      }
    })();
  }

  /** @param again also when it was told before */
  publish(kind: Kind, id: string, sequence: number, at: string, status: Status, again = false): void {
    if (!again && sequence <= (this.resume.get(kind) ?? 0)) return;
    const event: StatusEvent = {
      specversion: '1.0',
      id: String(sequence),
      source: this.source,
      type: status.name,
      subject: id,
      time: at,
      datacontenttype: 'application/json',
      data: status.data,
    };
    const subject = subjects.status(kind, id);
    const payload = JSON.stringify(event);
    const kept = this.unconfirmed.get(kind)!;
    kept.delete(subject);
    kept.set(subject, { sequence, payload });
    this.timer ??= setTimeout(() => void this.confirm(), CONFIRM_MS).unref();
    if (!this.away) this.connection.publish(subject, payload);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  /** Forgets what is stored. */
  private async confirm(): Promise<void> {
    try {
      for (const [kind, kept] of this.unconfirmed) {
        if (kept.size === 0) continue;
        const position = await this.stored(kind);
        for (const [subject, { sequence }] of kept) {
          if (sequence > position) break;
          kept.delete(subject);
        }
      }
    } catch {
      return; // the connection is closed
    } finally {
      const more = !this.closed && [...this.unconfirmed.values()].some((kept) => kept.size > 0);
      this.timer = more ? setTimeout(() => void this.confirm(), CONFIRM_MS).unref() : undefined;
    }
  }

  private async tellAgain(): Promise<void> {
    const positions = new Map<Kind, number>();
    for (const kind of this.unconfirmed.keys()) positions.set(kind, await this.stored(kind));
    for (const [kind, kept] of this.unconfirmed) {
      for (const [subject, { sequence, payload }] of kept) if (sequence > positions.get(kind)!) this.connection.publish(subject, payload);
    }
    this.away = false;
  }

  /** Position of the last status of a kind that the server has stored. */
  private async stored(kind: Kind): Promise<number> {
    for (;;) {
      try {
        const reply = await this.connection.request(`$JS.API.DIRECT.GET.${streams.status.name}`, JSON.stringify({ last_by_subj: `berth.status.${kind}.*` }), { timeout: 2000 });
        return reply.headers?.code === 404 ? 0 : Number((JSON.parse(decoder.decode(reply.data)) as StatusEvent).id);
      } catch (error) {
        if (!isOutage(error) || this.connection.isClosed()) throw error;
      }
      // A server that is still starting answers at once that nobody is there.
      await new Promise((resolve) => setTimeout(resolve, OUTAGE_PAUSE_MS));
    }
  }
}
