import { fieldErrors, nearest, plan as planSchema, rejected, type FieldError, type Refusal, type SavedPlan, type StepKindName } from '@berth/contracts';
import { isMapping, MAX_ERRORS, tell, unknownKey, YamlSource, type Mapping, type Path } from '@berth/yaml';
import { compile } from '../domain/plan/compile.js';
import { stepKinds } from '../domain/steps/index.js';

/** All of a commit must fit into one message of 1 MiB: PlanSaved has the text and the plan, BuildRequested the plan and the variables. */
const MAX_PLAN_BYTES = 256 * 1024;
const MAX_SAVED_BYTES = 896 * 1024;

/** Reads a plan from YAML, or tells everything that is wrong with it, each with its path, line and column. */
export function readPlan(text: string): SavedPlan | Refusal {
  const source = new YamlSource(text, 'plan');
  const errors = [...source.errors];
  if (source.value === undefined) return refused(errors);
  if (!isMapping(source.value)) {
    return refused([...errors, source.tell([], 'value', 'a plan is a mapping that begins with `name:` and has `steps:`')]);
  }

  const parsed = planSchema.safeParse(source.value);
  const steps = source.value['steps'];
  // What the schema says of a step is said of whichever kind is nearest; each step is looked at again as the kind that it says it is.
  const findings = (parsed.error?.issues ?? []).filter((finding) => !(finding.path[0] === 'steps' && finding.path.length > 1));
  for (const finding of findings.slice(0, MAX_ERRORS)) errors.push(...tell(source, finding, [], planSchema));
  if (Array.isArray(steps)) for (let i = 0; i < steps.length && errors.length < MAX_ERRORS; i++) errors.push(...stepErrors(source, steps[i], ['steps', i]));
  if (parsed.error && errors.length === 0) errors.push(...fieldErrors(parsed.error));
  if (errors.length > 0 || !parsed.success) return refused(errors);

  const compiled = compile(parsed.data);
  if ('findings' in compiled) return refused(compiled.findings.slice(0, MAX_ERRORS).map(({ path, prefer, message }) => source.tell(path, prefer, message)));
  errors.push(...sizeErrors(text, compiled.plan));
  return errors.length > 0 ? refused(errors) : compiled.plan;
}

function refused(errors: FieldError[]): Refusal {
  const more = errors.length > 1 ? ` (and more: ${Math.min(errors.length, MAX_ERRORS)} errors in all${errors.length >= MAX_ERRORS ? ', at least' : ''})` : '';
  return rejected('invalid-plan', `The plan is refused: ${errors[0]!.field}: ${errors[0]!.message}${more}.`, errors.slice(0, MAX_ERRORS));
}

// --- steps ---

function stepErrors(source: YamlSource, step: unknown, path: Path): FieldError[] {
  if (!isMapping(step)) return [source.tell(path, 'value', 'a step is a mapping with `name` and either `run` or `uses`')];
  const runs = Object.hasOwn(step, 'run');
  const uses = Object.hasOwn(step, 'uses');
  if (runs && uses) return [source.tell([...path, 'uses'], 'key', 'a step has either `run` or `uses`: remove one')];
  if (runs) return kindErrors(source, step, path, 'run-command');
  if (!uses) return kindlessErrors(source, step, path);
  const kind = step['uses'];
  if (kind === 'run-command') return [source.tell([...path, 'uses'], 'value', `a step of kind run-command is written ${stepKinds[kind].written}`)];
  if (typeof kind === 'string' && Object.hasOwn(stepKinds, kind)) return kindErrors(source, step, path, kind as StepKindName);
  const kinds = Object.entries(stepKinds).map(([name, { written }]) => `${name} (${written})`);
  const meant = typeof kind === 'string' ? nearest(kind, Object.keys(stepKinds)) : undefined;
  return [source.tell([...path, 'uses'], 'value', `unknown step kind ${JSON.stringify(kind)}: ${meant ? `did you mean ${JSON.stringify(meant)}? ` : ''}There are ${kinds.join(', ')}`)];
}

function kindErrors(source: YamlSource, step: Mapping, path: Path, kind: StepKindName): FieldError[] {
  const { schema } = stepKinds[kind];
  return (schema.safeParse(step).error?.issues ?? []).flatMap((finding) => tell(source, finding, path, schema));
}

/** It says of itself neither `run` nor `uses`: perhaps it meant to. */
function kindlessErrors(source: YamlSource, step: Mapping, path: Path): FieldError[] {
  const keys = [...new Set(Object.values(stepKinds).flatMap(({ schema }) => [...Object.keys(schema.shape)]))];
  const unknown = Object.keys(step).filter((key) => !keys.includes(key));
  const misspelt = unknown.some((key) => ['run', 'uses'].includes(nearest(key, keys) ?? ''));
  return [
    ...(Object.hasOwn(step, 'name') ? [] : [source.tell([...path, 'name'], 'key', 'is required')]),
    ...unknown.slice(0, MAX_ERRORS).map((key) => source.tell([...path, key], 'key', unknownKey(key, keys))),
    ...(misspelt ? [] : [source.tell(path, 'value', `a step needs ${Object.values(stepKinds).map((kind) => kind.written).join(' or ')}`)]),
  ];
}

// --- what no schema of one step can see ---

function sizeErrors(text: string, plan: SavedPlan): FieldError[] {
  const planBytes = Buffer.byteLength(JSON.stringify(plan));
  const savedBytes = planBytes + Buffer.byteLength(JSON.stringify(text));
  if (planBytes <= MAX_PLAN_BYTES && savedBytes <= MAX_SAVED_BYTES) return [];
  return [{ field: 'data.source', message: `is too large: a plan may take ${MAX_PLAN_BYTES / 1024} KiB as JSON, and ${MAX_SAVED_BYTES / 1024} KiB together with its text. Keep long scripts in the repository` }];
}
