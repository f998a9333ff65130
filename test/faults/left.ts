import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { streams } from '@berth/nats';
import type { Fleet } from '../support/fleet.js';
import { FILE_MARK } from '../support/leaks.js';
import { eventually, type Patience } from '../support/wait.js';
import { expectAllOver, expectSafe, logOf, type Log } from './log.js';

/** Processes of commands (of this test file) that live on the hosts, by pid. All hosts are this machine. */
export function commandProcesses(): number[] {
  const mark = `${FILE_MARK}=${process.env[FILE_MARK]}`;
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      if (!pid) return false;
      const variables = readEnvironment(pid);
      return variables.includes(mark) && variables.some((entry) => entry.startsWith('BERTH_ACTION='));
    });
}

function readEnvironment(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
  } catch {
    return []; // it has ended
  }
}

/** Messages that a stream holds now. */
export const messages = async (fleet: Fleet, stream: keyof typeof streams): Promise<number> => Object.values(await queued(fleet, stream)).reduce((sum, n) => sum + n, 0);

/** The same, by subject: a failure names what is left. */
async function queued(fleet: Fleet, stream: keyof typeof streams): Promise<Record<string, number>> {
  const manager = await fleet.bus.connection.jetstreamManager();
  return (await manager.streams.info(streams[stream].name, { subjects_filter: '>' })).state.subjects ?? {};
}

/**
 * Waits until nothing is left of all that ever ran: in the log, in the hosts' folders, among the processes, in the queues.
 * @returns the log, which is safe
 */
export async function nothingLeft(fleet: Fleet, folders: readonly string[], patience: Patience = { timeoutMs: 10_000 }): Promise<Log> {
  const log = await eventually(
    async () => {
      for (const folder of folders) expect(await fleet.leftovers(folder), `left in a host's folder`).toEqual([]);
      expect(commandProcesses(), 'processes left on hosts').toEqual([]);
      expect(await queued(fleet, 'commands'), 'commands in the queue').toEqual({});
      expect(await queued(fleet, 'dead'), 'dead letters').toEqual({});
      const now = await logOf(fleet);
      expectAllOver(now);
      return now;
    },
    { everyMs: 50, ...patience },
  );
  expectSafe(log);
  return log;
}
