import { ErrorCode, Events, NatsError, type Msg, type MsgHdrs, type NatsConnection } from 'nats';
import { inboxOf } from '@berth/nats';

/** Asks over one subscription for all answers. */
export interface Requests {
  /**
   * Publishes and waits for the first answer.
   * @throws NatsError TIMEOUT, 503 (nobody listens), PERMISSIONS_VIOLATION (this user may not ask that) or DISCONNECT (at once while there is no server: the client would drop
   * what is published meanwhile); with each the outcome is unknown
   */
  ask(subject: string, data: Uint8Array | string, options: { timeoutMs: number; headers?: MsgHdrs }): Promise<Msg>;
}

interface Pending {
  subject: string;
  resolve: (message: Msg) => void;
  reject: (error: Error) => void;
  deadline: number;
}

const TICK_MS = 50;
const shared = new WeakMap<NatsConnection, Requests>();

/**
 * The requests of a connection. Ours and not the client's `request`, which makes an error object with its stack for each
 * request before it is sent (measured: 16 % of a busy service's time), has a timer for each, and tells of a lost
 * connection only when the time is up.
 */
export function requestsOf(connection: NatsConnection): Requests {
  const known = shared.get(connection);
  if (known) return known;
  const prefix = inboxOf(connection);
  const pending = new Map<string, Pending>();
  let next = 0;
  let timer: NodeJS.Timeout | undefined;
  let connected = true;

  const drop = (code: string, due: (p: Pending) => boolean) => {
    for (const [token, waiting] of pending) {
      if (!due(waiting)) continue;
      pending.delete(token);
      waiting.reject(NatsError.errorForCode(code));
    }
    if (pending.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
  connection.subscribe(`${prefix}.*`, {
    callback: (error, message) => {
      if (error) return; // the connection closes: `closed` below ends what waits
      const token = message.subject.slice(prefix.length + 1);
      const waiting = pending.get(token);
      if (!waiting) return;
      pending.delete(token);
      if (message.data.length === 0 && message.headers?.code === 503) waiting.reject(NatsError.errorForCode(ErrorCode.NoResponders));
      else waiting.resolve(message);
    },
  });
  void connection.closed().then(() => drop(ErrorCode.ConnectionClosed, () => true));
  void (async () => {
    for await (const status of connection.status()) {
      if (status.type === Events.Disconnect) {
        connected = false;
        drop(ErrorCode.Disconnect, () => true);
      } else if (status.type === Events.Reconnect) connected = true;
      else if (status.permissionContext?.operation === 'publish') {
        // Told of the subject alone: whoever else asks the same is refused too.
        const { subject } = status.permissionContext;
        drop(ErrorCode.PermissionsViolation, (waiting) => waiting.subject === subject);
      }
    }
  })();

  const requests: Requests = {
    ask(subject, data, { timeoutMs, headers }) {
      return new Promise((resolve, reject) => {
        if (connection.isClosed()) {
          reject(NatsError.errorForCode(ErrorCode.ConnectionClosed));
          return;
        }
        if (!connected) {
          reject(NatsError.errorForCode(ErrorCode.Disconnect));
          return;
        }
        const token = (next++).toString(36);
        pending.set(token, { subject, resolve, reject, deadline: Date.now() + timeoutMs });
        timer ??= setInterval(() => {
          const now = Date.now();
          drop(ErrorCode.Timeout, (p) => p.deadline <= now);
        }, TICK_MS);
        try {
          connection.publish(subject, data, { reply: `${prefix}.${token}`, ...(headers && { headers }) });
        } catch (error) {
          pending.delete(token);
          reject(error as Error);
        }
      });
    },
  };
  shared.set(connection, requests);
  return requests;
}
