import type { Command } from 'commander';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ActionView, Download } from '@berth/client';
import { leaf, type Context } from '../context.js';
import { Exit, Failure, OK } from '../failure.js';
import { keyValue, timeText } from '../options.js';
import { shellLine } from '../quote.js';
import { size } from '../text.js';

interface ExecOptions {
  shell?: string;
  env?: Record<string, string>;
  timeout?: string;
}

/** What is done with a lease: `berth lease exec|put|get` */
export function workCommands(lease: Command, context: Context): void {
  leaf(lease, 'exec <id> [words...]', 'run a command on the leased resource; ends with its exit code')
    .usage('[options] <id> -- COMMAND [ARGUMENT...]')
    .option('--shell <text>', 'a shell script instead of a command')
    .option('--env <name=value...>', 'environment variables', keyValue)
    .option('--timeout <duration>', 'end it after this time', timeText)
    .action((id: string, words: string[], options: ExecOptions, command: Command) => {
      if ((options.shell === undefined) === (words.length === 0)) command.error("error: give a command after '--', or '--shell <text>'", { code: 'berth.usage' });
      return exec(context, id, options.shell ?? shellLine(words), options);
    });
  leaf(lease, 'put <id> <local> <remote>', 'copy a file to the folder of the lease').action(async (id: string, local: string, remote: string) => {
    const file = resolve(context.io.cwd, local);
    const stats = await stat(file).catch((error: NodeJS.ErrnoException) => {
      throw new Failure('file', `${local} can't be read (${error.code}).`);
    });
    if (!stats.isFile()) throw new Failure('file', `${local} is not a file.`);
    const view = await context.berth.leases.put(id, remote, createReadStream(file), { mode: stats.mode & 0o777, length: stats.size });
    context.result(view, () => `${local} is on the host as ${view.path ?? remote} (${size(stats.size)}).`);
  });
  leaf(lease, 'get <id> <remote> <local>', 'copy a file from the folder of the lease').action(async (id: string, remote: string, local: string) => {
    const target = resolve(context.io.cwd, local);
    const folder = (await stat(target).catch(() => undefined))?.isDirectory(); // not there yet is as good as a file
    const file = folder ? join(target, basename(remote)) : target;
    const { bytes, sha256 } = await save(await context.berth.leases.fetch(id, remote), file);
    context.result({ path: file, bytes, sha256 }, () => `${remote} is here as ${file} (${size(bytes)}, sha256 ${sha256}).`);
  });
}

async function exec(context: Context, lease: string, command: string, { env, timeout }: ExecOptions): Promise<void> {
  const { berth, io, json } = context;
  const { id } = await berth.leases.exec(lease, { command, ...(env && { env }), ...(timeout !== undefined && { timeout }) });
  const kept = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  let interrupted = false;
  const interrupt = () => {
    if (interrupted) process.exit(130);
    interrupted = true;
    context.note('stopping the command; again to leave it behind');
    berth.actions.cancel(id).catch((error: Error) => context.note(error.message));
  };
  process.on('SIGINT', interrupt);
  try {
    await Promise.all(
      (['stdout', 'stderr'] as const).map(async (stream) => {
        for await (const bytes of berth.actions.log(id, { follow: true, stream })) {
          if (json) kept[stream].push(bytes);
          else io[stream].write(bytes);
        }
      }),
    );
  } finally {
    process.off('SIGINT', interrupt);
  }
  const action = await berth.actions.get(id);
  const code = exitCodeOf(action);
  if (json) context.result({ ...action, stdout: Buffer.concat(kept.stdout).toString(), stderr: Buffer.concat(kept.stderr).toString() }, () => '');
  else if (action.status !== 'succeeded' && action.code !== 'exit') context.note(`berth: the command ${action.status}: ${action.error ?? 'no reason is given'}`);
  if (code !== OK) throw new Exit(code);
}

/** The command's own exit code; where there is none, what shells use for it. */
function exitCodeOf(action: ActionView): number {
  if (action.exitCode !== null) return action.exitCode;
  if (action.status === 'succeeded') return OK;
  return action.status === 'cancelled' ? 130 : action.code === 'timeout' ? 124 : 1;
}

/**
 * Writes a download to a file, which appears whole or not at all.
 * @throws {Failure} fewer bytes than announced, or others
 */
export async function save(download: Download, file: string): Promise<{ bytes: number; sha256: string }> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.part-${process.pid}`;
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    await pipeline(
      download.stream,
      async function* (source: AsyncIterable<Buffer>) {
        for await (const chunk of source) {
          hash.update(chunk);
          bytes += chunk.byteLength;
          yield chunk;
        }
      },
      createWriteStream(draft),
    );
    const sha256 = hash.digest('hex');
    if (bytes !== download.bytes || (download.sha256 !== null && sha256 !== download.sha256)) {
      throw new Failure('incomplete', `${basename(file)} came incomplete (${bytes} of ${download.bytes} bytes): try again.`);
    }
    await rename(draft, file);
    return { bytes, sha256 };
  } finally {
    await rm(draft, { force: true });
  }
}
