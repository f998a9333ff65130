import type { NatsConnection } from 'nats';
import type { DeliveryView } from '@berth/client';
import { isOutage, UnavailableError } from '@berth/event-store';
import { streams } from '@berth/nats';
import { StreamReader } from '../live/reader.js';

const subjectOf = (webhook: string) => `berth.hook.${webhook}`;
const decoder = new TextDecoder();

/** What was tried, of each webhook the last so many times: a stream of the bus, which forgets by itself. */
export class DeliveryLog {
  constructor(private readonly connection: NatsConnection) {}

  /** @throws when the bus does not store it */
  async note(webhook: string, delivery: DeliveryView): Promise<void> {
    await this.connection.jetstream().publish(subjectOf(webhook), JSON.stringify(delivery));
  }

  /** The last try; undefined when there was none. @throws {UnavailableError} */
  async last(webhook: string): Promise<DeliveryView | undefined> {
    try {
      const reply = await this.connection.request(`$JS.API.DIRECT.GET.${streams.deliveries.name}`, JSON.stringify({ last_by_subj: subjectOf(webhook) }), { timeout: 2000 });
      return reply.headers?.code === 404 ? undefined : (JSON.parse(decoder.decode(reply.data)) as DeliveryView);
    } catch (error) {
      if (isOutage(error)) throw new UnavailableError('the bus did not say what was delivered', { cause: error });
      throw error;
    }
  }

  /** The newest first. */
  async list(webhook: string): Promise<DeliveryView[]> {
    const manager = await this.connection.jetstreamManager({ checkAPI: false });
    const { state } = await manager.streams.info(streams.deliveries.name, { subjects_filter: subjectOf(webhook) });
    const count = state.subjects?.[subjectOf(webhook)] ?? 0;
    if (count === 0) return [];
    const reader = new StreamReader(this.connection, streams.deliveries.name, { subject: subjectOf(webhook) });
    try {
      const items: DeliveryView[] = [];
      while (items.length < count) {
        const taken = await reader.take(count - items.length, { signal: AbortSignal.timeout(5000) });
        if (taken.length === 0) break;
        for (const { data } of taken) items.push(JSON.parse(decoder.decode(data)) as DeliveryView);
      }
      return items.reverse();
    } finally {
      reader.close();
    }
  }
}
