import { Option, type Command } from 'commander';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BuildLogLine } from '@berth/client';
import { leaf, type Context, type Io } from '../context.js';
import { Failure } from '../failure.js';
import { count, lineRange, type LineRange } from '../options.js';
import { printable, size } from '../text.js';

interface LogOptions {
  follow?: boolean;
  timestamps?: boolean;
  tail?: number;
  search?: string;
  ignoreCase?: boolean;
  limit: number;
  lines?: LineRange;
  step?: string;
  /** false with --no-colour */
  colour: boolean;
  download?: string;
}

/** `berth build log` */
export function logCommand(build: Command, context: Context): void {
  leaf(build, 'log <id>', 'what a build has printed')
    .addOption(new Option('-f, --follow', 'and what it prints until it has ended').conflicts(['lines', 'download', 'search']))
    .option('--timestamps', 'the time before each line')
    .addOption(new Option('--tail <count>', 'only the last lines').argParser(count).conflicts(['lines', 'download', 'search']))
    .addOption(new Option('--lines <first-last>', 'only these lines of a step: 10-20, 10- or 10').argParser(lineRange).conflicts(['download', 'search']))
    .option('--step <name>', 'only of this step')
    .addOption(new Option('--search <text>', 'lines that have this text, as STEP:LINE: TEXT').conflicts(['timestamps', 'download']))
    .option('--ignore-case', 'with --search: capital letters are as good as small ones')
    .option('--limit <count>', 'with --search: at most so many lines', count, 1000)
    .option('--no-colour', 'without colours and other escape sequences of terminals')
    .option('--download <file>', 'save it in this file')
    .action((id: string, options: LogOptions, command: Command) => {
      if (options.search === undefined && options.ignoreCase) command.error("error: option '--ignore-case' goes with '--search <text>'", { code: 'berth.usage' });
      if (options.search === '') command.error("error: option '--search <text>' needs a text to look for", { code: 'berth.usage' });
      if (options.search !== undefined) return search(context, id, options.search, options);
      return options.download === undefined ? print(context, id, options) : download(context, id, options.download, options);
    });
}

async function print(context: Context, id: string, { follow, timestamps, tail, lines, step: named, colour }: LogOptions): Promise<void> {
  const step = lines && named === undefined ? await onlyStep(context, id) : named;
  const range = lines && { from: lines.first, count: lines.last === undefined ? undefined : lines.last - lines.first + 1 };
  const log: Uint8Array[] = [];
  for await (const bytes of context.berth.builds.log(id, { follow, timestamps, tail, step, plain: !colour, ...range })) {
    if (context.json) log.push(bytes);
    else await written(context.io.stdout, bytes);
  }
  if (context.json) context.result({ id, log: Buffer.concat(log).toString() }, () => '');
}

/** Lines are counted in each step: of a build with one step there is no need to name it. */
async function onlyStep(context: Context, id: string): Promise<string> {
  const { steps } = await context.berth.builds.get(id);
  if (steps.length === 1) return steps[0]!.name;
  throw new Failure('usage', `Lines are counted in each step: say which with --step. The build has ${steps.map(({ name }) => JSON.stringify(name)).join(', ')}.`, [], 2);
}

async function search(context: Context, id: string, text: string, { ignoreCase, limit, step }: LogOptions): Promise<void> {
  const items: BuildLogLine[] = [];
  let cursor: string | null = null;
  do {
    const page = await context.berth.builds.search(id, { text, ignoreCase, step, limit: Math.min(1000, limit - items.length), cursor: cursor ?? undefined });
    items.push(...page.items);
    ({ cursor } = page);
  } while (cursor !== null && items.length < limit);
  context.result({ items, cursor }, () => (items.length === 0 ? 'No line has it.' : items.map((line) => `${printable(line.step)}:${line.n}: ${printable(line.text)}`).join('\n')));
  if (cursor !== null) context.note(`These are the first ${items.length}; more have it: use --step or --limit.`);
}

async function download(context: Context, id: string, file: string, { timestamps, step, colour }: LogOptions): Promise<void> {
  const path = resolve(context.io.cwd, file);
  const draft = `${path}.part-${process.pid}`;
  await mkdir(dirname(path), { recursive: true });
  let bytes = 0;
  try {
    const source = await context.berth.builds.downloadLog(id, { timestamps, step, plain: !colour });
    await pipeline(
      source,
      async function* (pieces: AsyncIterable<Buffer>) {
        for await (const piece of pieces) {
          bytes += piece.byteLength;
          yield piece;
        }
      },
      createWriteStream(draft),
    );
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
  context.result({ path, bytes }, () => `The log is here as ${path} (${size(bytes)}).`);
}

/** Writes as fast as it is taken: a long log must not pile up here. */
async function written(to: Io['stdout'], bytes: Uint8Array): Promise<void> {
  if (to.write(bytes) === false && to instanceof Writable) await once(to, 'drain');
}
