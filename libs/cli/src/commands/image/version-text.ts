import type { ImageVersionView } from '@berth/client';
import { facts, pairs, relative, size, table } from '../../text.js';
import { versionName } from './words.js';

/** Whether it is offered and may be launched, in a word. */
export const useOf = ({ use, revoked, imported }: ImageVersionView): string => [revoked?.holds ? 'revoked' : use, revoked && !revoked.holds ? `revoked ${relative(revoked.at)}` : '', imported ? 'imported' : ''].filter(Boolean).join(', ');

export const versionTable = (versions: readonly ImageVersionView[], colour: boolean): string =>
  table(
    versions,
    [
      ['VERSION', versionName],
      ['ID', (v) => v.id],
      ['STATUS', (v) => v.status],
      ['DONE', (v) => `${v.percent}%`],
      ['USE', useOf],
      ['CHANNELS', (v) => v.channels.join(', ')],
      ['TARGETS', (v) => v.targets.map(({ target }) => target).join(', ')],
      ['LABELS', (v) => pairs(v.labels)],
      ['CREATED', (v) => relative(v.created)],
      ['ACTIVITY', (v) => v.error ?? v.activity],
    ],
    { colour },
  );

export const targetTable = ({ targets }: ImageVersionView, colour: boolean): string =>
  table(
    targets,
    [
      ['TARGET', (t) => t.target],
      ['STATUS', (t) => t.status],
      ['DONE', (t) => `${t.percent}%`],
      ['FAILED', (t) => t.failed.length],
      ['BUILD', (t) => t.build],
      ['SIZE', (t) => t.file && size(t.file.bytes)],
      ['IMAGE', (t) => t.provided?.id ?? t.file?.name],
      ['SBOM', (t) => t.sbom && 'yes'],
      ['ACTIVITY', (t) => t.error ?? t.activity],
    ],
    { colour },
  );

export const pushTable = ({ pushes }: ImageVersionView, colour: boolean): string =>
  table(
    pushes,
    [
      ['ACCOUNT', (p) => p.account],
      ['PROVIDER', (p) => p.provider],
      ['REGION', (p) => p.region],
      ['TARGET', (p) => p.target],
      ['STATUS', (p) => p.status],
      ['DONE', (p) => `${p.percent}%`],
      ['FAILED', (p) => p.failed.length],
      ['ID', (p) => p.id],
      ['ACTIVITY', (p) => p.error ?? p.activity],
    ],
    { colour },
  );

/** What must be removed by hand, below a sentence. */
export const byHand = (manual: readonly string[]): string => (manual.length === 0 ? '' : `\nTo be removed by hand:\n${manual.map((one) => `  ${one}`).join('\n')}`);

/** One version, with what was built and pushed of it. */
export function versionText(version: ImageVersionView, colour: boolean): string {
  const { revoked, parent } = version;
  const head = facts([
    ['version', versionName(version)],
    ['id', version.id],
    ['status', `${version.status} (${version.percent}%)`],
    ['activity', version.activity],
    ['error', version.error],
    ['use', useOf(version)],
    ['because', version.useReason],
    ['revoked', revoked && `${relative(revoked.at)}: ${revoked.reason}${revoked.ancestor === null ? '' : ` (with ${revoked.ancestor}, which it is made of)`}`],
    ['made of', parent && versionName({ image: parent.image, number: parent.number })],
    ['outdated', version.outdated ? 'yes: what it is made of has moved on, or was revoked' : null],
    ['channels', version.channels.join(', ')],
    ['os', pairs(version.os)],
    ['labels', pairs(version.labels)],
    ['attributes', pairs(version.attributes)],
    ['template', version.imported ? 'none: it was imported' : `revision ${version.revision}`],
    ['asked for by', version.cause === 'asked' || version.cause === 'import' ? version.by : `${version.by} (${version.cause})`],
    ['reason', version.reason],
    ['created', relative(version.created)],
    ['ended', version.ended && relative(version.ended)],
  ]);
  const failed = [
    ...version.targets.flatMap(({ target, failed }) => failed.map(({ attempt, error }) => `attempt ${attempt} of ${target} failed: ${error}`)),
    ...version.pushes.flatMap(({ account, failed }) => failed.map(({ attempt, error }) => `push ${attempt} to ${account} failed: ${error}`)),
  ];
  return [
    head,
    version.targets.length > 0 ? targetTable(version, colour) : '',
    version.pushes.length > 0 ? pushTable(version, colour) : '',
    failed.map((line) => line.replaceAll('\n', '\n  ')).join('\n'),
    byHand(version.manual).trimStart(),
  ].filter(Boolean).join('\n\n');
}
