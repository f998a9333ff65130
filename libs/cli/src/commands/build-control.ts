import type { Command } from 'commander';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { artifactType } from '@berth/contracts';
import { leaf, type Context } from '../context.js';
import { Failure, USAGE } from '../failure.js';
import { keyValue } from '../options.js';
import { size } from '../text.js';

interface MessageOptions {
  text?: string;
  output?: Record<string, string>;
  as?: string;
}
interface Decision {
  comment?: string;
  as?: string;
}

/** How builds are steered: `berth build abort|pause|resume|restart|rerun|message|approve|refuse` */
export function controlCommands(build: Command, context: Context): void {
  leaf(build, 'abort <id>', 'end a build; what runs is ended on its host, and what it used is cleaned up')
    .option('--reason <text>', 'why, for the history')
    .action(async (id: string, { reason }: { reason?: string }) => {
      const answer = await context.berth.builds.abort(id, reason);
      context.result(answer, () => `Build ${id} is being aborted.`);
    });
  leaf(build, 'pause <id>', 'begin no further step until it is resumed; what runs goes on')
    .option('--reason <text>', 'why, for the history')
    .action(async (id: string, { reason }: { reason?: string }) => {
      const answer = await context.berth.builds.pause(id, reason);
      context.result(answer, () => `Build ${id} is paused: let it go on with \`berth build resume ${id}\`.`);
    });
  leaf(build, 'resume <id>', 'let a paused build go on').action(async (id: string) => {
    const answer = await context.berth.builds.resume(id);
    context.result(answer, () => `Build ${id} goes on.`);
  });
  leaf(build, 'restart <id>', 'run a build again from its beginning; one that is under way is ended first')
    .option('--host <which>', 'same: on the hosts it had, if they are free; other: on other ones; any', 'any')
    .option('--reason <text>', 'why, for the history')
    .action(async (id: string, { host, reason }: { host: string; reason?: string }) => {
      if (host !== 'any' && host !== 'same' && host !== 'other') throw new Failure('usage', `--host must be any, same or other, not ${JSON.stringify(host)}.`, [], USAGE);
      const answer = await context.berth.builds.restart(id, { host, ...(reason !== undefined && { reason }) });
      context.result(answer, () => `Build ${id} begins again: follow it with \`berth build watch ${id}\`.`);
    });
  leaf(build, 'rerun <id> <step>', 'run a step that is over once more, with all that build on it')
    .option('--reason <text>', 'why, for the history')
    .action(async (id: string, step: string, { reason }: { reason?: string }) => {
      const answer = await context.berth.builds.rerun(id, step, reason);
      context.result(answer, () => `Step ${step} of build ${id} runs again.`);
    });
  leaf(build, 'message <id> <step> <type>', 'report on a step that waits for a message: pass, fail or work')
    .option('--text <text>', 'what is to be said of it')
    .option('--output <name=value...>', 'results that other steps may use', keyValue)
    .option('--as <name>', 'who reports it; you when absent')
    .action(async (id: string, step: string, type: string, { text, output, as }: MessageOptions) => {
      if (type !== 'pass' && type !== 'fail' && type !== 'work') throw new Failure('usage', `A message is pass, fail or work, not ${JSON.stringify(type)}.`, [], USAGE);
      const answer = await context.berth.builds.message(id, step, { type, ...speaker(context, as), ...(text !== undefined && { text }), ...(output && { outputs: output }) });
      context.result(answer, () => `Reported on step ${step} of build ${id}: ${type}.`);
    });
  leaf(build, 'attach <id> <name>', 'add an artifact from outside: a file, or where it is')
    .option('--file <path>', 'the file')
    .option('--uri <address>', 'or where it is')
    .option('--type <type>', 'file, uri, tests, lint or sbom')
    .action(async (id: string, name: string, options: { file?: string; uri?: string; type?: string }) => attach(context, id, name, options));
  for (const [verb, pinned, description] of [['pin', true, 'keep an artifact whatever the plan says'], ['unpin', false, 'keep an artifact as long as the plan says']] as const) {
    leaf(build, `${verb} <id> <artifact>`, description).action(async (id: string, name: string) => {
      const answer = await context.berth.builds.pin(id, name, pinned);
      context.result(answer, () => `Artifact ${name} of build ${id} is ${pinned ? 'pinned' : 'no longer pinned'}.`);
    });
  }
  leaf(build, 'drop <id> <artifact>', 'remove an artifact').action(async (id: string, name: string) => {
    const answer = await context.berth.builds.drop(id, name);
    context.result(answer, () => `Artifact ${name} of build ${id} is removed.`);
  });
  for (const [verb, type, description, said] of [
    ['approve', 'pass', 'let a step that waits for an approval pass', 'is approved'],
    ['refuse', 'fail', 'let a step that waits for an approval fail', 'is refused'],
  ] as const) {
    leaf(build, `${verb} <id> <step>`, description)
      .option('--comment <text>', 'why, for the history')
      .option('--as <name>', 'who decides; you when absent')
      .action(async (id: string, step: string, { comment, as }: Decision) => {
        const answer = await context.berth.builds.message(id, step, { type, ...speaker(context, as), ...(comment !== undefined && { text: comment }) });
        context.result(answer, () => `Step ${step} of build ${id} ${said}.`);
      });
  }
}

async function attach(context: Context, id: string, name: string, { file, uri, type }: { file?: string; uri?: string; type?: string }): Promise<void> {
  const kind = artifactType.options.find((one) => one === type);
  if (type !== undefined && kind === undefined) throw new Failure('usage', `--type must be one of ${artifactType.options.join(', ')}, not ${JSON.stringify(type)}.`, [], USAGE);
  if ((file === undefined) === (uri === undefined)) throw new Failure('usage', 'Give either --file or --uri.', [], USAGE);
  const more = kind && { type: kind };
  if (uri !== undefined) {
    const answer = await context.berth.builds.link(id, { name, uri, ...speaker(context), ...more });
    return context.result(answer, () => `Build ${id} has ${name}: ${uri}.`);
  }
  const path = resolve(context.io.cwd, file!);
  const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new Failure('file', `${file} can't be read (${error.code}).`);
  });
  if (!stats.isFile()) throw new Failure('file', `${file} is not a file.`);
  const answer = await context.berth.builds.attach(id, name, createReadStream(path), { length: stats.size, ...more });
  context.result(answer, () => `Build ${id} has ${name} (${size(stats.size)}).`);
}

/** Who says it. */
function speaker(context: Context, as?: string): { by?: string } {
  const by = as ?? context.asker('cli');
  return by === undefined ? {} : { by };
}
