import type { NatsConnection } from 'nats';
import { subjects, type Kind, type StatusEvent } from '@berth/contracts';
import { streams } from '@berth/nats';
import { isOutage } from '@berth/event-store';

/** What a frontend is told about one thing. `name` becomes the type of the CloudEvent. */
export interface Status {
  name: string;
  data: StatusEvent['data'];
}

/**
 * Keeps `berth.status.<kind>.<id>` in step with the events. The last status there carries the position it tells of, and
 * positions are published in order, so after a crash the next start knows where to go on: nothing else is remembered.
 */
export class StatusFeed {
  private readonly resume = new Map<Kind, number>();

  constructor(
    private readonly connection: NatsConnection,
    private readonly source: string,
  ) {}

  /** Reads how far each kind has been published. */
  async open(kinds: readonly Kind[]): Promise<void> {
    await Promise.all(
      kinds.map(async (kind) => {
        for (;;) {
          try {
            const reply = await this.connection.request(`$JS.API.DIRECT.GET.${streams.status.name}`, JSON.stringify({ last_by_subj: `berth.status.${kind}.*` }), { timeout: 2000 });
            this.resume.set(kind, reply.headers?.code === 404 ? 0 : Number((JSON.parse(new TextDecoder().decode(reply.data)) as StatusEvent).id));
            return;
          } catch (error) {
            if (!isOutage(error) || this.connection.isClosed()) throw error;
          }
        }
      }),
    );
  }

  publish(kind: Kind, id: string, sequence: number, at: string, status: Status): void {
    if (sequence <= (this.resume.get(kind) ?? 0)) return;
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
    this.connection.publish(subjects.status(kind, id), JSON.stringify(event));
  }
}
