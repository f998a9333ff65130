import type { NatsConnection } from 'nats';
import { checkedBodies, decodeFrame, LiveEnd, subjects, type LiveListener, type LiveOpening, type LiveTimes } from '@berth/contracts';

/** A channel that ended is remembered for so long: whoever opened it may have said so more than once. */
const REMEMBER_MS = 30_000;

/** A channel of a live action that somebody elsewhere is at: messages as they are, both ways. */
export interface LiveRelay {
  /** A message of theirs to the host. */
  up(message: Uint8Array): void;
  close(): void;
}

/** Begins to relay; `down` gets each message of the host's. */
export function relayLive(connection: NatsConnection, action: string, channel: string, down: (message: Uint8Array) => void): LiveRelay {
  const up = subjects.live(action, channel, 'up');
  const subscription = connection.subscribe(subjects.live(action, channel, 'down'), {
    callback: (error, message) => {
      if (!error) down(message.data); // else the connection closes: both ends fall silent for each other
    },
  });
  return { up: (message) => connection.publish(up, message), close: () => subscription.unsubscribe() };
}

/** Channels of a live action, where its host is. */
export interface LiveService {
  /** Ends every channel that is open, and takes no more. */
  stop(ending: { code: string; message: string }): void;
}

/**
 * Waits for channels of an action. `accept` gets each with what its opener said; it must call `open` when bytes may come, or
 * end it, and gives the listener.
 */
export function serveLive(connection: NatsConnection, action: string, accept: (end: LiveEnd, opening: LiveOpening) => LiveListener, times?: LiveTimes): LiveService {
  const open = new Map<string, LiveEnd>();
  const known = new Set<string>();
  const begin = (channel: string, message: Uint8Array): void => {
    const opening = openingOf(message);
    if (!opening) return; // of one that we ended, or of a gateway before this one: its opener hears nothing and gives up
    known.add(channel);
    const down = subjects.live(action, channel, 'down');
    let listener: LiveListener | undefined;
    const end: LiveEnd = new LiveEnd(
      (payload) => connection.publish(down, payload),
      {
        data: (stream, bytes) => listener?.data(stream, bytes),
        eof: () => listener?.eof?.(),
        resized: (size) => listener?.resized?.(size),
        ended: (ending, by) => {
          open.delete(channel);
          setTimeout(() => known.delete(channel), REMEMBER_MS).unref();
          listener?.ended(ending, by);
        },
      },
      checkedBodies,
      times,
    );
    open.set(channel, end);
    listener = accept(end, opening);
    end.receive(message);
  };
  const subscription = connection.subscribe(subjects.live(action, '*', 'up'), {
    callback: (error, message) => {
      if (error) return; // the connection closes, and with it every end
      const channel = message.subject.split('.').at(-2)!;
      if (known.has(channel)) open.get(channel)?.receive(message.data);
      else begin(channel, message.data);
    },
  });
  return {
    stop(ending) {
      subscription.unsubscribe();
      for (const end of [...open.values()]) end.abort(ending);
    },
  };
}

function openingOf(message: Uint8Array): LiveOpening | undefined {
  try {
    const { frame, number } = decodeFrame(message, checkedBodies);
    return frame.type === 'open' && number === 0 ? frame.opening : undefined;
  } catch {
    return undefined; // whoever sent that speaks another language
  }
}
