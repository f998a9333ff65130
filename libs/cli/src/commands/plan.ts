import type { Command } from 'commander';
import { wholeList, type PlanQuery } from '@berth/client';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { leaf, type Context } from '../context.js';
import { Failure } from '../failure.js';
import { withRepository } from '../plan-file.js';
import { relative, table } from '../text.js';

/** `berth plan …` */
export function planCommands(program: Command, context: Context): void {
  const plan = program.command('plan').description('build plans');
  const read = (path: string, file: string) =>
    readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new Failure('file', `${file} can't be read (${error.code}).`);
    });
  leaf(plan, 'validate <file>', 'read a plan and save nothing: all that is wrong with it, with line and column').action(async (file: string) => {
    const answer = await context.berth.plans.validate(await read(resolve(context.io.cwd, file), file));
    context.result(answer, () => `Plan ${answer.name} can be saved: ${answer.steps.length} ${answer.steps.length === 1 ? 'step' : 'steps'} (${answer.steps.map(({ id }) => id).join(', ')}).`);
  });
  leaf(plan, 'apply <file>', 'save a plan from a YAML file as its next version').action(async (file: string) => {
    const path = resolve(context.io.cwd, file);
    const source = await read(path, file);
    // Beside the file first; a plan may also have been written to be applied from the folder above.
    const bases = [dirname(path), context.io.cwd];
    const answer = await context.berth.plans.apply(await withRepository(source, bases, context.home, (text) => context.note(text)));
    context.result(answer, () => `Plan ${answer.id} is saved as version ${answer.version ?? '?'}: start it with \`berth build start ${answer.id}\`.`);
  });
  leaf(plan, 'list', 'plans').action(async () => {
    const page = await wholeList((query: PlanQuery) => context.berth.plans.list(query), {});
    context.result(page, () =>
      page.items.length === 0
        ? 'No plans yet: save one with `berth plan apply FILE`.'
        : table(page.items, [
            ['PLAN', (p) => p.name],
            ['VERSION', (p) => p.version],
            ['SAVED', (p) => relative(p.saved)],
            ['STEPS', (p) => p.steps.join(', ')],
          ]),
    );
  });
  leaf(plan, 'show <name>', 'the text of a plan').action(async (name: string) => {
    const view = await context.berth.plans.get(name);
    context.result(view, () => view.source.trimEnd());
  });
}
