import type { Command } from 'commander';
import type { ImageTarget } from '@berth/contracts';
import { leaf, type Context } from '../../context.js';
import { Failure, USAGE } from '../../failure.js';
import { asked } from './refused.js';
import { byHand } from './version-text.js';
import { oneOf, providerImageOf, targetImageOf } from './words.js';

interface Options {
  targetimage?: { version: string; target: ImageTarget };
  providerimage?: { version: string; account: string };
  cascade?: true;
}

const NOTES = `
Examples:
  berth image delete web@3 --cascade
  berth image delete --targetimage web@3/raw
  berth image delete --providerimage web@3/eu

What goes on at providers is shown by \`berth image status\`. What Berth has not made it does not remove: it is listed, to be removed
by hand.`;

/** `berth image delete` */
export function deleteCommand(image: Command, context: Context): void {
  leaf(image, 'delete [version]', 'remove a version, what was built of it, or what was pushed of it')
    .option('--targetimage <version/target>', 'only what was built for this target', targetImageOf)
    .option('--providerimage <version/account>', 'only what was pushed to this account', providerImageOf)
    .option('--cascade', 'with what was made of it; channels go back to what they pointed at before')
    .addHelpText('after', NOTES)
    .action((version: string | undefined, options: Options) => remove(context, version, options));
}

async function remove(context: Context, version: string | undefined, { targetimage, providerimage, cascade }: Options): Promise<void> {
  oneOf({ version, targetimage, providerimage }, { version: 'a version', targetimage: '--targetimage', providerimage: '--providerimage' });
  if (providerimage && cascade) throw new Failure('usage', '--cascade does not go with --providerimage: nothing is made of what was pushed.', [], USAGE);
  const { versions } = context.berth;
  const more = { cascade: cascade === true };
  const named = version ?? targetimage?.version ?? providerimage!.version;
  const [answer, what] = targetimage
    ? [versions.removeTarget(named, targetimage.target, more), `Target ${targetimage.target} of ${named}`]
    : providerimage
      ? [versions.removePushed(named, providerimage.account), `What was pushed of ${named} to ${providerimage.account}`]
      : [versions.remove(named, more), `Version ${named}`];
  const told = await asked(context, answer, { named, flags: { target: '--targetimage', account: '--providerimage' } });
  context.result(told, () => `${what} is removed.${byHand(told.manual)}`);
}
