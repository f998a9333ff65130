import { stepSchemas, type CommandShell } from '@berth/contracts';
import { render, renderScript } from '../language/template.js';
import { ownFaults, type HostKind, type StepContext } from './kind.js';

/** The shell of a step: the one it names, else that of its platform. */
const shellOf = ({ step, wants }: StepContext): CommandShell => step.shell ?? (wants['os'] === 'windows' ? 'powershell' : 'sh');

/** `run: COMMAND`: passed when the script exits with 0. */
export const runCommand: HostKind = {
  on: 'host',
  schema: stepSchemas['run-command'],
  written: '`run: COMMAND`',
  action(context) {
    const { step, scope, env, build } = context;
    const { script, env: values } = renderScript(step.run ?? '', shellOf(context), scope);
    const own = Object.fromEntries(Object.entries(step.env ?? {}).map(([name, value]) => [name, render(value, scope)]));
    const secrets = (step.secrets ?? []).map((name) => ({ name, ...build.plan.secrets![name]! }));
    return {
      spec: {
        kind: 'run-command',
        command: script,
        // A script that uses variables uses them as this shell does: on a host of another kind it is refused instead of read otherwise.
        ...((step.shell ?? Object.keys(values).length > 0) && { shell: shellOf(context) }),
        env: { ...env, ...own, ...values },
        ...(secrets.length > 0 && { secrets }),
        ...(step.timeout !== undefined && { timeoutMs: step.timeout }),
      },
    };
  },
  verdict(ended) {
    const { exitCode, outputs, tail } = ended.result;
    if (ended.how === 'succeeded') return { outcome: 'passed', exitCode, outputs };
    if (!ownFaults.has(ended.code)) return undefined;
    return { outcome: 'failed', error: ended.error, exitCode, outputs, tail };
  },
};
