import { InvalidArgumentError, type Command } from 'commander';
import { ProblemError, type ImageInput, type ImageView } from '@berth/client';
import { targetSettings, type ImageTarget, type TargetSettings } from '@berth/contracts';
import { leaf, type Context } from '../../context.js';
import { Failure, FAILED, USAGE } from '../../failure.js';
import { count, timeText } from '../../options.js';
import { facts, relative, span, table } from '../../text.js';
import { called, readDocuments, textOf } from '../../yaml-file.js';
import { asked } from './refused.js';
import { byHand, versionText } from './version-text.js';
import { isVersion, targetsOf, words } from './words.js';

/** What can be taken away of what was said beside a template, by the flag that says it. */
const withouts = ['environment', 'targets', 'keep', 'max-age', 'rebuild', 'rebuild-on-parent'] as const;
type Without = (typeof withouts)[number];

/** What is said of an image beside its template. */
export interface SaveOptions {
  environment?: string;
  targets?: ImageTarget[];
  targetSettings?: string;
  keep?: number;
  maxAge?: string;
  rebuild?: string;
  rebuildOnParent?: true;
  without?: Without[];
}

const SAVE_NOTES = `
Examples:
  berth image save web.yaml --environment production
  berth image save web.tdl --targets raw,oci
  berth image save web.yaml --keep 10 --max-age 30d --rebuild "0 3 * * 1" --rebuild-on-parent
  berth image save web.yaml --without rebuild,max-age

A template is YAML, or TDL (XML), and says the name of the image. What no flag says is as the revision before has it: --without takes
it away, by the names of the flags; without keep, all versions stay. The same again is no new revision.`;

/** `berth image save|validate|show|remove` */
export function templateCommands(image: Command, context: Context): void {
  saveOptions(leaf(image, 'save <file>', 'save an image from a template, YAML or TDL; - is standard input'))
    .option('--environment <name>', 'where it belongs: what is built of it, and the accounts it is pushed to')
    .addHelpText('after', SAVE_NOTES)
    .action(async (file: string, options: SaveOptions) => {
      const answer = await save(context, file, options);
      context.result(answer, () => `Image ${answer.name} is saved${answer.version === null ? '' : ` as revision ${answer.version}`}: build it with \`berth image build ${answer.name}\`.`);
    });
  leaf(image, 'validate <file>', 'read a template and save nothing: all that is wrong with it, with line and column; - is standard input').action(async (file: string) => {
    const source = await textOf(context.io, file);
    const { template } = await refusedIn(file, context.berth.images.validate(source));
    const targets = Object.keys(template.targets);
    context.result({ template }, () => `Image ${template.name} can be saved: ${template.os.name} ${template.os.version} (${template.os.arch}), ${template.packages.length} package${template.packages.length === 1 ? '' : 's'}, ${targets.length === 0 ? 'no targets: name them with --targets' : `targets ${targets.join(', ')}`}.`);
  });
  leaf(image, 'show <image-or-version>', 'one image with its template, or one version of it (an id, IMAGE@NUMBER or IMAGE:CHANNEL)').action(async (name: string) => {
    if (isVersion(name)) {
      const version = await asked(context, context.berth.versions.get(name), { named: name });
      context.result(version, () => versionText(version, context.colour));
      return;
    }
    const view = await asked(context, context.berth.images.get(name), { named: name });
    context.result(view, () => shown(view, context.colour));
  });
  leaf(image, 'remove <image>', 'remove an image that has no versions and that nothing names')
    .option('--cascade', 'with its versions, and what was pushed of them')
    .action(async (name: string, { cascade }: { cascade?: true }) => {
      const answer = await asked(context, context.berth.images.remove(name, { cascade: cascade === true }), { named: name });
      context.result(answer, () => `Image ${name} is removed.${byHand(answer.manual)}`);
    });
}

/** The flags that say what a template does not. */
export const saveOptions = (command: Command): Command =>
  command
    .option('--targets <target,...>', 'what it can be built as besides, with nothing more said of it', targetsOf)
    .option('--target-settings <file>', 'the same with all that is to be said, as `targets` of a template in YAML')
    .option('--keep <count>', 'so many of its newest versions stay, however old they are', atLeastOne)
    .option('--max-age <duration>', 'other versions are removed when they are older, such as 30d (default: at once)', timeText)
    .option('--rebuild <schedule>', 'build a version at these times: five fields of cron, in UTC')
    .option('--rebuild-on-parent', 'build a version when what it is made of has moved on')
    .option('--without <flag,...>', `what is not to be so any more: ${withouts.join(', ')}`, withoutOf);

function withoutOf(text: string, before: Without[] = []): Without[] {
  const unknown = words(text).find((word) => !withouts.some((known) => known === word));
  if (unknown !== undefined) throw new InvalidArgumentError(`Use ${withouts.join(', ')}.`);
  return [...before, ...(words(text) as Without[])];
}

