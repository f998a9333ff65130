import { nearest, rejected, type CommandData, type FieldError, type Refusal, type SavedPlan } from '@berth/contracts';
import { aboutValue } from './domain/build/scope.js';
import { render } from './domain/language/template.js';
import { valueFault } from './domain/plan/check.js';
import type { BuildCommand } from './domain/build/build.js';

/**
 * A plan and the variables of a build stand together in BuildRequested, and all of a commit must fit into one message of
 * 1 MiB; what a plan may take is bounded where it is read.
 */
const MAX_VARIABLES_BYTES = 256 * 1024;

type Asked = CommandData<'build-orchestrator', 'RequestBuild'>;
type Request = Omit<Extract<BuildCommand, { type: 'Request' }>, 'type' | 'build'>;

/** What a build is begun with: the plan with what was asked for put in. Or why it can't be. */
export function requested(id: string, asked: Asked, saved: { version: number; plan: SavedPlan } | undefined, more: { weights: number[] | undefined; url: string | undefined }): Request | Refusal {
  const { plan: name, initiator = `build:${id}`, project, holdOnFailure, parent, ref } = asked;
  if (!saved) return rejected('unknown-plan', `There is no plan ${name}.`, [{ field: 'data.plan', message: `no plan is saved under ${name}: save it with \`berth plan apply FILE\`, or see \`berth plan list\`` }]);
  const refused = notAllowed(saved.plan, initiator, project);
  if (refused) return refused;
  const given = variablesOf(saved.plan, asked.variables);
  if ('accepted' in given) return given;
  const { variables } = given;
  const planned = ref === undefined ? saved.plan : { ...saved.plan, workingCopy: { ...saved.plan.workingCopy, ref } };
  const plan = asked.host ? onHosts(planned, asked.host) : planned;
  const priority = asked.priority ?? plan.priority;
  const group = plan.concurrency && groupOf(id, plan, saved.version, { variables, initiator, project, priority });
  return {
    plan, planVersion: saved.version, variables, initiator,
    ...(project !== undefined && { project }),
    ...(priority !== undefined && { priority }),
    ...(holdOnFailure !== undefined && { holdOnFailure }),
    ...(parent && { parent }),
    ...(group !== undefined && { group, queued: true }),
    ...(more.weights && { weights: more.weights }),
    ...(more.url !== undefined && { url: `${more.url}/builds/${id}` }),
  };
}

/** What is wanted of all its hosts besides: it goes before the plan, and is part of what the build was made from, so a restart wants it too. */
function onHosts(plan: SavedPlan, wants: NonNullable<Asked['host']>): SavedPlan {
  const { host, hosts } = plan;
  return { ...plan, host: { ...host, ...wants }, ...(hosts && { hosts: Object.fromEntries(Object.entries(hosts).map(([name, own]) => [name, { ...own, ...wants }])) }) };
}

function notAllowed({ name, allow }: SavedPlan, initiator: string, project: string | undefined): Refusal | undefined {
  if (allow?.initiators && !allow.initiators.includes(initiator)) {
    return rejected('not-allowed', `${initiator} may not start plan ${name}.`, [{ field: 'data.initiator', message: `is none of those who may: ${allow.initiators.join(', ')}` }]);
  }
  if (allow?.projects && (project === undefined || !allow.projects.includes(project))) {
    return rejected('not-allowed', `Plan ${name} may be started for some projects only.`, [{ field: 'data.project', message: `must be one of ${allow.projects.join(', ')}` }]);
  }
  return undefined;
}

/** The variables of a build: those that were given, and the defaults of the plan. A plan that names none takes any. */
function variablesOf(plan: SavedPlan, given: Readonly<Record<string, string>>): { variables: Record<string, string> } | Refusal {
  const errors: FieldError[] = [];
  const known = plan.variables;
  const all: Record<string, string> = { ...given };
  if (known) {
    for (const name of Object.keys(given)) {
      if (Object.hasOwn(known, name)) continue;
      const meant = nearest(name, Object.keys(known));
      errors.push({ field: `data.variables.${name}`, message: `is no variable of plan ${plan.name}: ${meant ? `did you mean ${meant}?` : `it has ${Object.keys(known).join(', ')}`}` });
    }
    for (const [name, variable] of Object.entries(known)) {
      const value = Object.hasOwn(given, name) ? given[name] : variable.default;
      if (value === undefined) {
        if (variable.required) errors.push({ field: `data.variables.${name}`, message: `is required${variable.description ? ` (${variable.description})` : ''}` });
        continue;
      }
      const fault = valueFault(variable, value);
      if (fault === undefined) all[name] = value;
      else errors.push({ field: `data.variables.${name}`, message: fault });
    }
  }
  for (const name of Object.keys(given)) if (plan.secrets && Object.hasOwn(plan.secrets, name)) errors.push({ field: `data.variables.${name}`, message: 'is the name of a secret of the plan: choose another' });
  if (Buffer.byteLength(JSON.stringify(all)) > MAX_VARIABLES_BYTES) errors.push({ field: 'data.variables', message: `may take ${MAX_VARIABLES_BYTES / 1024} KiB as JSON: hand large values over in a file` });
  return errors.length > 0 ? rejected('invalid-data', `RequestBuild is refused: ${errors[0]!.field.replace('data.', '')} ${errors[0]!.message}.`, errors) : { variables: all };
}

function groupOf(id: string, plan: SavedPlan, planVersion: number, { variables, initiator, project, priority }: Pick<Asked, 'project' | 'priority'> & { variables: Record<string, string>; initiator: string }): string {
  const about = { plan: plan.name, planVersion, initiator, ...(project !== undefined && { project }), ...(priority !== undefined && { priority }), steps: 0, hosts: {}, retries: 0, workingCopy: plan.workingCopy };
  const scope = { value: (path: readonly string[]) => aboutValue(path, id, { about, plan, variables, generation: 1 }), succeeded: () => true, failed: () => false };
  return render(plan.concurrency!.group, scope).slice(0, 512);
}
