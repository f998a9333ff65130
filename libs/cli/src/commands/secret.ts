import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { leaf, type Context } from '../context.js';
import { Failure } from '../failure.js';
import { relative, table } from '../text.js';

/** `berth secret …` */
export function secretCommands(program: Command, context: Context): void {
  const secret = program.command('secret').description('secrets that plans name: set and replaced, never shown');
  leaf(secret, 'set <name>', 'keep a value, read from standard input or a file; one line break at its end does not count')
    .option('--from-file <path>', 'the file with the value')
    .action(async (name: string, { fromFile }: { fromFile?: string }) => {
      const value = withoutLineBreak(fromFile === undefined ? await typed(context, name) : await contentOf(resolve(context.io.cwd, fromFile)));
      if (value.length === 0) throw new Failure('invalid-data', `There is no value for ${name}: ${fromFile === undefined ? 'standard input' : fromFile} is empty.`);
      const answer = await context.berth.secrets.set(name, value);
      context.result(answer, () => `${name} is set.`);
    });
  leaf(secret, 'list', 'names of the secrets, and who set them').action(async () => {
    const page = await context.berth.secrets.list();
    context.result(page, () =>
      page.items.length === 0
        ? 'No secrets yet: set one with `berth secret set NAME`.'
        : table(page.items, [['NAME', (one) => one.name], ['SET', (one) => relative(one.set)], ['BY', (one) => one.by]], { colour: context.colour }),
    );
  });
  leaf(secret, 'remove <name>', 'forget a value').action(async (name: string) => {
    const answer = await context.berth.secrets.remove(name);
    context.result(answer, () => `${name} is removed.`);
  });
  leaf(secret, 'rotate', 'encrypt all values under a new key, and forget the one before').action(async () => {
    const answer = await context.berth.secrets.rotate();
    context.result(answer, () => `${answer.secrets} ${answer.secrets === 1 ? 'secret is' : 'secrets are'} encrypted under a new key.`);
  });
}

async function typed({ io }: Context, name: string): Promise<Buffer> {
  const stdin = io.stdin ?? process.stdin;
  // What is typed at a terminal stands there to be read.
  if (stdin.isTTY) throw new Failure('usage', `Hand the value over on standard input or in a file: \`berth secret set ${name} <FILE\`, or --from-file FILE.`);
  const pieces: Buffer[] = [];
  for await (const piece of stdin) pieces.push(Buffer.from(piece as string));
  return Buffer.concat(pieces);
}

async function contentOf(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new Failure('invalid-data', `The file ${file} can't be read (${(error as NodeJS.ErrnoException).code}): name one that you may read.`);
  }
}

function withoutLineBreak(value: Buffer): Buffer {
  if (value.at(-1) !== 0x0a) return value;
  return value.subarray(0, value.at(-2) === 0x0d ? -2 : -1);
}
