import type { Command } from 'commander';
import type { ImageVersionView } from '@berth/client';
import type { ImageStatus, ImageTarget } from '@berth/contracts';
import { leaf, type Context } from '../../context.js';
import { Exit, FAILED, Failure, OK, UNDER_WAY } from '../../failure.js';
import { followVersion } from '../../image-follow.js';
import { built, everything, isLive, pushed } from '../../image-watcher.js';
import { table } from '../../text.js';
import { asked } from './refused.js';
import { isVersion, oneOf, providerImageOf, targetImageOf, versionName } from './words.js';

/** A line of the table. */
interface Row {
  kind: 'image' | 'build' | 'targetimage' | 'providerimage';
  id: string;
  status: ImageStatus;
  percent: number;
  activity: string | null;
  error: string | null;
}
interface Options {
  build?: string;
  targetimage?: { version: string; target: ImageTarget };
  providerimage?: { version: string; account: string };
  exitCode?: true;
  wait?: true;
}
/** What is told of a version: all, or one target or one account of it. */
interface Only {
  target?: ImageTarget | undefined;
  account?: string | undefined;
}

const NOTES = `
Examples:
  berth image status web
  berth image status web@3
  berth image status --targetimage web@3/raw
  berth image status --providerimage web:latest/eu
  berth image status web --wait --json
  berth image status web@3 --exit-code > /dev/null

A line for each thing: the version, what it is built as, and where it is pushed to; of an image, those of its newest version.

Ends with 0 whatever is told. With --exit-code: 0 when all that is told is COMPLETE, 3 while something of it is under way, 1
otherwise. With --wait 0 or 1 in the same way, once nothing of it is under way; 130 when it is interrupted: what is built and pushed
goes on then.`;

/** `berth image status` */
export function statusCommand(image: Command, context: Context): void {
  leaf(image, 'status [image-or-version]', 'how far something is, in percent, and what went wrong')
    .option('--build <version>', 'a version: the same as naming it')
    .option('--targetimage <version/target>', 'only what is built for this target', targetImageOf)
    .option('--providerimage <version/account>', 'only what is pushed to this account', providerImageOf)
    .option('--exit-code', 'end with 0, 1 or 3 by what is told')
    .option('--wait', 'tell how it comes on, until nothing of it is under way; end with 0 or 1')
    .addHelpText('after', NOTES)
    .action((name: string | undefined, options: Options) => status(context, name, options));
}

async function status(context: Context, name: string | undefined, { build, targetimage, providerimage, exitCode, wait }: Options): Promise<void> {
  oneOf({ name, build, targetimage, providerimage }, { name: 'an image or a version', build: '--build', targetimage: '--targetimage', providerimage: '--providerimage' });
  const only = { target: targetimage?.target, account: providerimage?.account };
  const rows = name !== undefined && !isVersion(name) ? await ofImage(context, name, wait) : await ofVersion(context, name ?? build ?? targetimage?.version ?? providerimage!.version, only, wait);
  context.result({ items: rows, cursor: null }, () =>
    table(
      rows,
      [
        ['KIND', (r) => r.kind],
        ['ID', (r) => r.id],
        ['STATUS', (r) => r.status],
        ['DONE', (r) => `${r.percent}%`],
        ['ACTIVITY', (r) => r.activity],
        ['ERROR', (r) => r.error],
      ],
      { colour: context.colour },
    ),
  );
  const code = codeOf(rows);
  if ((exitCode || wait) && code !== OK) throw new Exit(code);
}

/** What scripts are told. An image without a version has nothing under way that would ever end. */
function codeOf(rows: readonly Row[]): number {
  if (rows.some(({ kind, status }) => kind !== 'image' && isLive(status))) return UNDER_WAY;
  return rows.every(({ status }) => status === 'COMPLETE') ? OK : FAILED;
}

async function ofImage(context: Context, name: string, wait: boolean | undefined): Promise<Row[]> {
  const { newest, status: now } = await asked(context, context.berth.images.get(name), { named: name });
  return newest === null ? [{ kind: 'image', id: name, status: now, percent: 0, activity: null, error: null }] : ofVersion(context, newest.id, {}, wait);
}

async function ofVersion(context: Context, id: string, only: Only, wait: boolean | undefined): Promise<Row[]> {
  const version = await asked(context, context.berth.versions.get(id), { named: id });
  const rows = told(version, id, only);
  if (wait !== true || !rows.some(({ status }) => isLive(status))) return rows;
  const { target, account } = only;
  const parts = target !== undefined ? built(target) : account !== undefined ? pushed(new Set([account])) : everything;
  // By its id: what a channel points at can change meanwhile.
  return told(await followVersion(context, version.id, parts), id, only);
}

/** @throws {Failure} the version has no such target, or was not pushed to that account */
function told(version: ImageVersionView, id: string, { target, account }: Only): Row[] {
  const all = rowsOf(version);
  if (target === undefined && account === undefined) return all;
  const found = all.filter((row) => row.kind === (target === undefined ? 'providerimage' : 'targetimage') && row.id === `${versionName(version)}/${target ?? account}`);
  if (found.length > 0) return found;
  const has = (target === undefined ? version.pushes.map((one) => one.account) : version.targets.map((one) => one.target)).join(', ') || 'none';
  throw target === undefined
    ? new Failure('not-pushed', `${id} was not pushed to ${account}.`, [{ field: '--providerimage', message: `accounts that it was pushed to: ${has}` }])
    : new Failure('target-not-there', `${id} has no target ${target}.`, [{ field: '--targetimage', message: `targets that it has: ${has}` }]);
}

function rowsOf(version: ImageVersionView): Row[] {
  const name = versionName(version);
  const row = (kind: Row['kind'], id: string, { status: now, percent, activity, error }: Omit<Row, 'kind' | 'id'>): Row => ({ kind, id, status: now, percent, activity, error });
  return [row('build', name, version), ...version.targets.map((one) => row('targetimage', `${name}/${one.target}`, one)), ...version.pushes.map((one) => row('providerimage', `${name}/${one.account}`, one))];
}
