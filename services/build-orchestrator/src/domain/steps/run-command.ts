import { runStep } from '@berth/contracts';
import type { SavedStep } from '../plan.js';
import type { StepKind } from './kind.js';

/** A step that runs a shell script in the working copy. */
export type RunStep = Extract<SavedStep, { run: string }>;

/** Failures that are the script's own; every other one is the host's. */
const ownFaults: ReadonlySet<string> = new Set(['exit', 'timeout', 'path-outside', 'not-found']);

/** `run: COMMAND`: passed when the script exits with 0. */
export const runCommand: StepKind<RunStep> = {
  schema: runStep,
  written: '`run: COMMAND`',
  action: (step, { env }) => ({
    kind: 'run-command',
    command: step.run,
    env: { ...env, ...step.env },
    ...(step.timeout !== undefined && { timeoutMs: step.timeout }),
  }),
  verdict(_step, ended) {
    const { exitCode } = ended.result;
    if (ended.how === 'succeeded') return { outcome: 'passed', exitCode };
    if (!ownFaults.has(ended.code)) return undefined;
    return { outcome: 'failed', error: ended.code === 'exit' && exitCode !== undefined ? `exit code ${exitCode}` : ended.error, exitCode };
  },
};
