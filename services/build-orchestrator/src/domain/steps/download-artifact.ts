import { stepSchemas, uuid } from '@berth/contracts';
import type { Artifact } from '../build/build.js';
import { ids } from '../ids.js';
import { render } from '../language/template.js';
import { matches } from '../pattern.js';
import { ownFaults, pathOf, withOf, type Asked, type HostKind, type StepContext } from './kind.js';

/** As many as one action takes. */
const MAX_ITEMS = 1000;

/** `uses: download-artifact`: puts artifacts of this build, or of another, into the working copy. */
export const downloadArtifact: HostKind = {
  on: 'host',
  schema: stepSchemas['download-artifact'],
  written: '`uses: download-artifact` with `name` (one, or a list; `*` and `**` stand for several), `path` and `build`',
  action(context) {
    const { name, path: folder = '.', build: other } = withOf<'download-artifact'>(context);
    const path = pathOf(folder, context, 'path');
    if ('fault' in path) return path;
    const from = artifactsOf(other, context);
    if (!('artifacts' in from)) return from;
    const patterns = (name ?? ['**']).map((one) => render(one, context.scope));
    for (const pattern of patterns) {
      if (from.artifacts.some((artifact) => matches(pattern, artifact.name))) continue;
      const there = from.artifacts.map((artifact) => artifact.name).slice(0, 20).join(', ');
      return { fault: `the build has no artifact ${pattern}: ${there === '' ? 'it has kept none so far' : `it has ${there}`}` };
    }
    const wanted = from.artifacts.filter((artifact) => patterns.some((pattern) => matches(pattern, artifact.name)));
    if (wanted.length === 0) return { fault: 'the build has kept no artifacts so far' };
    if (wanted.length > MAX_ITEMS) return { fault: `${wanted.length} artifacts are too many for one step: at most ${MAX_ITEMS}` };
    const below = path.path === '.' ? '' : `${path.path.replace(/\/+$/, '')}/`;
    return { spec: { kind: 'download', items: wanted.map(({ object, name: its, bytes, sha256 }) => ({ object, path: `${below}${its}`, bytes, sha256 })) } };
  },
  verdict(ended) {
    if (ended.how === 'failed') return ownFaults.has(ended.code) ? { outcome: 'failed', error: ended.error } : undefined;
    return { outcome: 'passed' };
  },
};

/** Those of another build are asked for first, for they may have left memory long ago. */
function artifactsOf(other: string | undefined, context: StepContext): { artifacts: readonly Artifact[] } | Exclude<Asked, { spec: unknown }> {
  if (other === undefined) return { artifacts: context.build.artifacts };
  const build = render(other, context.scope);
  if (!uuid.safeParse(build).success) return { fault: `build is ${JSON.stringify(build)}, which is not the id of a build` };
  if (build === context.id) return { artifacts: context.build.artifacts };
  const asked = ids.ask(context.action, 'artifacts');
  const reply = context.view.reply(asked);
  if (reply?.kind === 'failed') return { fault: reply.error };
  if (reply?.kind !== 'artifacts') return { due: [{ to: 'artifacts', id: asked, build }] };
  return reply.artifacts ? { artifacts: reply.artifacts } : { fault: `there is no build ${build}` };
}
