import type { ActionSpec } from '@berth/contracts';
import type { End } from '../domain/action.js';
import { platformOf } from '../platforms/platform.js';
import type { ActionContext, ActionHandler } from './action.js';
import { makeFolder, markOf } from './run-command.js';
import { reach, runScript, type Said } from './run-script.js';

type Start = Extract<ActionSpec, { kind: 'start-service' }>;

/** Before each try of the command that says whether it is ready; what comes after the last one is why it isn't. */
const TRY = 'berth-try';
/** What is told of that, in characters. */
const TOLD = 2000;

/**
 * Starts a service: what its command leaves running when it ends. It carries the mark of the lease, by which it is found
 * when that ends. Nothing depends on it yet, so a host that goes away is not waited for.
 */
export const startService: ActionHandler<Start> = async (context) => {
  const { command, env, timeoutMs, ready } = context.spec;
  if (!context.folder.startsWith('/') && !context.mayHaveStarted) {
    const transport = await reach(context);
    if (!transport) return undefined;
    await makeFolder(transport, context.folder);
  }
  const about = { cwd: context.folder, env: { ...env, ...markOf(context.lease) }, elsewhere: true };
  const end = await runScript(context, { ...about, text: command, timeoutMs }, 'published', (exitCode, result) =>
    exitCode === 0 ? { kind: 'succeeded', result } : { kind: 'failed', result, code: 'exit', error: `exit code ${exitCode}` },
  );
  if (end?.kind !== 'succeeded' || !ready) return end;
  return untilReady(context, about, ready, end);
};

/** Tried on the host itself: a try costs no way there and back, and goes on while the connection is away. */
export async function untilReady(
  context: ActionContext,
  about: { cwd: string; env: Record<string, string>; elsewhere: boolean },
  ready: NonNullable<Start['ready']>,
  started: End,
): Promise<End | undefined> {
  const text = platformOf(context.host).untilReady(ready.command, TRY);
  const notReady = (said: Said): End => {
    // Windows keeps the two streams apart.
    const last = `${said.stdout.replaceAll('\r\n', '\n')}${said.stderr}`.split(`\n${TRY}\n`).map((one) => one.trim()).filter((one) => one !== '' && one !== TRY).at(-1);
    return { kind: 'failed', result: started.result, code: 'not-ready', error: `it was not ready after ${ready.timeoutMs / 1000} s${last ? `: ${last.slice(-TOLD)}` : ''}` };
  };
  const end = await runScript(
    context,
    { ...about, text, part: 'ready', timeoutMs: ready.timeoutMs },
    'captured',
    (exitCode, _, said) => (exitCode === 0 ? started : notReady(said)),
    (_, said) => notReady(said),
  );
  // Ended on purpose, with all that it has started: the service too.
  if (end?.kind === 'cancelled') await context.runner.kill(context.host, context.id);
  return end;
}
