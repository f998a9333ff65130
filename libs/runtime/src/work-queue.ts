import { AckPolicy, DeliverPolicy, ReplayPolicy, type JetStreamManager, type NatsConnection, type NatsError } from 'nats';
import type { Logger } from 'pino';
import type { ServiceName } from '@berth/contracts';
import { streams } from '@berth/nats';

/** How long the server waits for our acknowledgement; a handler that takes longer says so in time. */
export const ACK_WAIT_MS = 4000;
const LOOK_MS = 500;
/** After so many looks without anything left over nothing is looked for any more. */
const CLEAN_LOOKS = 4;
const MOST_LOOKS = 60;
/** JetStream error 10014. */
const CONSUMER_NOT_FOUND = 10014;

/** The part of the work queue that is a service's: a durable push consumer with a queue group, so several processes share the work. */
export class WorkQueue {
  readonly filter: string;
  readonly deliver: string;
  private closed = false;
  private looking = false;

  constructor(
    private readonly connection: NatsConnection,
    private readonly service: ServiceName,
    private readonly log: Pick<Logger, 'warn'>,
  ) {
    this.filter = `berth.cmd.${service}.*`;
    this.deliver = `berth.deliver.${service}`;
  }

  /** Makes the consumer, or brings it up to date. */
  async ensure(): Promise<void> {
    const manager = await this.manager();
    const config = {
      durable_name: this.service,
      filter_subject: this.filter,
      deliver_subject: this.deliver,
      deliver_group: this.service,
      deliver_policy: DeliverPolicy.All,
      ack_policy: AckPolicy.Explicit,
      ack_wait: ACK_WAIT_MS * 1_000_000,
      max_deliver: -1,
      max_ack_pending: 20_000,
      replay_policy: ReplayPolicy.Instant,
    };
    try {
      await manager.consumers.add(streams.commands.name, config);
    } catch (error) {
      // 10148, and 10013 on older servers: it is there with other settings.
      const code = codeOf(error);
      if (code !== 10148 && code !== 10013) throw error;
      await manager.consumers.update(streams.commands.name, this.service, config);
    }
  }

  /**
   * A server that was killed writes down what was acknowledged sooner than that it is gone from the stream (seen with 2.9.10): a
   * command that was carried out is there again then, and no consumer is ever given it. A new consumer is: whoever carries it
   * out once more finds that it has had its effect, and acknowledges it again.
   *
   * Never throws: what an outage cuts off is done after the next reconnect.
   */
  async recover(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      await this.lookForLost();
    } catch (error) {
      if (!this.closed && !this.connection.isClosed()) this.log.warn({ error }, 'the work queue could not be looked through');
    } finally {
      this.looking = false;
    }
  }

  private async lookForLost(): Promise<void> {
    for (let looks = 0, clean = 0, quiet = 0; looks < MOST_LOOKS && clean < CLEAN_LOOKS && !this.closed; looks++) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS).unref());
      if (this.closed || this.connection.isClosed()) return;
      const manager = await this.manager();
      if (!(await this.idle(manager))) {
        quiet = clean = 0;
        continue;
      }
      const left = await this.left(manager);
      if (left === 0) {
        clean++;
        continue;
      }
      // One that came between the two looks is no longer there at the next.
      if (++quiet < 2) continue;
      this.log.warn({ commands: left }, 'commands that were carried out are in the queue again: they are looked at once more');
      await manager.consumers.delete(streams.commands.name, this.service);
      await this.ensure();
      quiet = clean = 0;
    }
  }

  /** Whether the consumer has nothing to hand out, and everything that it has handed out was acknowledged. */
  private async idle(manager: JetStreamManager): Promise<boolean> {
    try {
      const { num_pending, num_ack_pending } = await manager.consumers.info(streams.commands.name, this.service);
      return num_pending + num_ack_pending === 0;
    } catch (error) {
      if (codeOf(error) !== CONSUMER_NOT_FOUND) throw error;
      await this.ensure(); // another process of the service was about to
      return false;
    }
  }

  /** Commands of the service that are in the stream. */
  private async left(manager: JetStreamManager): Promise<number> {
    const { state } = await manager.streams.info(streams.commands.name, { subjects_filter: this.filter });
    return Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
  }

  close(): void {
    this.closed = true;
  }

  private manager(): Promise<JetStreamManager> {
    return this.connection.jetstreamManager({ checkAPI: false });
  }
}

const codeOf = (error: unknown): number | undefined => (error as NatsError).api_error?.err_code;
