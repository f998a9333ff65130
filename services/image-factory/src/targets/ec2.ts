import type { ImageTemplate } from '@berth/contracts';
import { artifact } from './artifacts.js';
import { FIRST_START, FIRST_START_UNIT } from './first-start-text.js';
import { architectureOf, bake, contents, hostOf, inputs, planFaults, planOf, put, secretsOf, suiteOf, type PlanStep } from './plan.js';
import type { Building, TargetKind, TargetPlan } from './target.js';

/** Id of the step that waits for the image. */
const SEAL = 'seal';

const hostIn = ({ targets }: ImageTemplate) => targets.ec2?.host ?? {};

function plan(building: Building): TargetPlan {
  const { template, image, revision } = building;
  const { os } = template;
  const ready: PlanStep = { ...bake('seal', 'Ready the host to become an image', 3), id: 'ready' };
  const steps: PlanStep[] = [
    put('first-start', 'bake/first-start.sh', FIRST_START),
    put('first-start-unit', 'bake/first-start.service', FIRST_START_UNIT),
    ...inputs(template),
    ...contents(template),
    ready,
    { id: SEAL, name: 'Make an image of the host', weight: 40, uses: 'wait-for-message', with: { from: 'the image factory' } },
    // A host that no step needs any more is given back. This one may need it until the image is made, and never runs.
    { id: 'keep-host', name: 'Keep the host until then', weight: 0, if: `steps.${SEAL}.outcome == 'skipped'`, run: ':', shell: 'sh' },
  ];
  const env = { WHERE: 'host', NAME: image, REVISION: String(revision), OS: os.name, SUITE: suiteOf(os) ?? os.version, ARCH: architectureOf(template) };
  return { ...planOf({ name: building.plan, description: `Makes the image ${image} of a host.`, host: hostOf(hostIn(template)), env, ...secretsOf(template) }, steps), seal: SEAL };
}

/** An image of a host: the template is applied to a host that was launched from the base image, and its provider makes an image of that. */
export const ec2: TargetKind = {
  begins: 'host',
  faults: (template) => [
    ...(template.targets.ec2 ? [] : [{ field: 'targets.ec2', message: 'says nothing of the host that becomes the image: set targets.ec2.host, and targets.ec2.account' }]),
    ...planFaults(template, hostIn(template), 'targets.ec2.host', () => plan({ image: template.name, revision: 1, template, plan: template.name }).source),
  ],
  plan,
  made: (artifacts) => ({ sbom: artifact(artifacts, 'sbom.spdx.json') }),
};
