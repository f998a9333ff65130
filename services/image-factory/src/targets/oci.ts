import type { ImageTemplate } from '@berth/contracts';
import { artifact } from './artifacts.js';
import { bake, hostOf, planFaults, planOf, put, rootFaults, upload } from './plan.js';
import { rootSettings, rootSteps } from './root.js';
import type { Building, TargetKind, TargetPlan } from './target.js';

const hostIn = ({ targets }: ImageTemplate) => targets.oci?.host ?? {};

/** The inner of a JSON object: the script puts before it what only the host knows. */
function annotations({ image, revision, template }: Building): string {
  const prefix = 'org.opencontainers.image.';
  const { description } = template;
  const all = { [`${prefix}title`]: image, [`${prefix}version`]: String(revision), ...(description !== '' && { [`${prefix}description`]: description }) };
  return JSON.stringify(all).slice(1, -1);
}

function plan(building: Building): TargetPlan {
  const { template, image } = building;
  const { env, ...settings } = rootSettings(building);
  return planOf({ name: building.plan, description: `Builds the image ${image} for containers.`, host: hostOf(hostIn(template)), env, ...settings }, [
    put('annotations', 'bake/in/annotations', annotations(building)),
    ...rootSteps(building),
    bake('oci', 'Pack the layer', 10),
    upload('keep-image', 'image.oci.tar', 10),
  ]);
}

/** A layout of the Open Container Initiative with one layer, as a tar. */
export const oci: TargetKind = {
  begins: 'root',
  faults: (template) => [...rootFaults(template), ...planFaults(template, hostIn(template), 'targets.oci.host', () => plan({ image: template.name, revision: 1, template, plan: template.name }).source)],
  plan,
  made: (artifacts) => ({ object: artifact(artifacts, 'image.oci.tar'), sbom: artifact(artifacts, 'sbom.spdx.json') }),
};
