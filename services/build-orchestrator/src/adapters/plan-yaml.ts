import { z } from 'zod';
import { fieldErrors, plan as planSchema, rejected, uploadArtifactStep, type FieldError, type Plan, type Refusal } from '@berth/contracts';
import { stepKinds, type StepKindName } from '../domain/steps/index.js';
import { artifactName } from '../domain/steps/upload-artifact.js';
import { nearest } from './nearest.js';
import { MAX_ERRORS, YamlSource, type Path } from './yaml-source.js';

/** All of a commit must fit into one message of 1 MiB: PlanSaved has the text and the plan, BuildRequested the plan and the variables. */
const MAX_PLAN_BYTES = 256 * 1024;
const MAX_SAVED_BYTES = 896 * 1024;
/** Holds for a name that is taken from a path too: objects of the store and downloaded files are called by it. */
const artifactNameSchema = uploadArtifactStep.shape.with.shape.name;

type Finding = z.core.$ZodIssue;
interface Mapping extends Record<string, unknown> {
  steps?: unknown;
}

/** Reads a plan from YAML, or tells everything that is wrong with it, each with its path, line and column. */
export function readPlan(text: string): Plan | Refusal {
  const source = new YamlSource(text);
  const errors = [...source.errors];
  if (source.value === undefined) return refused(errors);
  if (!isMapping(source.value)) {
    return refused([...errors, source.tell([], 'value', 'a plan is a mapping that begins with `name:` and has `steps:`')]);
  }

  const parsed = planSchema.safeParse(source.value);
  const { steps } = source.value;
  // What the schema says of a step is said of whichever kind is nearest; each step is looked at again as the kind that it says it is.
  const findings = (parsed.error?.issues ?? []).filter((finding) => !(finding.path[0] === 'steps' && finding.path.length > 1));
  for (const finding of findings.slice(0, MAX_ERRORS)) errors.push(...tell(source, finding, [], planSchema));
  if (Array.isArray(steps)) for (let i = 0; i < steps.length && errors.length < MAX_ERRORS; i++) errors.push(...stepErrors(source, steps[i], ['steps', i]));
  if (parsed.error && errors.length === 0) errors.push(...fieldErrors(parsed.error));
  if (errors.length > 0 || !parsed.success) return refused(errors);

  errors.push(...artifactErrors(source, parsed.data), ...sizeErrors(text, parsed.data));
  return errors.length > 0 ? refused(errors) : parsed.data;
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

// --- findings of the schema, as sentences ---

function tell(source: YamlSource, finding: Finding, base: Path, schema: z.ZodType): FieldError[] {
  const path = [...base, ...finding.path];
  switch (finding.code) {
    case 'unrecognized_keys':
      return finding.keys.slice(0, MAX_ERRORS).map((key) => source.tell([...path, key], 'key', unknownKey(key, keysAt(schema, finding.path))));
    case 'invalid_key':
      return [source.tell(path, 'key', `${JSON.stringify(String(path.at(-1)))} can't be a name here: ${finding.issues[0]?.message ?? finding.message}`)];
    case 'invalid_union': {
      const closer = finding.errors.find((branch) => branch.some((inner) => !isOfOtherType(inner)));
      if (closer) return closer.flatMap((inner) => tell(source, { ...inner, path: [...finding.path, ...inner.path] } as Finding, base, schema));
      return [source.tell(path, 'value', `must be ${typesOf(finding).join(' or ')}`)];
    }
    case 'invalid_type':
      if (!source.has(path)) return [source.tell(path, 'key', 'is required')];
      return [source.tell(path, 'value', `${source.isEmpty(path) ? 'is empty: it ' : ''}must be ${typeNames[finding.expected] ?? finding.expected}`)];
    case 'too_small':
    case 'too_big': {
      const bound = finding.code === 'too_small' ? `at least ${finding.minimum}` : `at most ${finding.maximum}`;
      if (finding.origin === 'number' || finding.origin === 'int') return [source.tell(path, 'value', `must be ${bound}`)];
      return [source.tell(path, 'value', `must have ${bound} ${finding.origin === 'string' ? 'characters' : 'entries'}`)];
    }
    default:
      return [source.tell(path, 'value', finding.message)];
  }
}

/** Every branch of a union, and of the unions in it, wanted a value of another type: then the types are all there is to say. */
const isOfOtherType = (finding: Finding): boolean => finding.code === 'invalid_type' || (finding.code === 'invalid_union' && finding.errors.every((branch) => branch.every(isOfOtherType)));

const typesOf = (finding: Finding): string[] => {
  if (finding.code === 'invalid_type') return [typeNames[finding.expected] ?? finding.expected];
  return finding.code === 'invalid_union' ? finding.errors.flatMap((branch) => branch.flatMap(typesOf)) : [];
};

const typeNames: Record<string, string> = { string: 'text', number: 'a number', int: 'a whole number', boolean: 'true or false', array: 'a list', object: 'a mapping', record: 'a mapping' };

function unknownKey(key: string, keys: readonly string[]): string {
  const meant = nearest(key, keys);
  return `unknown key ${JSON.stringify(key)}: ${meant ? `did you mean ${JSON.stringify(meant)}?` : `the keys here are ${keys.join(', ')}`}`;
}

/** The keys that a schema knows at a path. */
function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  let here: z.core.$ZodType | undefined = schema;
  for (const part of [...path, undefined]) {
    while (here instanceof z.ZodDefault || here instanceof z.ZodOptional) here = here.unwrap();
    if (!(here instanceof z.ZodObject)) return [];
    const shape: Record<string, z.core.$ZodType> = here.shape;
    if (part === undefined) return Object.keys(shape);
    here = shape[String(part)];
  }
  return [];
}

// --- what no schema of one step can see ---

/** Two artifacts of one name would be one object in the store. */
function artifactErrors(source: YamlSource, plan: Plan): FieldError[] {
  const seen = new Map<string, number>();
  return plan.steps.flatMap((step, i) => {
    if (!('uses' in step)) return [];
    const name = artifactName(step);
    const path = ['steps', i, 'with', step.with.name === undefined ? 'path' : 'name'];
    if (!artifactNameSchema.safeParse(name).success) return [source.tell(path, 'value', `${JSON.stringify(name)} can't be the name of an artifact (letters, digits, ".", "_" and "-"): give it one with \`name\``)];
    const other = seen.get(name);
    seen.set(name, i);
    return other === undefined ? [] : [source.tell(path, 'value', `the artifact ${name} is kept by steps[${other}] already: give this one another \`name\``)];
  });
}

function sizeErrors(text: string, plan: Plan): FieldError[] {
  const planBytes = Buffer.byteLength(JSON.stringify(plan));
  const savedBytes = planBytes + Buffer.byteLength(JSON.stringify(text));
  if (planBytes <= MAX_PLAN_BYTES && savedBytes <= MAX_SAVED_BYTES) return [];
  return [{ field: 'data.source', message: `is too large: a plan may take ${MAX_PLAN_BYTES / 1024} KiB as JSON, and ${MAX_SAVED_BYTES / 1024} KiB together with its text. Keep long scripts in the repository` }];
}

const isMapping = (value: unknown): value is Mapping => typeof value === 'object' && value !== null && !Array.isArray(value);
