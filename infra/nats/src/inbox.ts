import { createInbox, type NatsConnection } from 'nats';

/** A fresh inbox under the prefix of its connection, the only one that its user may listen under. */
export function inboxOf(connection: NatsConnection): string {
  // The client keeps what it was opened with, and does not show it in its types.
  const { options } = connection as unknown as { options: { inboxPrefix?: string } };
  return createInbox(options.inboxPrefix);
}
