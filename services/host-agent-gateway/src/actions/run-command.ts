import type { ActionSpec } from '@berth/contracts';
import type { ActionHandler } from './action.js';
import { runScript } from './run-script.js';

/** Runs a command in the lease's folder. */
export const runCommand: ActionHandler<Extract<ActionSpec, { kind: 'run-command' }>> = (context) => {
  const { command, env, timeoutMs } = context.spec;
  return runScript(context, { text: command, cwd: context.folder, env, ...(timeoutMs !== undefined && { timeoutMs }) }, (exitCode, result) =>
    exitCode === 0 ? { kind: 'succeeded', result } : { kind: 'failed', result, code: 'exit', error: `exit code ${exitCode}` },
  );
};
