import { HostError } from '../transports/errors.js';
import type { HostFile, HostFiles, Transport } from '../transports/transport.js';

/** Connections that may be lost one after the other without anything having been done over them. */
const LOST_IN_A_ROW = 10;

/**
 * A host's files over one connection after the other: what was asked when one was lost is asked again over the next, and an
 * open file is opened again where it is. Reads and writes name their offset, so half a gigabyte that is there already is not
 * moved twice. What makes or takes away names may have been done before its answer was lost; that is not an error then.
 *
 * `connect` gives the open connection or another one, and throws when there is none to be had; `lost` is told of each that went.
 */
export function steadyFiles(connect: () => Promise<Transport>, lost: (error: HostError) => void): HostFiles {
  let gone: Transport | undefined;
  let inARow = 0;

  const again = async <T>(ask: (transport: Transport, repeated: boolean) => Promise<T>): Promise<T> => {
    for (let repeated = false; ; repeated = true) {
      const transport = await connect();
      try {
        const answer = await ask(transport, repeated);
        if (transport !== gone) inARow = 0;
        return answer;
      } catch (error) {
        if (!(error instanceof HostError) || error.code !== 'connection-lost') throw error;
        // Many are under way at a time, and all of them hear of the same loss.
        if (transport !== gone) {
          gone = transport;
          inARow++;
          lost(error);
        }
        if (inARow >= LOST_IN_A_ROW) throw error;
      }
    }
  };
  const plainly = <T>(ask: (files: HostFiles) => Promise<T>): Promise<T> => again(({ files }) => ask(files));
  /** `already`: what it says when it was done the first time. */
  const once = (already: HostError['code'], ask: (files: HostFiles) => Promise<void>): Promise<void> =>
    again(({ files }, repeated) =>
      ask(files).catch((error: unknown) => {
        if (!repeated || !(error instanceof HostError) || error.code !== already) throw error;
      }),
    );

  return {
    open: async (path, how, mode) => {
      let open = await again(async (transport, repeated) => {
        const file = await transport.files.open(path, how, mode).catch((error: unknown) => {
          if (how !== 'create' || !repeated || !(error instanceof HostError) || error.code !== 'already-exists') throw error;
          return transport.files.open(path, 'continue');
        });
        return { transport, file: Promise.resolve(file) };
      });
      const over = <T>(ask: (file: HostFile) => Promise<T>): Promise<T> =>
        again(async (transport) => {
          if (open.transport !== transport) open = { transport, file: transport.files.open(path, how === 'read' ? 'read' : 'continue') };
          return ask(await open.file);
        });
      return {
        read: (offset, length) => over((file) => file.read(offset, length)),
        write: (offset, data) => over((file) => file.write(offset, data)),
        size: () => over((file) => file.size()),
        // With its connection it is closed too, and all that was written was answered before.
        close: async () =>
          (await open.file).close().catch((error: unknown) => {
            if (!(error instanceof HostError) || error.code !== 'connection-lost') throw error;
          }),
      };
    },
    stat: (path) => plainly((files) => files.stat(path)),
    lstat: (path) => plainly((files) => files.lstat(path)),
    realpath: (path) => plainly((files) => files.realpath(path)),
    readdir: (path) => plainly((files) => files.readdir(path)),
    list: (path) => plainly((files) => files.list(path)),
    chmod: (path, mode) => plainly((files) => files.chmod(path, mode)),
    mkdir: (path, mode) => once('already-exists', (files) => files.mkdir(path, mode)),
    rmdir: (path) => once('not-found', (files) => files.rmdir(path)),
    unlink: (path) => once('not-found', (files) => files.unlink(path)),
    rename: (from, to) =>
      again(({ files }, repeated) =>
        files.rename(from, to).catch(async (error: unknown) => {
          if (!repeated || !(error instanceof HostError) || error.code !== 'not-found') throw error;
          await files.lstat(to);
        }),
      ),
  };
}
