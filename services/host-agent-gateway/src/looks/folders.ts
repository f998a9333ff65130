import { hostShellOf } from '../runner/host-shell.js';
import { platformOf } from '../platforms/platform.js';
import { HostError, messageOf } from '../transports/errors.js';
import type { Transport } from '../transports/transport.js';

export interface Folder {
  id: string;
  ageMs: number;
}
export interface Removed {
  removed: string[];
  failed: { id: string; error: string }[];
}

/** How many folders are removed at a time: a host allows ten channels on a connection, and its disk is busy with others. */
const AT_ONCE = 4;
const GRACE_MS = 2000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Folders of working copies and leases, and since when nothing was added to or taken from each.
 * @throws HostError when the connection is lost
 */
export async function listFolders(transport: Transport): Promise<Folder[]> {
  const platform = platformOf(transport.host);
  const { code, stdout, stderr } = await platform.run(transport, platform.folders(transport.folder));
  if (code !== 0) throw new HostError('host-fault', `Host ${transport.host.id} did not list its folders (exit code ${code}: ${stderr.toString('utf8').trim()}).`);
  const said = stdout.toString('utf8');
  const now = Number(/^now=(\d+)$/m.exec(said)?.[1] ?? 0);
  return said.split('\n').flatMap((line) => {
    const [, since, id] = /^(\d+) (\S+)$/.exec(line) ?? [];
    return id !== undefined && UUID.test(id) ? [{ id, ageMs: Math.max(0, now - Number(since)) * 1000 }] : [];
  });
}

/**
 * Ends what runs for these folders and removes them; each on its own.
 * @throws HostError when the connection is lost
 */
export async function removeFolders(transport: Transport, ids: readonly string[]): Promise<Removed> {
  const platform = platformOf(transport.host);
  const shell = await hostShellOf(transport);
  const result: Removed = { removed: [], failed: [] };
  const waiting = [...new Set(ids)];
  const one = async (id: string): Promise<void> => {
    try {
      await shell.reap(`BERTH_LEASE=${id}`, GRACE_MS);
      const { code, stderr } = await platform.run(transport, platform.remove(transport.folder, id, true));
      if (code === 0) result.removed.push(id);
      else result.failed.push({ id, error: stderr.toString('utf8').trim() || `exit code ${code}` });
    } catch (error) {
      if (!(error instanceof HostError) || error.code === 'connection-lost') throw error;
      result.failed.push({ id, error: messageOf(error) });
    }
  };
  const worker = async (): Promise<void> => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) await one(id);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return result;
}
