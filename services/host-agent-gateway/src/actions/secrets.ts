import type { ActionSpec } from '@berth/contracts';
import type { End } from '../domain/action.js';
import type { ActionContext } from './action.js';
import { SecretFault } from '../secrets/fault.js';
import { reach } from './run-script.js';

type RunCommand = Extract<ActionSpec, { kind: 'run-command' }>;

/** What a command is given of secrets. */
export interface Given {
  values: Buffer[];
  env: Record<string, string>;
  files: Record<string, Buffer>;
}

const OURS = /^BERTH_(ACTION|LEASE|OUTPUT)$/;

/** Reads the secrets of a command, at its start and again by each process that goes on with it: to mask them. */
export async function secretsOf(context: ActionContext<RunCommand>): Promise<Given | End> {
  const given: Given = { values: [], env: {}, files: {} };
  for (const { name, secret, as } of context.spec.secrets ?? []) {
    if (OURS.test(name)) return { kind: 'failed', result: {}, code: 'secret', error: `The secret ${secret} can't be given as ${name}, which is set by Berth: choose another name.` };
    try {
      const value = await context.secret(secret);
      given.values.push(value);
      if (as === 'file') given.files[name] = value;
      else given.env[name] = textOf(secret, value);
    } catch (error) {
      if (!(error instanceof SecretFault)) throw error;
      return { kind: 'failed', result: {}, code: 'secret', error: error.message };
    }
  }
  return given;
}

function textOf(secret: string, value: Buffer): string {
  const text = value.toString('utf8');
  if (text.includes('\0') || !Buffer.from(text).equals(value)) throw new SecretFault(secret, 'it is not text, so no variable can hold it; give it as a file');
  return text;
}

/** What can't be masked is not read any more, and what may run already is ended. */
export async function endUnmasked(context: ActionContext, end: End): Promise<End | undefined> {
  if (!context.mayHaveStarted) return end;
  const transport = await reach(context);
  if (!transport) return undefined;
  await context.runner.kill(context.host, context.id);
  return { ...end, result: { stdoutBytes: context.output.reached.stdout, stderrBytes: context.output.reached.stderr } };
}
