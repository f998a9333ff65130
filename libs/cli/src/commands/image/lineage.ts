import type { Command } from 'commander';
import { basename, dirname, resolve } from 'node:path';
import type { LineageView } from '@berth/client';
import type { ImageTarget } from '@berth/contracts';
import { leaf, type Context } from '../../context.js';
import { downloadArtifact } from '../../download.js';
import { Failure } from '../../failure.js';
import { put } from '../../sink.js';
import { size, table } from '../../text.js';
import { asked } from './refused.js';
import { targetOf, versionName } from './words.js';

const SBOM_NOTES = `
Examples:
  berth image sbom web@3 -o web-3.spdx.json
  berth image sbom web:stable --target raw | jq '.packages[].name'

SPDX 2.3 as JSON. Into a file it is saved once it has come whole and its SHA-256 is right.`;

/** `berth image lineage|sbom` */
export function lineageCommands(image: Command, context: Context): void {
  leaf(image, 'lineage <version>', 'what a version is made of, and what is made of it').action(async (id: string) => {
    const view = await asked(context, context.berth.versions.lineage(id), { named: id });
    context.result(view, () => shown(view, context.colour));
  });
  leaf(image, 'sbom <version>', 'what is in a version, as SPDX: on standard output, or into a file')
    .option('--target <target>', 'as what it was built (default: the first that says it)', targetOf)
    .option('-o, --output <file>', 'into this file')
    .addHelpText('after', SBOM_NOTES)
    .action((id: string, { target, output }: { target?: ImageTarget; output?: string }) => sbom(context, id, target, output));
}

async function sbom(context: Context, id: string, target: ImageTarget | undefined, output: string | undefined): Promise<void> {
  const { versions } = context.berth;
  if (output === undefined) {
    const { stream } = await asked(context, versions.sbom(id, target), { named: id });
    for await (const bytes of stream) await put(context.io.stdout, bytes as Buffer);
    return;
  }
  const version = await asked(context, versions.get(id), { named: id });
  const built = version.targets.find((one) => (target === undefined ? one.sbom !== null : one.target === target));
  if (!built?.sbom) throw new Failure('not-found', `${target === undefined ? 'No target' : `Target ${target}`} of ${id} says what it is made of: \`berth image list --targetimages ${versionName(version)}\` shows which do.`, target === undefined ? [] : [{ field: '--target', message: 'has no SBOM' }]);
  const { bytes, sha256 } = built.sbom;
  const file = resolve(context.io.cwd, output);
  const path = await downloadArtifact(() => versions.sbom(version.id, built.target), { name: basename(file), bytes, sha256 }, dirname(file));
  context.result({ path, bytes, sha256 }, () => `${output}  ${size(bytes)}  sha256 ${sha256}`);
}

function shown({ version, ancestors, descendants }: LineageView, colour: boolean): string {
  const stateOf = ({ outdated, revoked }: { outdated: boolean; revoked: boolean }) => [revoked ? 'revoked' : '', outdated ? 'outdated' : ''].filter(Boolean).join(', ');
  const above = table(
    ancestors,
    [
      ['MADE OF', versionName],
      ['BY CHANNEL', (a) => `${a.image}:${a.channel}`],
      ['STATE', stateOf],
    ],
    { colour },
  );
  const below = table(
    descendants,
    [
      ['MADE OF IT', (d) => `${'  '.repeat(Math.max(0, d.depth - 1))}${versionName(d)}`],
      ['CHANNELS', (d) => d.channels.join(', ')],
      ['STATE', stateOf],
    ],
    { colour },
  );
  return [`version  ${versionName(version)}`, ancestors.length > 0 ? above : 'It is made of no other image.', descendants.length > 0 ? below : 'Nothing is made of it.'].join('\n\n');
}
