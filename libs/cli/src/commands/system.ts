import type { Command } from 'commander';
import { wholeList, type HistoryQuery } from '@berth/client';
import { leaf, type Context } from '../context.js';
import { Failure } from '../failure.js';
import { span, table } from '../text.js';
import { buildWatcher } from '../watcher.js';

/** `berth up`, `berth history`, `berth projection …` */
export function systemCommands(program: Command, context: Context): void {
  leaf(program, 'up', 'start everything on this machine, until Ctrl-C').action(async () => {
    // Loaded only when asked for, because it brings every service with it.
    const { up } = await import('@berth/embedded');
    await up(context.io.env);
  });

  leaf(program, 'history <id>', 'every event of a build, lease, action, resource, machine, blueprint or plan').action(async (id: string) => {
    const page = await wholeList((query: HistoryQuery) => context.berth.history(id, query), {});
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
  leaf(projection, 'list', 'how far each is behind the events').action(async () => {
    const page = await context.berth.projections.list();
    context.result(page, () =>
      table(page.items, [
        ['PROJECTION', (p) => p.name],
        ['POSITION', (p) => p.position],
        ['ROWS', (p) => p.rows],
        ['BEHIND', (p) => (p.lag.commits === 0 ? 'nothing' : `${p.lag.commits} commits, ${span(p.lag.ms)}`)],
      ]),
    );
  });
  leaf(projection, 'rebuild [name]', 'make one anew from the events, or all; the old rows are served until then').action(async (name: string | undefined) => {
    const { projections } = context.berth;
    const watcher = buildWatcher(context.io.stderr);
    let last = '';
    try {
      for await (const line of name === undefined ? projections.rebuildAll() : projections.rebuild(name)) {
        last = line;
        const [, percent, activity] = /^(\d+)% (.*)$/.exec(line) ?? [];
        if (percent !== undefined) watcher.status({ data: { id: name ?? '', status: 'rebuilding', percent: Number(percent), activity: activity ?? null, error: null } });
      }
    } finally {
      watcher.end();
    }
    if (!last.startsWith('done')) throw new Failure('internal', last || 'The rebuild was cut off: try again.');
    context.note(last);
    context.result({ done: true, commits: Number(/\d+/.exec(last)?.[0] ?? 0) }, () => (name === undefined ? 'The projections are rebuilt.' : `The projection ${name} is rebuilt.`));
  });
}

const shortened = (text: string): string => (text === '{}' ? '' : text.length > 100 ? `${text.slice(0, 99)}…` : text);
