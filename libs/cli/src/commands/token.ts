import { InvalidArgumentError, Option, type Command } from 'commander';
import type { TokenView } from '@berth/client';
import { jobRight, role, type JobRight, type Role } from '@berth/contracts';
import { leaf, type Context } from '../context.js';
import { instant, several, time, untilOf } from '../options.js';
import { relative, table } from '../text.js';

interface CreateOptions {
  role: Role;
  project?: string[];
  jobs?: JobRight[];
  for?: number;
  until?: string;
}

/** `berth token …`, `berth login-link`, `berth whoami`, `berth audit` */
export function tokenCommands(program: Command, context: Context): void {
  const token = program.command('token').description('tokens of the HTTP API: who may do what');
  leaf(token, 'create <name>', 'make a token; its secret is shown now and never again')
    .addOption(new Option('--role <role>', 'what it may do').choices(role.options).makeOptionMandatory())
    .option('--project <name...>', 'it sees and touches only what acts for this project (default: all)', several)
    .option('--jobs <task,...>', 'hardware jobs that it may ask for besides those of its role, such as reboot,ping', jobRights)
    .addOption(new Option('--for <duration>', 'it ends by itself after so long, such as 90d').argParser(time).conflicts('until'))
    .option('--until <time>', 'it ends by itself then (default: never)', instant)
    .action(async (name: string, options: CreateOptions) => {
      const expires = untilOf(options);
      const made = await context.berth.tokens.create({ name, role: options.role, ...(options.project && { projects: options.project }), ...(options.jobs && { jobs: options.jobs }), ...(expires !== undefined && { expires }) });
      // The secret alone on standard output, so that it can be put where it belongs without being looked at.
      context.result(made, () => made.secret);
      if (!context.json) context.note(`${name} is made: this is its secret, which is shown this once. Use it as BERTH_TOKEN.`);
    });
  leaf(token, 'list', 'tokens, newest first').action(async () => {
    const page = await context.berth.tokens.list();
    context.result(page, () => (page.items.length === 0 ? 'No tokens yet: make one with `berth token create`.' : listed(page.items, context.colour)));
  });
  leaf(token, 'revoke <name>', 'end a token, and all sessions and streams that were begun with it').action(async (name: string) => {
    const answer = await context.berth.tokens.revoke(name);
    context.result(answer, () => `${name} is revoked.`);
  });

  leaf(program, 'login-link', 'a link that signs a browser in as you: once, and within an hour').action(async () => {
    const link = await context.berth.loginLink();
    context.result(link, () => link.url);
  });

  leaf(program, 'whoami', 'who you are to Berth, and what you may do').action(async () => {
    const me = await context.berth.me();
    context.result(me, () => `${me.actor}, ${me.role}${me.projects === null ? '' : ` of ${me.projects.join(', ')}`}\n${me.permissions.join('\n')}`);
  });

  leaf(program, 'audit', 'who did what and who was refused what, the newest first')
    .addOption(new Option('--what <what>', 'only these').choices(['refused', 'signed-in', 'did']))
    .option('--actor <actor>', 'only of somebody, such as token:ci or user:ada@example.org')
    .action(async (options: { what?: 'refused' | 'signed-in' | 'did'; actor?: string }) => {
      const page = await context.berth.audit(options);
      context.result(page, () =>
        table(page.items, [
          ['AT', (e) => e.position],
          ['TIME', (e) => e.time],
          ['WHO', (e) => e.actor],
          ['WHAT', (e) => e.events.join(', ')],
          ['OF', (e) => (e.kind === 'access' ? '' : `${e.kind} ${e.id}`)],
          ['DETAIL', (e) => e.detail],
        ]),
      );
    });
}

function jobRights(text: string): JobRight[] {
  const words = text.split(',').map((word) => word.trim());
  const unknown = words.find((word) => !jobRight.safeParse(word).success);
  if (unknown !== undefined) throw new InvalidArgumentError(`There is no hardware job ${JSON.stringify(unknown)}: use ${jobRight.options.join(', ')}.`);
  return words as JobRight[];
}

const listed = (tokens: TokenView[], colour: boolean): string =>
  table(
    tokens,
    [
      ['NAME', (t) => t.name],
      ['ROLE', (t) => t.role],
      ['PROJECTS', (t) => t.projects?.join(', ') ?? 'all'],
      ['JOBS', (t) => t.jobs.join(', ')],
      ['STATE', (t) => t.state],
      ['CREATED', (t) => relative(t.created)],
      ['BY', (t) => t.createdBy],
      ['EXPIRES', (t) => relative(t.expires)],
      ['LAST USED', (t) => relative(t.lastUsed)],
    ],
    { colour },
  );
