import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Cleanup = () => void | Promise<void>;

const pending = new Set<Cleanup>();

/**
 * Runs `cleanup` when the test file is over, whatever happened in it. Returns a function that runs it now instead;
 * calling that twice does nothing more.
 */
export function atEndOfFile(cleanup: Cleanup): () => Promise<void> {
  pending.add(cleanup);
  return async () => {
    if (pending.delete(cleanup)) await cleanup();
  };
}

/**
 * Runs all that is still pending, last started first; every one is tried even if another fails. In a test file `leak-check.ts`
 * calls it; benchmarks call it themselves.
 */
export async function cleanUp(): Promise<void> {
  const failures: unknown[] = [];
  for (const cleanup of [...pending].reverse()) {
    pending.delete(cleanup);
    try {
      await cleanup();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `cleaning up failed: ${failures.map(String).join('; ')}`);
}

/** A new empty folder that is gone at the end of the file. */
export async function tempFolder(name = 'berth'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `${name}-`));
  atEndOfFile(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