function atLeastOne(text: string): number {
  const number = count(text);
  if (number < 1) throw new InvalidArgumentError('Use a number from 1 on.');
  return number;
}

/** Saves the template in a file. */
export async function save(context: Context, file: string, options: SaveOptions): Promise<{ id: string; name: string; version: number | null; position?: number | undefined }> {
  const beside = besideOf(options, await settingsOf(context, options));
  const input: ImageInput = { source: await textOf(context.io, file), unsaid: 'kept', ...beside };
  return asked(context, refusedIn(file, context.berth.images.save(input)), { flags: { targets: '--targets' } });
}

/** What is said beside the template: null takes away. @throws {Failure} the same is said and taken away */
function besideOf({ environment, keep, maxAge, rebuild: schedule, rebuildOnParent: onParent, without = [] }: SaveOptions, targets: TargetSettings | undefined): Omit<ImageInput, 'source'> {
  const said: Record<Without, boolean> = {
    environment: environment !== undefined, targets: targets !== undefined, keep: keep !== undefined || maxAge !== undefined, 'max-age': maxAge !== undefined, rebuild: schedule !== undefined, 'rebuild-on-parent': onParent !== undefined,
  };
  const both = without.find((what) => said[what]);
  if (both !== undefined) throw new Failure('usage', `--without ${both} does not go with a flag that says it: give one of them.`, [], USAGE);
  const gone = new Set(without);
  const retention = { ...(keep !== undefined && { keep }), ...(maxAge !== undefined ? { maxAge } : gone.has('max-age') && { maxAge: null }) };
  const rebuild = { ...(schedule !== undefined ? { schedule } : gone.has('rebuild') && { schedule: null }), ...(onParent ? { onParent } : gone.has('rebuild-on-parent') && { onParent: false }) };
  return {
    ...(targets ? { targets } : gone.has('targets') && { targets: null }),
    ...(environment !== undefined ? { environment } : gone.has('environment') && { environment: null }),
    ...(gone.has('keep') ? { retention: null } : Object.keys(retention).length > 0 && { retention }),
    ...(gone.has('rebuild') && gone.has('rebuild-on-parent') ? { rebuild: null } : Object.keys(rebuild).length > 0 && { rebuild }),
  };
}

async function settingsOf(context: Context, { targets = [], targetSettings: file }: SaveOptions): Promise<TargetSettings | undefined> {
  if (file === undefined && targets.length === 0) return undefined;
  if (targets.includes('ec2')) throw new Failure('usage', '--targets ec2 is not enough: an ec2 target says which host becomes the image, and the account it runs in. Write that with --target-settings.', [], 2);
  const plain = Object.fromEntries(targets.map((target) => [target, {}]));
  if (file === undefined) return targetSettings.parse(plain);
  const [written] = readDocuments(await textOf(context.io, file), called(file), { schema: targetSettings, empty: `${called(file)} says nothing of any target.` });
  return { ...targetSettings.parse(plain), ...written!.value };
}

/** What is wrong with a template is told with its file. */
async function refusedIn<T>(file: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const inFile = error.code === 'invalid-template' || error.errors.some(({ field }) => field === 'source');
    if (!inFile) throw error;
    const errors = error.errors.map(({ field, message }) => ({ field: field === 'source' ? called(file) : `${called(file)}: ${field}`, message }));
    throw new Failure(error.code, error.message, errors, FAILED);
  }
}

function shown(image: ImageView, colour: boolean): string {
  const { newest, retention, rebuild } = image;
  const head = facts([
    ['image', image.name],
    ['description', image.description],
    ['status', image.status],
    ['newest', newest && `${image.name}@${newest.number} (${newest.id}), ${newest.status} ${newest.percent}%`],
    ['versions', image.versions],
    ['targets', image.targets.join(', ')],
    ['environment', image.environment],
    ['made of', image.parent && `${image.parent.image}:${image.parent.channel}`],
    ['keeps', retention && `${retention.keep} versions${retention.maxAge === undefined ? '' : `, others for ${span(retention.maxAge)}`}`],
    ['rebuilt', rebuild && [rebuild.schedule, rebuild.onParent ? 'when what it is made of moves on' : ''].filter(Boolean).join(', ')],
    ['template', image.revision === 0 ? 'none: it was imported' : `revision ${image.revision} (${image.format ?? '?'})`],
    ['created', relative(image.created)],
    ['modified', relative(image.modified)],
  ]);
  const channels = table(
    image.channels,
    [
      ['CHANNEL', (c) => `${image.name}:${c.channel}`],
      ['VERSION', (c) => c.number],
      ['MANAGED', (c) => (c.managed ? 'yes' : 'no')],
    ],
    { colour },
  );
  return [head, image.channels.length > 0 ? channels : '', image.source?.trimEnd()].filter(Boolean).join('\n\n');
}
