/** Where bytes are written to: a stream of the process, a connection, or a spec's. */
export interface Sink {
  write(text: string | Uint8Array): unknown;
  once?(event: 'drain' | 'close', listener: () => void): unknown;
  off?(event: 'drain' | 'close', listener: () => void): unknown;
}

/** Writes, and waits while it is slow. */
export async function put(sink: Sink, bytes: Uint8Array): Promise<void> {
  if (sink.write(bytes) !== false || !sink.once) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      sink.off?.('drain', done);
      sink.off?.('close', done);
      resolve();
    };
    sink.once!('drain', done);
    sink.once!('close', done);
  });
}
