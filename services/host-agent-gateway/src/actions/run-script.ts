import { unreachable, type ActionResult } from '@berth/contracts';
import type { End } from '../domain/action.js';
import type { ActionContext } from './action.js';

/** Runs shell text on the host and tells its end; `verdict` reads what an exit code means for this kind of action. */
export async function runScript(
  context: ActionContext,
  script: { text: string; cwd: string; env: Record<string, string>; timeoutMs?: number },
  verdict: (exitCode: number, result: ActionResult) => End,
): Promise<End | undefined> {
  const { output, runner, signals } = context;
  const outcome = await runner.run(
    context.host,
    {
      id: context.id,
      script: script.text,
      cwd: script.cwd,
      env: script.env,
      offsets: { ...output.reached },
      mayHaveStarted: context.mayHaveStarted,
      ...(script.timeoutMs !== undefined && { timeoutMs: script.timeoutMs }),
      ...(context.startedAt !== undefined && { startedAt: context.startedAt }),
    },
    {
      onChunk: (stream, offset, bytes) => output.chunk(stream, offset, bytes),
      onStarted: () => context.started(),
      onLink: (link) => context.link(link.up ? undefined : link.error.message),
    },
    signals,
  );
  if (outcome.kind === 'detached') return undefined;
  await output.settled();
  const result: ActionResult = { stdoutBytes: output.reached.stdout, stderrBytes: output.reached.stderr };
  switch (outcome.kind) {
    case 'exited':
      return verdict(outcome.code, { ...result, exitCode: outcome.code });
    case 'timeout':
      return { kind: 'failed', result, code: 'timeout', error: `it ran longer than ${(script.timeoutMs ?? 0) / 1000} s and was ended` };
    case 'cancelled':
      return { kind: 'cancelled', result, reason: 'it was cancelled' };
    case 'lost':
      return { kind: 'lost', result, error: `the host cannot tell how it ended (it restarted, or the command was killed from outside)` };
    case 'not-started':
      return { kind: 'failed', result, code: 'unreachable', error: outcome.error.message };
    default:
      return unreachable(outcome);
  }
}
