import { derivedId, type ImageTemplate } from '@berth/contracts';
import { architectureOf, bake, componentsOf, contents, inputs, secretsOf, suiteOf, type PlanSettings, type PlanStep } from './plan.js';
import { ROOT_VARIABLES, type Building } from './target.js';

/** Everything up to a root filesystem that is ready to be packed. */
export const rootSteps = ({ template }: Building): PlanStep[] => [...inputs(template), ...base(template), ...contents(template), bake('clean', 'Take away what belongs to one host', 2)];

/** Of the archives of its system, or of the version of its parent that the build was asked for with. */
function base({ parent }: ImageTemplate): PlanStep[] {
  if (!parent) return [bake('base', 'Install the base system', 30)];
  const { build, file } = ROOT_VARIABLES;
  return [
    { id: 'parent', name: `Get image ${parent.image}`, weight: 10, uses: 'download-artifact', with: { name: `\${{ vars.${file} }}`, build: `\${{ vars.${build} }}`, path: 'bake/parent' } },
    bake('base', `Unpack image ${parent.image}`, 10),
  ];
}

/** What all parts are told, what the build must be told, and its secrets. */
export function rootSettings({ image, revision, template }: Building): Pick<PlanSettings, 'env' | 'variables' | 'secrets'> {
  const { os } = template;
  return {
    env: {
      NAME: image, REVISION: String(revision), OS: os.name, SUITE: suiteOf(os) ?? os.version, ARCH: architectureOf(template), COMPONENTS: componentsOf(template),
      ...(os.install && { MIRROR: new URL(os.install.url).href }),
    },
    ...(template.parent && { variables: Object.fromEntries(Object.values(ROOT_VARIABLES).map((name) => [name, { required: true }])) }),
    ...secretsOf(template),
  };
}

/** Ids that stay the same for a revision of a template, so that what is made of the same packages is the same. */
export const idOf = ({ image, revision }: Building, role: string): string => derivedId(`image ${image} ${revision}`, role);
