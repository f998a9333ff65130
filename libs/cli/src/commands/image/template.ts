import { InvalidArgumentError, type Command } from 'commander';
import { ProblemError, type ImageInput, type ImageView } from '@berth/client';
import { targetSettings, type ImageTarget, type TargetSettings } from '@berth/contracts';
import { leaf, type Context } from '../../context.js';
import { Failure, FAILED } from '../../failure.js';
import { count, timeText } from '../../options.js';
import { facts, relative, span, table } from '../../text.js';
import { called, readDocuments, textOf } from '../../yaml-file.js';
import { asked } from './refused.js';
import { byHand, versionText } from './version-text.js';
import { isVersion, targetsOf } from './words.js';

/** What is said of an image beside its template. */
export interface SaveOptions {
  environment?: string;
  targets?: ImageTarget[];
  targetSettings?: string;
  keep?: number;
  maxAge?: string;
  rebuild?: string;
  rebuildOnParent?: true;
}

const SAVE_NOTES = `
Examples:
  berth image save web.yaml --environment production
  berth image save web.tdl --targets raw,oci
  berth image save web.yaml --keep 10 --max-age 30d --rebuild "0 3 * * 1" --rebuild-on-parent

A template is YAML, or TDL (XML), and says the name of the image. What is not said with a flag is not so any more: environment,
retention and rebuilding are of the revision that is saved. The same again is no new revision.`;

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
    .option('--max-age <duration>', 'other versions are removed when they are older, such as 30d (default: at once; with --keep)', timeText)
    .option('--rebuild <schedule>', 'build a version at these times: five fields of cron, in UTC')
    .option('--rebuild-on-parent', 'build a version when what it is made of has moved on');

function atLeastOne(text: string): number {
  const number = count(text);
  if (number < 1) throw new InvalidArgumentError('Use a number from 1 on.');
  return number;
}

/** Saves the template in a file. */
export async function save(context: Context, file: string, options: SaveOptions): Promise<{ id: string; name: string; version: number | null; position?: number | undefined }> {
  const { environment, keep, maxAge, rebuild: schedule, rebuildOnParent } = options;
  if (maxAge !== undefined && keep === undefined) throw new Failure('usage', '--max-age says when versions beyond --keep are removed: give both.', [], 2);
  const targets = await settingsOf(context, options);
  const input: ImageInput = {
    source: await textOf(context.io, file),
    ...(targets && { targets }),
    ...(environment !== undefined && { environment }),
    ...(keep !== undefined && { retention: { keep, ...(maxAge !== undefined && { maxAge }) } }),
    ...((schedule !== undefined || rebuildOnParent) && { rebuild: { ...(schedule !== undefined && { schedule }), onParent: rebuildOnParent === true } }),
  };
  return asked(context, refusedIn(file, context.berth.images.save(input)), { flags: { targets: '--targets' } });
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
