import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { actionsCommands } from './commands/actions.js';
import { blueprintCommands } from './commands/blueprint.js';
import { buildCommands } from './commands/build.js';
import { deadLetterCommands } from './commands/dead-letter.js';
import { doctorCommand } from './commands/doctor.js';
import { fleetCommands } from './commands/fleet.js';
import { hardwareCommands } from './commands/hardware.js';
import { imageCommands } from './commands/image/index.js';
import { jobCommands } from './commands/job.js';
import { leaseCommands } from './commands/lease.js';
import { machineCommands } from './commands/machine.js';
import { planCommands } from './commands/plan.js';
import { resourceCommands } from './commands/resource.js';
import { secretCommands } from './commands/secret.js';
import { systemCommands } from './commands/system.js';
import { tokenCommands } from './commands/token.js';
import { webhookCommands } from './commands/webhook.js';
import { usageCommand } from './commands/usage.js';
import { whyCommand } from './commands/why.js';
import { Context, type Io } from './context.js';
import { Exit, failureOf, OK, USAGE } from './failure.js';

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

/** Runs the program once; resolves with its exit code. */
export async function run(words: readonly string[], io: Io): Promise<number> {
  const context = new Context(io);
  const own = words.includes('--') ? words.slice(0, words.indexOf('--')) : words;
  // Known before the words are understood: an error in them is told in JSON too.
  context.json = own.includes('--json');
  const program = new Command('berth').description('lends build machines').showHelpAfterError('(try --help)').showSuggestionAfterError();
  program.version(context.json ? JSON.stringify({ version }) : `berth ${version}`, '-V, --version', 'which version of berth this is; with --json {"version"}');
  for (const add of [systemCommands, machineCommands, blueprintCommands, resourceCommands, leaseCommands, planCommands, buildCommands, whyCommand, fleetCommands, hardwareCommands, jobCommands, imageCommands, actionsCommands, usageCommand, deadLetterCommands, doctorCommand, webhookCommands, secretCommands, tokenCommands]) add(program, context);
  strict(program, context);
  try {
    await program.parseAsync([...words], { from: 'user' });
    return OK;
  } catch (error) {
    if (error instanceof Exit) return error.exitCode;
    if (error instanceof CommanderError) {
      // Help that was asked for is a result; help instead of a result is not.
      if (error.exitCode === 0) return OK;
      if (error.code === 'commander.help') {
        if (context.json) context.failure(failureOf(new CommanderError(USAGE, 'usage', 'a command is missing')));
        return USAGE;
      }
      if (context.json) context.failure(failureOf(error));
      return USAGE;
    }
    const failure = failureOf(error);
    context.failure(failure);
    return failure.exitCode;
  }
}

/** Errors of usage come back to us; where they are written depends on `--json`. */
function strict(command: Command, context: Context): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => context.io.stdout.write(text),
    writeErr: (text) => {
      if (!context.json) context.io.stderr.write(text.replace(/^error: /, 'berth: '));
    },
    getOutHelpWidth: () => context.io.stdout.columns ?? 100,
    getErrHelpWidth: () => context.io.stderr.columns ?? 100,
  });
  for (const inner of command.commands) strict(inner, context);
}
