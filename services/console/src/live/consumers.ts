import type { ConsumerInfo, JetStreamManager, NatsError } from 'nats';
import { streams } from '@berth/nats';

/** JetStream error 10014. */
const CONSUMER_NOT_FOUND = 10014;

/** How a service takes its commands; undefined for one that was never started. */
export async function commandsOf(manager: JetStreamManager, service: string): Promise<ConsumerInfo | undefined> {
  try {
    return await manager.consumers.info(streams.commands.name, service);
  } catch (error) {
    if ((error as NatsError).api_error?.err_code === CONSUMER_NOT_FOUND) return undefined;
    throw error;
  }
}
