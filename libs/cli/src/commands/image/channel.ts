import type { Command } from 'commander';
import { type ChannelView } from '@berth/client';
import { leaf, type Context } from '../../context.js';
import { Exit, FAILED, Failure, USAGE } from '../../failure.js';
import { imageChanges, untilInterrupted, watchedOn } from '../../image-follow.js';
import { count } from '../../options.js';
import { facts, printable, relative, table } from '../../text.js';
import { asked } from './refused.js';
import { isId } from './words.js';

const SET_NOTES = `
Examples:
  berth image channel set web:stable --test smoke
  berth image channel set web:nightly --managed

What is not said is as it is for a new channel: it follows nothing by itself, and has no test. A test is a plan that runs on a host
booted from a version; the channel points at it only once that has passed.`;
const ASSIGN_NOTES = `
Examples:
  berth image channel assign web:stable web@3 --reason "runs well for a week"
  berth image channel assign web:stable web:nightly --watch
  berth image channel assign web:stable web@3 --retest

Where the channel has a test, it points at the version once that has passed. With --watch it waits for that: 0 only when the
channel points at the version then.`;

interface Assign {
  reason?: string;
  retest?: true;
  watch?: true;
}

/** `berth image channel …` */
export function channelCommands(image: Command, context: Context): void {
  const channel = image.command('channel').description('names that point at a version, such as web:stable');
  leaf(channel, 'list [image]', 'channels of all images, or of one')
    .option('--limit <count>', 'at most so many', count)
    .option('--cursor <cursor>', 'from this place of an earlier list on')
    .action(async (of: string | undefined, { limit, cursor }: { limit?: number; cursor?: string }) => {
      const page = await asked(context, context.berth.channels.list({ image: of, limit, cursor }), { named: of });
      context.result(page, () => (page.items.length === 0 ? 'No channels.' : channelTable(page.items, context.colour) + (page.cursor === null ? '' : `\nMore: --cursor ${page.cursor}`)));
    });
  leaf(channel, 'show <channel>', 'one channel: where it points, its test, and where it pointed before').action(async (name: string) => {
    const view = await asked(context, context.berth.channels.get(channelOf(name)), { named: name });
    context.result(view, () => shown(view, context.colour));
  });
  leaf(channel, 'set <channel>', 'make or change a channel')
    .option('--managed', 'points at each new version once it is complete and has passed the test')
    .option('--test <plan>', 'a plan that must pass on a host booted from a version before the channel points at it')
    .addHelpText('after', SET_NOTES)
    .action(async (name: string, { managed, test }: { managed?: true; test?: string }) => {
      const answer = await asked(context, context.berth.channels.set(channelOf(name), { managed: managed === true, ...(test !== undefined && { test }) }), { named: name });
      context.result(answer, () => `Channel ${name} is set.`);
    });
  leaf(channel, 'remove <channel>', 'remove a channel that nothing uses; `latest` stays').action(async (name: string) => {
    const answer = await asked(context, context.berth.channels.remove(channelOf(name)), { named: name });
    context.result(answer, () => `Channel ${name} is removed.`);
  });
  leaf(channel, 'assign <channel> <version>', 'point a channel at a version that is complete')
    .option('--reason <text>', 'why, for the history')
    .option('--retest', 'try the test again that the version has failed')
    .option('--watch', 'wait until its test is over')
    .addHelpText('after', ASSIGN_NOTES)
    .action((name: string, version: string, options: Assign) => assign(context, name, version, options));
  leaf(channel, 'rollback <channel>', 'point a channel at a version that it pointed at before')
    .option('--to <version>', 'which (default: the one before that may be used)')
    .option('--from <version>', 'only if it still points at this one')
    .option('--reason <text>', 'why, for the history')
    .action(async (name: string, { to, from, reason }: { to?: string; from?: string; reason?: string }) => {
      channelOf(name);
      const [toId, fromId] = await Promise.all([to, from].map(async (version) => (version === undefined ? undefined : idOf(context, version))));
      const answer = await asked(context, context.berth.channels.rollback(name, { ...(toId !== undefined && { to: toId }), ...(fromId !== undefined && { from: fromId }), ...(reason !== undefined && { reason }) }), { named: name, flags: { from: '--from' } });
      const view = await context.berth.channels.get(name, { after: answer.position });
      context.result(view, () => `Channel ${name} points at ${numbered(view)}.`);
    });
}

