import type { Command } from 'commander';
import { leaf, type Context } from '../context.js';
import { Failure } from '../failure.js';
import { table } from '../text.js';

/** `berth up`, `berth history`, `berth projection …` */
export function systemCommands(program: Command, context: Context): void {
  leaf(program, 'up', 'start everything on this machine, until Ctrl-C').action(async () => {
    // Loaded only when asked for, because it brings every service with it.
    const { up } = await import('@berth/embedded');
    await up(context.io.env);
  });

  leaf(program, 'history <id>', 'every event of a build, lease, action, resource, machine, blueprint or plan').action(async (id: string) => {
    const page = await context.berth.history(id);
    context.result(page, () =>
      table(page.items, [
        ['AT', (e) => e.sequence],
        ['TIME', (e) => e.time],
        ['KIND', (e) => e.kind],
        ['ID', (e) => e.id],
        ['EVENT', (e) => e.type],
        ['BY', (e) => e.actor],
        ['DATA', (e) => shortened(JSON.stringify(e.data))],
      ]),
    );
  });

  const projection = program.command('projection').description('the tables that lists are read from');
  leaf(projection, 'rebuild', 'make them anew from the events; the old rows are served until then').action(async () => {
    let last = '';
    for await (const line of context.berth.projections.rebuild()) {
      last = line;
      if (!line.startsWith('failed')) context.note(line);
    }
    if (!last.startsWith('done')) throw new Failure('internal', last || 'The rebuild was cut off: try again.');
    context.result({ done: true, commits: Number(/\d+/.exec(last)?.[0] ?? 0) }, () => 'The projections are rebuilt.');
  });
}

const shortened = (text: string): string => (text === '{}' ? '' : text.length > 100 ? `${text.slice(0, 99)}…` : text);
