import { connect } from './connect.js';
import { HostError, messageOf } from './errors.js';
import type { HostSpec, Transport } from './transport.js';

/** What the pool knows of a host now. */
export type HostState = { status: 'up' } | { status: 'connecting' } | { status: 'down'; error: HostError } | { status: 'idle' };

/** Told of every change, and of the present state at once when there is one. */
export interface HostListener {
  up(transport: Transport): void;
  down(error: HostError): void;
}

/** One connection per host, opened on demand and kept. */
export interface HostPool {
  /**
   * The host's open connection, or a new one; callers that ask at the same time share one attempt.
   * @throws HostError as `connect` does
   */
  connect(host: HostSpec): Promise<Transport>;
  /** Keeps a host connected, trying again after 0.25 s doubling to 5 s. Returns what ends the watch. */
  watch(host: HostSpec, listener: HostListener): () => void;
  state(host: HostSpec): HostState;
  /** Connections over SSH, by how they are; the local host needs none. */
  counts(): Record<HostState['status'], number>;
  /** Closes the connection to a host that nobody watches (any more). */
  release(host: HostSpec): Promise<void>;
  closeAll(): Promise<void>;
}

export interface PoolOptions {
  connect?: (host: HostSpec) => Promise<Transport>;
  /** Milliseconds between tries for a watched host. */
  firstRetryMs?: number;
  lastRetryMs?: number;
}

interface Entry {
  host: HostSpec;
  opening?: Promise<Transport>;
  transport?: Transport;
  error?: HostError;
  listeners: Set<HostListener>;
  retryMs: number;
  timer?: NodeJS.Timeout;
  retired: boolean;
}

/** A pool with no connection yet. */
export function createPool(options: PoolOptions = {}): HostPool {
  const open = options.connect ?? connect;
  const firstRetryMs = options.firstRetryMs ?? 250;
  const lastRetryMs = options.lastRetryMs ?? 5_000;
  const entries = new Map<string, Entry>();

  const entryOf = (host: HostSpec): Entry => {
    const key = keyOf(host);
    let entry = entries.get(key);
    if (!entry) {
      entry = { host, listeners: new Set(), retryMs: firstRetryMs, retired: false };
      entries.set(key, entry);
    }
    return entry;
  };

  const failed = (entry: Entry, error: HostError): void => {
    entry.error = error;
    for (const listener of entry.listeners) listener.down(error);
    retryLater(entry);
  };

  const retryLater = (entry: Entry): void => {
    if (entry.retired || entry.listeners.size === 0 || entry.timer) return;
    entry.timer = setTimeout(() => {
      delete entry.timer;
      // A failed try has told the listeners and set the next timer already.
      openEntry(entry).catch(() => undefined);
    }, entry.retryMs);
    entry.retryMs = Math.min(entry.retryMs * 2, lastRetryMs);
  };

  const openEntry = (entry: Entry): Promise<Transport> => {
    if (entry.transport && !entry.transport.closed) return Promise.resolve(entry.transport);
    if (entry.opening) return entry.opening;
    const opening = open(entry.host).then(
      async (transport) => {
        delete entry.opening;
        if (entry.retired) {
          await transport.close();
          throw new HostError('connection-lost', `The connection to host ${entry.host.id} was closed here while it was being opened.`);
        }
        delete entry.error;
        entry.transport = transport;
        entry.retryMs = firstRetryMs;
        transport.onClose((error) => {
          if (entry.transport === transport) delete entry.transport;
          if (error) failed(entry, error);
        });
        for (const listener of entry.listeners) listener.up(transport);
        return transport;
      },
      (thrown: unknown) => {
        delete entry.opening;
        const error = thrown instanceof HostError ? thrown : new HostError('unreachable', `Host ${entry.host.id}: ${messageOf(thrown)}.`, { cause: thrown });
        failed(entry, error);
        throw error;
      },
    );
    entry.opening = opening;
    return opening;
  };

  const retire = async (entry: Entry): Promise<void> => {
    entry.retired = true;
    entries.delete(keyOf(entry.host));
    entry.listeners.clear();
    clearTimeout(entry.timer);
    // An attempt under way ends by itself and closes what it opened.
    await entry.opening?.catch(() => undefined);
    await entry.transport?.close();
  };

  const stateOf = (entry: Entry): HostState => {
    if (entry.transport) return { status: 'up' };
    if (entry.opening) return { status: 'connecting' };
    return entry.error ? { status: 'down', error: entry.error } : { status: 'idle' };
  };

  return {
    connect: async (host) => openEntry(entryOf(host)),
    watch: (host, listener) => {
      const entry = entryOf(host);
      entry.listeners.add(listener);
      if (entry.transport) listener.up(entry.transport);
      else if (!entry.opening && !entry.timer) openEntry(entry).catch(() => undefined); // told through listener.down
      return () => {
        entry.listeners.delete(listener);
        if (entry.listeners.size > 0) return;
        clearTimeout(entry.timer);
        delete entry.timer;
      };
    },
    state: (host) => {
      const entry = entries.get(keyOf(host));
      return entry ? stateOf(entry) : { status: 'idle' };
    },
    counts: () => {
      const counts = { up: 0, connecting: 0, down: 0, idle: 0 };
      for (const entry of entries.values()) if (entry.host.transport === 'ssh') counts[stateOf(entry).status]++;
      return counts;
    },
    release: async (host) => {
      const entry = entries.get(keyOf(host));
      if (entry?.listeners.size === 0) await retire(entry);
    },
    closeAll: async () => {
      await Promise.all([...entries.values()].map(retire));
    },
  };
}

/** What a host is known by: one whose address, user, key, platform or folder was edited is another connection. */
export function keyOf(host: HostSpec): string {
  return JSON.stringify([host.id, host.transport, host.address, host.port, host.user, host.credential, host.hostKey ?? '', host.platform ?? '', host.folder]);
}
