import { derivedId } from '@berth/contracts';
import { architectureOf, bake, componentsOf, contents, inputs, secretsOf, suiteOf, type PlanStep } from './plan.js';
import type { Building } from './target.js';

/** Everything up to a root filesystem that is ready to be packed. */
export const rootSteps = ({ template }: Building): PlanStep[] => [...inputs(template), bake('base', 'Install the base system', 30), ...contents(template), bake('clean', 'Take away what belongs to one host', 2)];

/** What all parts are told, and its secrets. */
export function rootSettings({ image, revision, template }: Building): { env: Record<string, string>; secrets?: Record<string, string> } {
  const { os } = template;
  return {
    env: {
      NAME: image, REVISION: String(revision), OS: os.name, SUITE: suiteOf(os) ?? os.version, ARCH: architectureOf(template), COMPONENTS: componentsOf(template),
      ...(os.install && { MIRROR: new URL(os.install.url).href }),
    },
    ...secretsOf(template),
  };
}

/** Ids that stay the same for a revision of a template, so that what is made of the same packages is the same. */
export const idOf = ({ image, revision }: Building, role: string): string => derivedId(`image ${image} ${revision}`, role);
