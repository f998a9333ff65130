import { Argument, type Command } from 'commander';
import { versionUse, type VersionUse } from '@berth/contracts';
import { leaf, type Context } from '../../context.js';
import { Failure, USAGE } from '../../failure.js';
import { instant } from '../../options.js';
import { pairs } from '../../text.js';
import { asked } from './refused.js';
import { pairsOf } from './words.js';

const REVOKE_NOTES = `
Examples:
  berth image revoke web@3 --reason "has a hole in its TLS library"
  berth image revoke web@3 --at 2030-01-31T12:00:00Z --no-cascade

Channels that point at it go back to the version before it that may be used. All that is made of it is revoked with it, unless
--no-cascade is said. \`berth image restore\` takes it back, also one that is still to come.`;
const RESTORE_NOTES = `
What was revoked only because this version was may be used again too, unless --no-cascade is said; what was revoked for itself may not.
Channels stay where they are.`;
const MARK_NOTES = `
A version that is deprecated is hidden from lists and can be launched; one that is disabled can't be. One that a channel points at is
not disabled: roll the channel back first.`;
const ATTRIBUTE_NOTES = `
Examples:
  berth image attributes web@3 audited=yes ticket=OPS-12
  berth image attributes web@3 ticket=

What is not named stays; an empty value takes one away.`;

/** `berth image revoke|restore|mark|label|attributes` */
export function lifeCommands(image: Command, context: Context): void {
  leaf(image, 'revoke <version>', 'take a version out of use, now or later')
    .option('--at <time>', 'from when on, such as 2030-01-31T12:00:00Z (default: at once)', instant)
    .option('--reason <text>', 'why, for the history')
    .option('--no-cascade', 'without what is made of it')
    .addHelpText('after', REVOKE_NOTES)
    .action(async (id: string, { at, reason, cascade }: { at?: string; reason?: string; cascade: boolean }) => {
      const answer = await asked(context, context.berth.versions.revoke(id, { cascade, ...(at !== undefined && { at }), ...(reason !== undefined && { reason }) }), { named: id });
      context.result(answer, () => `Version ${id} is revoked${at === undefined ? '' : ` from ${at} on`}.`);
    });
  leaf(image, 'restore <version>', 'take back the revocation of a version')
    .option('--reason <text>', 'why, for the history')
    .option('--no-cascade', 'without what was revoked with it')
    .addHelpText('after', RESTORE_NOTES)
    .action(async (id: string, { reason, cascade }: { reason?: string; cascade: boolean }) => {
      const answer = await asked(context, context.berth.versions.restore(id, { cascade, ...(reason !== undefined && { reason }) }), { named: id });
      context.result(answer, () => `Version ${id} may be used again.`);
    });
  leaf(image, 'mark', 'say whether a version is offered and may be launched')
    .argument('<version>', 'an id, IMAGE@NUMBER or IMAGE:CHANNEL')
    .addArgument(new Argument('<use>', versionUse.options.join(', ')).choices(versionUse.options))
    .option('--reason <text>', 'why, for the history')
    .addHelpText('after', MARK_NOTES)
    .action(async (id: string, use: VersionUse, { reason }: { reason?: string }) => {
      const answer = await asked(context, context.berth.versions.mark(id, use, reason), { named: id });
      context.result(answer, () => `Version ${id} is ${use}.`);
    });
  leaf(image, 'label', 'set all labels of a version that is not complete yet')
    .argument('<version>', 'an id, IMAGE@NUMBER or IMAGE:CHANNEL')
    .argument('[key=value...]', 'its labels: those that are not named are gone', pairsOf)
    .option('--none', 'it is to have none')
    .action(async (id: string, given: Record<string, string> | [], { none }: { none?: true }) => {
      // The option parser makes an empty list of none at all.
      const labels = Array.isArray(given) ? undefined : given;
      if ((labels === undefined) === (none === undefined)) throw new Failure('usage', 'Give labels as KEY=VALUE, or --none.', [], USAGE);
      const answer = await asked(context, context.berth.versions.label(id, labels ?? {}), { named: id, flags: { labels: 'KEY=VALUE' } });
      context.result(answer, () => `Version ${id} has ${labels ? `the labels ${pairs(labels)}` : 'no labels'}.`);
    });
  leaf(image, 'attributes', 'set attributes of what the warehouse holds of a version, at any time')
    .argument('<version>', 'an id, IMAGE@NUMBER or IMAGE:CHANNEL')
    .argument('<key=value...>', 'an empty value takes one away', pairsOf)
    .addHelpText('after', ATTRIBUTE_NOTES)
    .action(async (id: string, attributes: Record<string, string>) => {
      const answer = await asked(context, context.berth.versions.attributes(id, attributes), { named: id, flags: { attributes: 'KEY=VALUE' } });
      context.result(answer, () => `The attributes of version ${id} are set.`);
    });
}
