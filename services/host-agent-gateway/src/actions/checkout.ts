import type { ActionSpec } from '@berth/contracts';
import type { End } from '../domain/action.js';
import { checkoutResult } from '../git/checkout.js';
import { tokenEnvironment, withoutSecrets } from '../git/repository.js';
import { plain } from '../files/fault.js';
import { platformOf } from '../platforms/platform.js';
import type { ActionContext, ActionHandler } from './action.js';
import { say } from './moving.js';
import { makeFolder, markOf } from './run-command.js';
import { reach, runScript } from './run-script.js';
import { SecretFault } from '../secrets/fault.js';
import { endUnmasked } from './secrets.js';

type Checkout = Extract<ActionSpec, { kind: 'checkout' }>;

/** Puts a repository into a folder of the working copy, or makes the working copy itself of it. */
export const checkout: ActionHandler<Checkout> = async (context) => {
  const { spec } = context;
  const token = await tokenOf(context);
  if (typeof token === 'object') return endUnmasked(context, token);
  const transport = await reach(context);
  if (!transport) return undefined;
  const root = context.folder.startsWith('/') ? context.folder : await makeFolder(transport, context.folder);
  const script = {
    text: platformOf(context.host).checkout(root, spec),
    cwd: root,
    env: { ...(token !== undefined && tokenEnvironment(spec.repository, token)), ...markOf(context.lease) },
    // Nothing that git says has it in it, and this makes sure of that.
    ...(token !== undefined && { secrets: [Buffer.from(token)] }),
    ...(spec.timeoutMs !== undefined && { timeoutMs: spec.timeoutMs }),
  };
  // Its output is read from the beginning again after a restart, and its lines are said once, at its end.
  const notes: string[] = [];
  const end = await runScript(context, script, 'captured', (exitCode, result, said) => {
    const made = checkoutResult(exitCode, said.stdout, said.stderr);
    if (!made.ok) return { kind: 'failed', result, code: made.code, error: made.message };
    notes.push(...made.notes, `checked out ${plain(withoutSecrets(spec.repository))} at ${made.commit}${spec.path === undefined ? '' : ` in ${plain(spec.path)}`}`);
    return { kind: 'succeeded', result: { path: made.path, commit: made.commit } };
  });
  if (end === undefined) return undefined;
  for (const note of notes) await say(context, note);
  await context.output.settled();
  return { ...end, result: { stdoutBytes: context.output.reached.stdout, stderrBytes: context.output.reached.stderr, ...end.result } };
};

/** The token, or the end of a checkout whose secret there is not. */
async function tokenOf(context: ActionContext<Checkout>): Promise<string | undefined | End> {
  const { secret } = context.spec;
  if (secret === undefined) return undefined;
  try {
    return (await context.secret(secret)).toString('utf8').trim();
  } catch (error) {
    if (!(error instanceof SecretFault)) throw error;
    return { kind: 'failed', result: {}, code: 'secret', error: error.message };
  }
}
