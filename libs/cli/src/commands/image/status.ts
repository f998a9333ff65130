import type { Command } from 'commander';
import type { ImageVersionView } from '@berth/client';
import type { ImageStatus, ImageTarget } from '@berth/contracts';
import { leaf, type Context } from '../../context.js';
import { Failure } from '../../failure.js';
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
}

const NOTES = `
Examples:
  berth image status web
  berth image status web@3
  berth image status --targetimage web@3/raw
  berth image status --providerimage web:latest/eu

A line for each thing: the version, what it is built as, and where it is pushed to; of an image, those of its newest version.`;

/** `berth image status` */
export function statusCommand(image: Command, context: Context): void {
  leaf(image, 'status [image-or-version]', 'how far something is, in percent, and what went wrong')
    .option('--build <version>', 'a version: the same as naming it')
    .option('--targetimage <version/target>', 'only what is built for this target', targetImageOf)
    .option('--providerimage <version/account>', 'only what is pushed to this account', providerImageOf)
    .addHelpText('after', NOTES)
    .action((name: string | undefined, options: Options) => status(context, name, options));
}

async function status(context: Context, name: string | undefined, { build, targetimage, providerimage }: Options): Promise<void> {
  oneOf({ name, build, targetimage, providerimage }, { name: 'an image or a version', build: '--build', targetimage: '--targetimage', providerimage: '--providerimage' });
  const rows = name !== undefined && !isVersion(name) ? await ofImage(context, name) : await ofVersion(context, name ?? build ?? targetimage?.version ?? providerimage!.version, targetimage?.target, providerimage?.account);
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
}

async function ofImage(context: Context, name: string): Promise<Row[]> {
  const { newest, status: now } = await asked(context, context.berth.images.get(name), { named: name });
  return newest === null ? [{ kind: 'image', id: name, status: now, percent: 0, activity: null, error: null }] : rowsOf(await context.berth.versions.get(newest.id));
}

async function ofVersion(context: Context, id: string, target: ImageTarget | undefined, account: string | undefined): Promise<Row[]> {
  const version = await asked(context, context.berth.versions.get(id), { named: id });
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
