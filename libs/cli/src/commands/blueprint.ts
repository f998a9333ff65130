import type { Command } from 'commander';
import { leaf, type Context } from '../context.js';
import { pairs, table } from '../text.js';

/** `berth blueprint …` */
export function blueprintCommands(program: Command, context: Context): void {
  const blueprint = program.command('blueprint').description('kinds of resources that can be leased');
  leaf(blueprint, 'list', 'blueprints, what they answer to, and their resources').action(async () => {
    const page = await context.berth.blueprints.list();
    context.result(page, () => {
      const summary = table(page.items, [
        ['BLUEPRINT', (b) => b.name],
        ['TYPE', (b) => b.type],
        ['FREE', (b) => b.free],
        ['BUSY', (b) => b.busy],
        ['ANSWERS TO', (b) => [b.answersTo, pairs(b.attributes)].filter(Boolean).join(', ')],
      ]);
      const resources = page.items.flatMap((b) => b.resources);
      if (resources.length === 0) return summary;
      const rows = table(
        resources,
        [
          ['RESOURCE', (r) => r.id],
          ['NAME', (r) => r.name],
          ['BLUEPRINT', (r) => r.blueprint],
          ['STATUS', (r) => (r.status === 'active' && !r.reachable ? 'unreachable' : r.status)],
          ['FREE', (r) => `${r.free}/${r.slots}`],
          ['ATTRIBUTES', (r) => pairs(r.attributes)],
        ],
        { colour: context.colour },
      );
      return `${summary}\n\n${rows}`;
    });
  });
}
