import type { Command } from 'commander';
import { randomUUID } from 'node:crypto';
import type { ImageVersionView } from '@berth/client';
import { imageTemplate, type ImageTarget } from '@berth/contracts';
import { leaf, type Context } from '../../context.js';
import { Failure, USAGE } from '../../failure.js';
import { watchVersion } from '../../image-follow.js';
import { isLive, pushed } from '../../image-watcher.js';
import { keyValue } from '../../options.js';
import { asked } from './refused.js';
import { versionText } from './version-text.js';
import { oneOf, targetImageOf, words } from './words.js';

interface PushOptions {
  image?: string;
  build?: string;
  targetimage?: { version: string; target: ImageTarget };
  account?: string[];
  all?: true;
  watch?: true;
}
interface ImportOptions {
  account: string;
  id: string;
  image: string;
  os?: string;
  osVersion?: string;
  arch?: 'x86_64' | 'aarch64';
  label?: Record<string, string>;
}

const PUSH_NOTES = `
Examples:
  berth image push web@3 --account eu,us --watch
  berth image push web@3 --all
  berth image push --image web --account eu
  berth image push --targetimage web@3/raw --all

VERSION is an id, IMAGE@NUMBER or IMAGE:CHANNEL. What is pushed can be named in other ways, as \`aeolus-image push\` did: --image, its
newest version; --build, another word for VERSION; --targetimage, only to accounts that take that target. With --watch it ends with
0 only when all of it is COMPLETE; with 130 when it is interrupted: the pushing goes on then.`;
const IMPORT_NOTES = `
Example:
  berth image import --account eu --id ami-0123456789abcdef0 --image base --os debian --os-version 12

Prints the id of the version: a new one of the image, which is made when there is none of that name.`;

/** `berth image push|import` */
export function pushCommands(image: Command, context: Context): void {
  leaf(image, 'push [version]', 'push a version to accounts; what is there already stays as it is, what has failed is tried again')
    .option('--image <name>', 'the newest version of this image')
    .option('--build <version>', 'the same as VERSION')
    .option('--targetimage <version/target>', 'what was built for this target', targetImageOf)
    .option('--account <name,...>', 'to these accounts', words)
    .option('--all', 'to all accounts of its environment whose target is built')
    .option('--watch', 'tell how it comes on until it has ended')
    .addHelpText('after', PUSH_NOTES)
    .action((version: string | undefined, options: PushOptions) => push(context, version, options));
  leaf(image, 'import', 'take in an image that a provider has already, as a version that is complete')
    .requiredOption('--account <name>', 'where it is')
    .requiredOption('--id <id>', 'what the provider calls it, such as ami-0123456789abcdef0')
    .requiredOption('--image <name>', 'the image that it becomes a version of')
    .option('--os <name>', 'its operating system, such as debian; with --os-version')
    .option('--os-version <version>', 'of its operating system, such as 12')
    .option('--arch <arch>', 'x86_64 (default) or aarch64; with --os')
    .option('--label <key=value...>', 'labels of the version', keyValue)
    .addHelpText('after', IMPORT_NOTES)
    .action((options: ImportOptions) => bringIn(context, options));
}

async function push(context: Context, version: string | undefined, { image, build, targetimage, account, all, watch }: PushOptions): Promise<void> {
  oneOf({ version, image, build, targetimage }, { version: 'a version', image: '--image', build: '--build', targetimage: '--targetimage' });
  oneOf({ account, all }, { account: '--account', all: '--all' });
  const named = version ?? build ?? targetimage?.version ?? image!;
  const before = await asked(context, context.berth.versions.get(image === undefined ? named : await newestOf(context, image)), { named });
  const accounts = targetimage === undefined ? account : await accountsFor(context, before, targetimage.target, account);
  const { versions } = context.berth;
  const answer = await asked(context, accounts ? versions.push(before.id, accounts) : versions.pushAll(before.id), { named });
  const now = await versions.get(before.id, { after: answer.position });
  const begun = now.pushes.filter((one) => accounts?.includes(one.account) ?? (isLive(one.status) || before.pushes.find((old) => old.account === one.account)?.attempt !== one.attempt)).map((one) => one.account);
  if (watch) return watchVersion(context, before.id, pushed(new Set(begun)), (view) => versionText(view, context.colour), answer.position);
  context.result({ ...answer, accounts: begun }, () =>
    begun.length === 0 ? `${named} is everywhere already where it can be.` : `${named} is pushed to ${begun.join(', ')}: follow it with \`berth image watch ${before.id}\`.`,
  );
}

async function newestOf(context: Context, image: string): Promise<string> {
  const { newest } = await asked(context, context.berth.images.get(image), { named: image });
  if (newest === null) throw new Failure('unknown-version', `Image ${image} has no version yet: build one with \`berth image build ${image}\`.`);
  return newest.id;
}

/** Accounts that take a target: of those that are named, or all of the environment. */
async function accountsFor(context: Context, version: ImageVersionView, target: ImageTarget, named: string[] | undefined): Promise<string[]> {
  if (named === undefined) {
    const { accounts } = await context.berth.images.board(version.image);
    const taking = accounts.filter((one) => one.target === target).map(({ account }) => account);
    if (taking.length === 0) throw new Failure('unknown-account', `No account that ${version.image} is pushed to takes ${target}: \`berth image board ${version.image}\` shows them.`, [{ field: '--targetimage', message: `no account takes ${target}` }]);
    return taking;
  }
  const views = await Promise.all(named.map((name) => asked(context, context.berth.accounts.get(name), { flags: { name: '--account' } })));
  const others = views.filter((one) => one.target !== target);
  if (others.length === 0) return named;
  const errors = others.map(({ name, target: takes }) => ({ field: '--account', message: `${name} takes ${takes}, and not ${target}` }));
  throw new Failure('unknown-account', `Target ${target} can't be pushed to ${others.map(({ name }) => name).join(', ')}.`, errors);
}

async function bringIn(context: Context, { account, id, image, os: name, osVersion, arch, label }: ImportOptions): Promise<void> {
  if ((name === undefined) !== (osVersion === undefined) || (arch !== undefined && name === undefined)) throw new Failure('usage', 'What its operating system is takes both --os and --os-version (and --arch, if it is not x86_64).', [], USAGE);
  if (arch !== undefined && !imageTemplate.shape.os.shape.arch.safeParse(arch).success) throw new Failure('usage', `--arch is x86_64 or aarch64, not ${JSON.stringify(arch)}.`, [], USAGE);
  const os = name !== undefined && osVersion !== undefined ? { name, version: osVersion, ...(arch && { arch }) } : undefined;
  const version = randomUUID();
  await asked(context, context.berth.images.import({ image, account, id, ...(os && { os }), ...(label && { labels: label }) }, { id: version }), { flags: { image: '--image', 'os.version': '--os-version', 'os.arch': '--arch' } });
  context.result({ id: version }, () => version);
}
