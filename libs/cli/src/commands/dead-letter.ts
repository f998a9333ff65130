import type { Command } from 'commander';
import type { DeadLetterRetry } from '@berth/client';
import { leaf, type Context } from '../context.js';
import { Exit, FAILED } from '../failure.js';
import { count } from '../options.js';
import { facts, relative, table } from '../text.js';

interface ListOptions {
  service?: string;
  type?: string;
  limit?: number;
  cursor?: string;
}

/** `berth dead-letter …` */
export function deadLetterCommands(program: Command, context: Context): void {
  const letter = program.command('dead-letter').description('commands that could not be carried out');
  leaf(letter, 'list', 'dead letters, the newest first')
    .option('--service <name>', 'only those of this service')
    .option('--type <command>', 'only this command')
    .option('--limit <count>', 'at most so many (100)', count)
    .option('--cursor <cursor>', 'where the page before ended')
    .action(async (options: ListOptions) => {
      const page = await context.berth.deadLetters.list(options);
      context.result(page, () =>
        page.items.length === 0
          ? 'No dead letters.'
          : table(page.items, [
              ['ID', (l) => l.id],
              ['WHEN', (l) => relative(l.at)],
              ['SERVICE', (l) => l.service],
              ['COMMAND', (l) => l.type],
              ['TRIES', (l) => l.tries],
              ['REASON', (l) => l.reason],
            ]),
      );
      if (page.cursor !== null && !context.json) context.note(`There are more: --cursor ${page.cursor}`);
    });
  leaf(letter, 'show <id>', 'one dead letter, with what was sent').action(async (id: string) => {
    const view = await context.berth.deadLetters.get(id);
    const { command } = view;
    context.result(view, () =>
      facts([
        ['dead letter', view.id],
        ['service', view.service],
        ['command', view.type],
        ['reason', view.reason],
        ['tries', view.tries],
        ['at', view.at],
        ['sent', typeof command === 'string' ? command : JSON.stringify(command)],
      ]),
    );
  });
  leaf(letter, 'retry <id>', 'send it to its service once more, under its own id').action(async (id: string) => {
    const done = await context.berth.deadLetters.retry(id);
    context.result(done, () => told(done));
    if (done.outcome === 'refused') throw new Exit(FAILED);
  });
  leaf(letter, 'drop <id>', 'remove it').action(async (id: string) => {
    const answer = await context.berth.deadLetters.drop(id);
    context.result(answer, () => `Dead letter ${id} is dropped.`);
  });
}

function told({ id, command, outcome, message }: DeadLetterRetry): string {
  switch (outcome) {
    case 'accepted':
      return `Command ${command} is carried out; dead letter ${id} is gone.`;
    case 'waiting':
      return `Command ${command} waits for its service; dead letter ${id} is gone. If it fails again, there will be another one.`;
    case 'refused':
      return `Command ${command} was refused: ${message}`;
    case 'gone':
      return `Dead letter ${id} had been retried or dropped before.`;
  }
}
