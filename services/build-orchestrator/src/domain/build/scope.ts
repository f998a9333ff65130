import type { Scope } from '../language/expression.js';
import { ancestors, isFine } from './graph.js';
import { stepIdOf, type LiveBuild, type StepAt } from './state.js';

type Told = Pick<LiveBuild, 'about' | 'plan' | 'variables' | 'generation' | 'steps' | 'places'>;

/** The last part of where a repository is, without `.git`. */
export const repositoryName = (url: string): string => url.replace(/\/+$/, '').split(/[/:]/).at(-1)!.replace(/\.git$/, '');

/** Names that stand for something before any step has run: of a build as such. */
export function aboutValue([root, key]: readonly string[], id: string, { about, plan, variables, generation }: Pick<Told, 'about' | 'plan' | 'variables' | 'generation'>): string | undefined {
  switch (root) {
    case 'build':
      return key === 'id' ? id : key === 'generation' ? String(generation) : about.url;
    case 'plan':
      return key === 'version' ? String(about.planVersion) : about.plan;
    case 'initiator':
      return about.initiator;
    case 'project':
      return about.project;
    case 'priority':
      return String(about.priority ?? 100);
    case 'ref':
      return plan.workingCopy.ref;
    case 'repository': {
      const { repository } = plan.workingCopy;
      return key === 'name' && repository !== undefined ? repositoryName(repository) : repository;
    }
    case 'vars':
      return key === undefined ? undefined : ownOf(variables, key);
    default:
      return undefined;
  }
}

/** What expressions of a step see. */
export function scopeOf(id: string, build: Told, index: number): Scope {
  const { plan, steps } = build;
  const step = plan.steps[index]!;
  const before = [...ancestors(plan, index)];
  return {
    value(path) {
      const [root, key, what, output] = path;
      if (root === 'matrix') return key === undefined ? undefined : ownOf(step.matrix, key);
      if (root === 'commit') return commitOf(build, step.host);
      if (root !== 'steps') return aboutValue(path, id, build);
      const other = before.find((at) => stepIdOf(plan, at) === key);
      return other === undefined ? undefined : resultOf(steps[other]!, what, output);
    },
    succeeded: () => before.every((at) => isFine(steps[at]!)),
    failed: () => before.some((at) => !isFine(steps[at]!)),
  };
}

/** Names are other people's: one such as `constructor` is no value of ours. */
const ownOf = (values: Readonly<Record<string, string>> | undefined, name: string): string | undefined => (values && Object.hasOwn(values, name) ? values[name] : undefined);

/** What was checked out: on the host of the step, else wherever it is known. */
function commitOf({ places, about }: Pick<Told, 'places' | 'about'>, host: string | undefined): string | undefined {
  const own = places[host ?? Object.keys(about.hosts)[0]!];
  return own?.commit ?? Object.values(places).find((place) => place.commit !== undefined)?.commit;
}

function resultOf(step: StepAt, what: string | undefined, output: string | undefined): string | undefined {
  switch (what) {
    case 'outcome':
      return step.status;
    case 'exitCode':
      return 'exitCode' in step && step.exitCode !== undefined ? String(step.exitCode) : undefined;
    case 'error':
      return 'error' in step ? step.error : undefined;
    case 'outputs':
      return 'outputs' in step && output !== undefined ? ownOf(step.outputs, output) : undefined;
    default:
      return undefined;
  }
}
