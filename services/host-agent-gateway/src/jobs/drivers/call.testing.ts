import { existsSync } from 'node:fs';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { tempFolder } from '../../../../../test/support/cleanup.js';
import { DriverFault, type Call } from './driver.js';

/** A call with these secrets, and what it has heard. */
export interface TestCall extends Call {
  readonly said: string[];
  end(fault?: DriverFault): void;
}

export function callWith(secrets: Readonly<Record<string, string>> = {}): TestCall {
  const ending = new AbortController();
  const said: string[] = [];
  return {
    signal: ending.signal,
    secret: async (name) => {
      const value = secrets[name];
      if (value === undefined) throw new DriverFault('no-secret', `There is no secret ${name}.`);
      return value;
    },
    heard: (text) => said.push(text),
    said,
    end: (fault = new DriverFault('cancelled', 'The job was cancelled.')) => ending.abort(fault),
  };
}

/** The fault of a call that must fail. */
export async function faultOf(doing: Promise<unknown>): Promise<DriverFault> {
  const outcome = await doing.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (!('error' in outcome)) throw new Error(`it worked and gave ${JSON.stringify(outcome.value)}`);
  if (!(outcome.error instanceof DriverFault)) throw outcome.error;
  return outcome.error;
}

/** All that a fault tells, to look for secrets in it. */
export const toldBy = (fault: DriverFault): string => `${fault.message}\n${fault.output}\n${fault.stack ?? ''}\n${JSON.stringify(fault)}`;

/**
 * Runs something with a program of which the command line is kept, as everybody on the machine can read it. ipmitool and net-snmp
 * write over the secrets in theirs once they run, so that looking later shows nothing; the moment before is kept here.
 */
export async function commandLines(program: string, doing: () => Promise<unknown>): Promise<string[]> {
  const before = process.env['PATH'];
  const real = before?.split(delimiter).map((folder) => join(folder, program)).find((file) => existsSync(file));
  const folder = await tempFolder('watched');
  await writeFile(join(folder, program), `#!/bin/sh\ntr '\\0' ' ' < /proc/$$/cmdline >> ${folder}/lines\necho >> ${folder}/lines\nexec ${real} "$@"\n`);
  await chmod(join(folder, program), 0o755);
  process.env['PATH'] = [folder, before].join(delimiter);
  try {
    await doing();
  } finally {
    process.env['PATH'] = before;
  }
  return (await readFile(join(folder, 'lines'), 'utf8')).trim().split('\n');
}
