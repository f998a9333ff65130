import type { Command } from 'commander';
import type { DeliveryView, WebhookView } from '@berth/client';
import { statusKinds } from '@berth/contracts';
import { leaf, type Context } from '../context.js';
import { FAILED, Exit, Failure, USAGE } from '../failure.js';
import { facts, relative, table } from '../text.js';

interface AddOptions {
  kind?: string[];
  status?: string[];
}

/** `berth webhook …` */
export function webhookCommands(program: Command, context: Context): void {
  const webhook = program.command('webhook').description('URLs that the statuses of things are sent to');
  leaf(webhook, 'list', 'where statuses are sent, and how that goes').action(async () => {
    const page = await context.berth.webhooks.list();
    context.result(page, () => (page.items.length === 0 ? 'No webhooks.' : listed(page.items, context.colour)));
  });
  leaf(webhook, 'show <name>', 'one webhook, and what was sent last').action(async (name: string) => {
    const [view, { items }] = await Promise.all([context.berth.webhooks.get(name), context.berth.webhooks.deliveries(name)]);
    context.result({ ...view, deliveries: items }, () => shown(view, items, context.colour));
  });
  leaf(webhook, 'save <name> <url>', 'send statuses to a URL from now on, or change which')
    .option('--kind <kind...>', `only of such things: ${statusKinds.join(', ')}`)
    .option('--status <status...>', 'only these, such as passed or failed')
    .action(async (name: string, url: string, { kind = [], status = [] }: AddOptions) => {
      const kinds = kind.map(knownKind);
      const answer = await context.berth.webhooks.save(name, { url, kinds, statuses: status });
      context.result(answer, () => `Webhook ${name} is saved.${answer.key === undefined ? '' : `\nIt signs with this key, which is not shown again:\n${answer.key}`}`);
    });
  leaf(webhook, 'test <name>', 'send one event that says nothing').action(async (name: string) => {
    const tried = await context.berth.webhooks.test(name);
    context.result(tried, () => (tried.outcome === 'delivered' ? `It answered ${tried.status} after ${tried.durationMs} ms.` : `It was not delivered: ${tried.error}`));
    if (tried.outcome !== 'delivered') throw new Exit(FAILED);
  });
  leaf(webhook, 'suspend <name>', 'send nothing for now; what happens waits')
    .option('--reason <text>', 'why, for whoever asks')
    .action(async (name: string, { reason }: { reason?: string }) => {
      const answer = await context.berth.webhooks.suspend(name, reason);
      context.result(answer, () => `Webhook ${name} is suspended.`);
    });
  leaf(webhook, 'resume <name>', 'go on with what waits').action(async (name: string) => {
    const answer = await context.berth.webhooks.resume(name);
    context.result(answer, () => `Webhook ${name} goes on.`);
  });
  leaf(webhook, 'rotate-key <name>', 'sign with another key; for a day with the one before too').action(async (name: string) => {
    const answer = await context.berth.webhooks.rotateKey(name);
    context.result(answer, () => `Webhook ${name} signs with this key, which is not shown again:\n${answer.key}`);
  });
  leaf(webhook, 'remove <name>', 'send nothing there any more').action(async (name: string) => {
    const answer = await context.berth.webhooks.remove(name);
    context.result(answer, () => `Webhook ${name} is removed.`);
  });
}

function knownKind(text: string): (typeof statusKinds)[number] {
  const kind = statusKinds.find((one) => one === text);
  if (kind === undefined) throw new Failure('usage', `--kind must be one of ${statusKinds.join(', ')}, not ${JSON.stringify(text)}.`, [], USAGE);
  return kind;
}

const listed = (webhooks: readonly WebhookView[], colour: boolean): string =>
  table(
    webhooks,
    [
      ['WEBHOOK', (w) => w.name],
      ['STATUS', (w) => w.status],
      ['URL', (w) => w.url],
      ['OF', (w) => (w.kinds.length === 0 ? 'all' : w.kinds.join(' '))],
      ['WAITING', (w) => w.waiting],
      ['LAST', (w) => (w.last === null ? null : `${w.last.outcome} ${relative(w.last.at)}`)],
    ],
    { colour },
  );

function shown(webhook: WebhookView, deliveries: readonly DeliveryView[], colour: boolean): string {
  const head = facts([
    ['webhook', webhook.name],
    ['url', webhook.url],
    ['status', webhook.reason === null ? webhook.status : `${webhook.status}: ${webhook.reason}`],
    ['of', webhook.kinds.length === 0 ? 'all things' : webhook.kinds.join(', ')],
    ['only', webhook.statuses.length === 0 ? null : webhook.statuses.join(', ')],
    ['waiting', String(webhook.waiting)],
  ]);
  if (deliveries.length === 0) return `${head}\n\nNothing was sent in the last days.`;
  const tries = table(
    deliveries.slice(0, 20),
    [
      ['WHEN', (d) => relative(d.at)],
      ['STATUS OF', (d) => d.id],
      ['TRY', (d) => d.attempt],
      ['OUTCOME', (d) => d.outcome],
      ['TIME', (d) => `${d.durationMs} ms`],
      ['ANSWER', (d) => d.error ?? d.status],
    ],
    { colour },
  );
  return `${head}\n\n${tries}`;
}