/** IMAGE:CHANNEL. */
function channelOf(name: string): string {
  if (!/^[^:@/]+:[^:@/]+$/.test(name)) throw new Failure('usage', `A channel is named IMAGE:CHANNEL, such as web:stable, not ${JSON.stringify(name)}.`, [], USAGE);
  return name;
}

/** The id of a version, where only that says which. */
const idOf = async (context: Context, version: string): Promise<string> => (isId(version) ? version : (await asked(context, context.berth.versions.get(version), { named: version })).id);

async function assign(context: Context, name: string, wanted: string, { reason, retest, watch }: Assign): Promise<void> {
  channelOf(name);
  const { berth } = context;
  const id = await idOf(context, wanted);
  const { position } = await asked(context, berth.channels.assign(name, id, reason, { retest: retest === true }), { named: name });
  const first = await berth.channels.get(name, { after: position });
  if (!watch || !first.testing) {
    context.result(first, () => (first.testing ? `${told(first)}: \`berth image channel show ${name}\` tells how it goes.` : `Channel ${name} points at ${numbered(first)}.`));
    if (watch && first.version !== id) throw new Exit(FAILED);
    return;
  }
  const screen = watchedOn(context);
  let before: string | undefined;
  const end = await untilInterrupted(context, `The test goes on: \`berth image channel show ${name}\` tells how.`, async (signal) => {
    for await (const now of imageChanges(berth, first, position ?? 0, (after) => berth.channels.get(name, { after }), signal)) {
      if (!now.testing || now.testing.version !== id) return now;
      const line = told(now);
      if (line !== before) screen.write(`${printable(line)}\n`);
      before = line;
    }
    return undefined;
  });
  context.result(end, () => `\n${shown(end, context.colour)}`);
  if (end.version !== id) throw new Exit(FAILED);
}

const told = ({ testing }: ChannelView): string => (testing ? `Version ${testing.number} is tested by build ${testing.build}` : '');
const numbered = ({ image, number }: Pick<ChannelView, 'image' | 'number'>): string => (number === null ? 'no version' : `${image}@${number}`);

const lastTest = ({ lastTest: last }: ChannelView): string | null => last && `version ${last.number} ${last.passed ? 'passed' : 'failed'} ${relative(last.at)}${last.error === null ? '' : `: ${last.error}`}`;

export const channelTable = (channels: readonly ChannelView[], colour: boolean): string =>
  table(
    channels,
    [
      ['CHANNEL', (c) => c.id],
      ['VERSION', (c) => c.number],
      ['MANAGED', (c) => (c.managed ? 'yes' : 'no')],
      ['TEST', (c) => c.test],
      ['TESTING', (c) => c.testing?.number],
      ['LAST TEST', lastTest],
      ['MODIFIED', (c) => relative(c.modified)],
    ],
    { colour },
  );

function shown(channel: ChannelView, colour: boolean): string {
  const { testing } = channel;
  const head = facts([
    ['channel', channel.id],
    ['version', channel.version === null ? 'none' : `${channel.image}@${channel.number ?? '?'} (${channel.version})`],
    ['managed', channel.managed ? 'yes: it follows what is built' : 'no'],
    ['test', channel.test],
    ['testing', testing && `version ${testing.number} by build ${testing.build}${testing.attempt > 1 ? `, attempt ${testing.attempt}` : ''}`],
    ['last test', lastTest(channel)],
    ['modified', relative(channel.modified)],
  ]);
  const history = table(
    channel.history,
    [
      ['VERSION', (h) => h.number ?? 'none'],
      ['BY', (h) => h.by],
      ['WHO', (h) => h.who],
      ['WHEN', (h) => relative(h.at)],
      ['REASON', (h) => h.reason],
    ],
    { colour },
  );
  return [head, channel.history.length > 0 ? history : ''].filter(Boolean).join('\n\n');
}
