import type { ActionSpec } from '@berth/contracts';
import type { End } from '../domain/action.js';
import type { ActionContext, ActionHandler } from './action.js';
import { markOf } from './run-command.js';
import { runScript } from './run-script.js';
import { untilReady } from './start-service.js';

type Restart = Extract<ActionSpec, { kind: 'restart-service' }>;

/**
 * Ends what runs of a service, in good order where it has a command for that, and starts it again. What else was begun under
 * its lease goes on: each process carries the mark of the action that started it.
 */
export const restartService: ActionHandler<Restart> = async (context) => {
  const { env, start } = context.spec;
  const about = { cwd: context.folder, env: { ...env, ...markOf(context.lease) } };
  const stopped = await stop(context, about);
  if (stopped?.kind !== 'succeeded' || !start) return stopped;
  const end = await runScript(context, { ...about, text: start.command, timeoutMs: start.timeoutMs }, 'published', (exitCode, result) =>
    exitCode === 0 ? { kind: 'succeeded', result } : { kind: 'failed', result, code: 'exit', error: `exit code ${exitCode}` },
  );
  if (end?.kind !== 'succeeded' || !start.ready) return end;
  return untilReady(context, { ...about, elsewhere: false }, start.ready, end);
};

async function stop(context: ActionContext<Restart>, about: { cwd: string; env: Record<string, string> }): Promise<End | undefined> {
  const { spec, host, runner, starters } = context;
  if (spec.stop) {
    const { command, timeoutMs } = spec.stop;
    const end = await runScript(context, { ...about, text: command, timeoutMs, part: 'stop' }, 'captured', (exitCode, result, said) =>
      exitCode === 0 ? { kind: 'succeeded', result } : { kind: 'failed', result, code: 'exit', error: said.stderr.trim() || `exit code ${exitCode}` },
    );
    if (!end || end.kind === 'cancelled') return end;
    // There may have been nothing to end, and what is left is ended in any case.
    if (end.kind !== 'succeeded') context.note('stop command failed', end.error);
  } else context.started();
  for (const id of starters) await runner.kill(host, id);
  await runner.forget(host, starters);
  return { kind: 'succeeded', result: {} };
}
