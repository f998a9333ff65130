import { randomUUID } from 'node:crypto';
import { platformOf } from '../platforms/platform.js';
import { createRunner } from '../runner/run.js';
import { HostError } from '../transports/errors.js';
import type { HostPool } from '../transports/pool.js';
import type { Transport } from '../transports/transport.js';

/** What a check of a host's fitness said: its exit code, 124 when it took too long, and the end of what it printed. */
export interface Checked {
  exitCode: number;
  output: string;
}

/** Before the id of a check on the host, so that what a gateway left there when it ended is told from an action. */
export const CHECK = 'check-';

/** Ids of checks that somebody waits for. */
const waitedFor = new Set<string>();
export const underWay = (id: string): boolean => waitedFor.has(id);

const OUTPUT_BYTES = 4096;
const TIMED_OUT = 124;
const GRACE_MS = 1000;

/**
 * Runs a check as a command of an action is run, which ends it with all that it started when its time is over. Its output
 * goes through a file, so that nothing it leaves behind keeps the connection.
 *
 * @throws HostError when the connection is lost meanwhile
 */
export async function checkHost(transport: Transport, check: { command: string; timeoutMs: number }): Promise<Checked> {
  const id = `${CHECK}${randomUUID()}`;
  waitedFor.add(id);
  try {
    return await runCheck(transport, id, check);
  } finally {
    waitedFor.delete(id);
  }
}

async function runCheck(transport: Transport, id: string, check: { command: string; timeoutMs: number }): Promise<Checked> {
  const host = transport.host;
  const runner = createRunner(onlyThis(transport));
  let output = Buffer.alloc(0);
  const outcome = await runner.run(
    host,
    { id, script: platformOf(host).check(check.command), cwd: transport.folder, timeoutMs: check.timeoutMs, graceMs: GRACE_MS, connectLimitMs: 0, awayLimitMs: 0 },
    {
      onChunk(_, __, bytes) {
        output = Buffer.concat([output, bytes]).subarray(-OUTPUT_BYTES);
        return Promise.resolve();
      },
    },
  );
  switch (outcome.kind) {
    case 'exited':
    case 'timeout': {
      await runner.kill(host, id, { graceMs: GRACE_MS });
      await runner.forget(host, [id]);
      // Cut at a character: what is before the first whole one is dropped.
      const text = output.toString('utf8').replace(/^\uFFFD+/, '');
      return { exitCode: outcome.kind === 'exited' ? outcome.code : TIMED_OUT, output: text };
    }
    case 'not-started':
    case 'away':
      throw outcome.error;
    case 'lost':
    case 'cancelled':
    case 'detached':
      throw new HostError('host-fault', `Host ${host.id} can't tell how the check ended: it was killed from outside.`);
  }
}

/** A check belongs to the connection over which the host was looked at: without that there is none. */
function onlyThis(transport: Transport): Pick<HostPool, 'connect'> {
  return {
    connect: () =>
      transport.closed ? Promise.reject(new HostError('connection-lost', `The connection to host ${transport.host.id} was lost.`)) : Promise.resolve(transport),
  };
}
