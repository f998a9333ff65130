import type { ImageTemplate } from '@berth/contracts';
import { artifact } from './artifacts.js';
import { planFaults, planOf, upload } from './plan.js';
import type { Building, TargetKind, TargetPlan } from './target.js';

/** What it says of itself comes in the environment. */
const SCRIPT = `set -eu
if [ "$OUTCOME" = failed ]; then
  echo 'the template says that this image fails: set targets.mock.outcome to complete' >&2
  exit 1
fi
mkdir -p out
printf 'image %s, revision %s\\n' "$NAME" "$REVISION" >out/image.mock
`;

const settingsOf = ({ targets }: ImageTemplate) => targets.mock ?? { host: {}, outcome: 'complete' as const };

function plan({ image, revision, template, plan: name }: Building): TargetPlan {
  const { host, outcome } = settingsOf(template);
  return planOf({ name, description: `Builds nothing for the image ${image}.`, host: { os: 'linux|mac', ...host }, env: { NAME: image, REVISION: String(revision), OUTCOME: outcome } }, [
    { id: 'bake', name: 'Make a small file', weight: 1, run: SCRIPT, shell: 'sh' },
    upload('keep-image', 'image.mock', 1),
  ]);
}

/** A small file, to try out what stands around images. */
export const mock: TargetKind = {
  begins: 'nothing',
  faults: (template) => planFaults(template, settingsOf(template).host, 'targets.mock.host', () => plan({ image: template.name, revision: 1, template, plan: template.name }).source),
  plan,
  made: (artifacts) => ({ object: artifact(artifacts, 'image.mock') }),
};
