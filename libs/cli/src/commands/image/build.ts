import type { Command } from 'commander';
import { randomUUID } from 'node:crypto';
import { imageTargets, type ImageTarget } from '@berth/contracts';
import { leaf, type Context } from '../../context.js';
import { Failure, USAGE } from '../../failure.js';
import { watchVersion } from '../../image-follow.js';
import { built, everything } from '../../image-watcher.js';
import { keyValue } from '../../options.js';
import { asked } from './refused.js';
import { save, saveOptions, type SaveOptions } from './template.js';
import { versionText } from './version-text.js';
import { oneOf, targetOf, targetsOf } from './words.js';

interface BuildOptions extends SaveOptions {
  template?: string;
  target?: ImageTarget[];
  label?: Record<string, string>;
  reason?: string;
  watch?: true;
}

const BUILD_NOTES = `
Examples:
  berth image build web --watch
  berth image build web --target raw,oci --label ring=canary
  berth image build --template web.yaml --environment production --watch

Prints the id of the version. With --template the template is saved first, with what the flags say, as \`berth image save\` does.
With --watch it tells how each target comes on, and ends with 0 only when all are COMPLETE; with 130 when it is interrupted: the
building goes on then.`;
const WATCH_NOTES = `
VERSION is an id, IMAGE@NUMBER or IMAGE:CHANNEL. Ends with 0 only when all that was built and pushed of it is COMPLETE.`;

/** `berth image build|build-all|rebuild|abort|watch` */
export function buildCommands(image: Command, context: Context): void {
  saveOptions(leaf(image, 'build [image]', 'build a version of an image, all its targets side by side'))
    .option('--template <file>', 'save this template first; - is standard input')
    .option('--environment <name>', 'with --template: where it belongs')
    .option('--target <target,...>', 'only for these targets (default: all that its template and its environment have)', targetsOf)
    .option('--label <key=value...>', 'labels of the version; they stay as they are once it is complete', keyValue)
    .option('--reason <text>', 'why, for the history')
    .option('--watch', 'tell how it comes on until it has ended')
    .addHelpText('after', BUILD_NOTES)
    .action((name: string | undefined, options: BuildOptions) => build(context, name, options));
  leaf(image, 'build-all <image>', 'build a version of an image for every target of its environment')
    .option('--watch', 'tell how it comes on until it has ended')
    .action(async (name: string, { watch }: { watch?: true }) => {
      const id = randomUUID();
      const answer = await asked(context, context.berth.images.buildAll(name, { id }), { named: name });
      if (watch) return watchVersion(context, answer.id, built(), (version) => versionText(version, context.colour), answer.position);
      context.result({ id: answer.id }, () => answer.id);
    });
  leaf(image, 'rebuild', 'build a target once more that has failed')
    .argument('<version>', 'an id, IMAGE@NUMBER or IMAGE:CHANNEL')
    .argument('<target>', imageTargets.join(', '), targetOf)
    .option('--watch', 'tell how it comes on until it has ended')
    .action(async (id: string, target: ImageTarget, { watch }: { watch?: true }) => {
      const answer = await asked(context, context.berth.versions.rebuild(id, target), { named: id, flags: { target: 'TARGET' } });
      if (watch) return watchVersion(context, answer.id, built(target), (version) => versionText(version, context.colour), answer.position);
      context.result(answer, () => `Target ${target} of ${id} is built once more: follow it with \`berth image watch ${id}\`.`);
    });
  leaf(image, 'abort <version>', 'end what is being built of a version')
    .option('--reason <text>', 'why, for the history')
    .action(async (id: string, { reason }: { reason?: string }) => {
      const answer = await asked(context, context.berth.versions.abort(id, reason), { named: id });
      context.result(answer, () => `Building ${id} is ended.`);
    });
  leaf(image, 'watch <version>', 'tell how a version is built and pushed until all of it has ended')
    .addHelpText('after', WATCH_NOTES)
    .action((id: string) => asked(context, watchVersion(context, id, everything, (version) => versionText(version, context.colour)), { named: id }));
}

async function build(context: Context, given: string | undefined, options: BuildOptions): Promise<void> {
  const { template, target, label, reason, watch, ...toSave } = options;
  oneOf({ image: given, template }, { image: 'an image', template: '--template' });
  if (template === undefined) refuseOfSaving(toSave);
  const name = given ?? (await save(context, template!, toSave)).name;
  const id = randomUUID();
  const body = { ...(target && { targets: target }), ...(label && { labels: label }), ...(reason !== undefined && { reason }) };
  const { position } = await asked(context, context.berth.images.build(name, body, { id }), { named: name });
  if (watch) return watchVersion(context, id, built(), (version) => versionText(version, context.colour), position);
  context.result({ id }, () => id);
}

const saving: { readonly [K in keyof Required<SaveOptions>]: string } = { environment: '--environment', targets: '--targets', targetSettings: '--target-settings', keep: '--keep', maxAge: '--max-age', rebuild: '--rebuild', rebuildOnParent: '--rebuild-on-parent', without: '--without' };

/** What is saved with a template belongs to the image and not to a version. */
function refuseOfSaving(options: SaveOptions): void {
  const given = (Object.keys(saving) as (keyof SaveOptions)[]).find((key) => options[key] !== undefined);
  if (given === undefined) return;
  const hint = given === 'targets' ? ' To build only some targets of it, use --target.' : '';
  throw new Failure('usage', `${saving[given]} is saved with the template of an image: give --template too, or use \`berth image save\`.${hint}`, [], USAGE);
}
