import type { Command } from 'commander';
import type { FileView } from '@berth/client';
import { leaf, type Context } from '../context.js';
import { count } from '../options.js';
import { put } from '../sink.js';
import { facts, relative, size, table } from '../text.js';

/** The folder of a lease: `berth lease ls|stat|cat|rm|mkdir` */
export function fileCommands(lease: Command, context: Context): void {
  const { io } = context;
  leaf(lease, 'ls <id> [path]', 'what is in the folder of the lease, or in a folder inside it')
    .option('--limit <count>', 'at most so many', count)
    .option('--cursor <cursor>', 'from this place of an earlier list on')
    .action(async (id: string, path: string | undefined, options: { limit?: number; cursor?: string }) => {
      const page = await context.berth.leases.files(id, path, options);
      context.result(page, () => (page.items.length === 0 ? 'Nothing.' : listed(page.items) + (page.cursor === null ? '' : `\nMore: --cursor ${page.cursor}`)));
    });
  leaf(lease, 'stat <id> <path>', 'what one path is; a link is not followed').action(async (id: string, path: string) => {
    const view = await context.berth.leases.stat(id, path);
    context.result(view, () => facts([['name', view.name], ['kind', view.kind], ['leads to', view.target], ['size', size(view.bytes)], ['mode', octal(view.mode)], ['modified', `${view.modified} (${relative(view.modified)})`]]));
  });
  lease
    .command('cat <id> <path>')
    .description('a file of the folder of the lease, on standard output')
    .action(async (id: string, path: string) => {
      const { stream } = await context.berth.leases.fetch(id, path);
      for await (const bytes of stream) await put(io.stdout, bytes as Buffer);
    });
  leaf(lease, 'rm <id> <path>', 'remove a file, a link or an empty folder')
    .option('--recursive', 'a folder with all that is in it')
    .action(async (id: string, path: string, { recursive }: { recursive?: boolean }) => {
      const view = await context.berth.leases.removeFile(id, path, { recursive });
      context.result(view, () => `${path} is removed.`);
    });
  leaf(lease, 'mkdir <id> <path>', 'make a folder, with those above it').action(async (id: string, path: string) => {
    const view = await context.berth.leases.makeFolder(id, path);
    context.result(view, () => `${path} is there.`);
  });
}

const octal = (mode: number): string => mode.toString(8).padStart(3, '0');

const listed = (files: FileView[]): string =>
  table(files, [
    ['NAME', (file) => file.name],
    ['KIND', (file) => file.kind],
    ['SIZE', (file) => (file.kind === 'file' ? size(file.bytes) : null)],
    ['MODE', (file) => octal(file.mode)],
    ['MODIFIED', (file) => relative(file.modified)],
  ]);
