import { isTemplate, nearest, TEMPLATE, type Plan, type PlanVariable } from '@berth/contracts';
import { ExpressionFault, namesIn, parse, type Expression } from '../language/expression.js';
import { parseTemplate } from '../language/template.js';
import type { Finding, Written } from './compile.js';

/** What can be named in an expression, with what stands behind the first dot where that is fixed. */
const roots = {
  build: ['id', 'url', 'generation'],
  plan: ['name', 'version'],
  repository: ['url', 'name'],
  initiator: [],
  project: [],
  priority: [],
  ref: [],
  commit: [],
} as const satisfies Record<string, readonly string[]>;
const ofSteps = ['outcome', 'exitCode', 'error', 'outputs'] as const;

/** What is wrong with the expressions of a step, and with what it names of its plan. */
export function checkStep(plan: Plan, one: Written, written: readonly Written[], ancestors: ReadonlySet<number>, findings: Finding[]): void {
  const { step, index } = one;
  const base = ['steps', index];
  const names = (expressions: readonly Expression[], path: readonly PropertyKey[], only?: 'matrix') => {
    for (const { path: name } of expressions.flatMap(namesIn)) {
      const message = only === 'matrix' && name[0] !== 'matrix' ? `only values of the matrix can stand here, not ${name.join('.')}` : unknownName(name, plan, one, written, ancestors);
      if (message !== undefined) findings.push({ path, prefer: 'value', message });
    }
  };
  const template = (text: string, path: readonly PropertyKey[], only?: 'matrix') => {
    if (!isTemplate(text)) return;
    attempt(findings, path, () => names(parseTemplate(text).parts.filter((part) => typeof part !== 'string'), path, only));
  };

  if (step.if !== undefined) {
    const path = [...base, 'if'];
    const text = step.if.trim();
    // Written with or without the brackets, as people do.
    const bare = /^\$\{\{(.*)\}\}$/s.exec(text)?.[1] ?? text;
    attempt(findings, path, () => names([parse(bare)], path));
  }
  template(step.name, [...base, 'name'], 'matrix');
  if ('host' in step && typeof step.host === 'string') template(step.host, [...base, 'host'], 'matrix');
  if ('run' in step) template(step.run, [...base, 'run']);
  const parameters = 'run' in step ? { env: step.env } : { with: step.with };
  for (const [text, path] of textsIn(parameters, base)) template(text, path);

  for (const [text, path] of [...textsIn('host' in step && typeof step.host === 'object' ? { host: step.host } : {}, base), ...('run' in step ? [] : textsIn(fixedOf(step), [...base, 'with']))]) fixed(text, path, findings);

  if ('secrets' in step) {
    for (const [i, name] of (step.secrets ?? []).entries()) {
      if (Object.hasOwn(plan.secrets, name)) continue;
      const known = Object.keys(plan.secrets);
      const meant = nearest(name, known);
      findings.push({ path: [...base, 'secrets', i], prefer: 'value', message: `the plan has no secret ${name}: ${meant ? `did you mean ${meant}?` : known.length > 0 ? `it has ${known.join(', ')}` : 'name it under `secrets` of the plan'}` });
    }
  }
  if ('uses' in step && step.uses === 'http-request' && step.with.secret !== undefined && hostIsGiven(step.with.url)) {
    findings.push({ path: [...base, 'with', 'url'], prefer: 'value', message: 'has a value for its host, and a secret goes with it: whoever gives the value would choose who gets the secret. Write the host out' });
  }
  if ('uses' in step && step.uses === 'lease' && step.with.on !== undefined && !Object.hasOwn(plan.hosts ?? { main: {} }, step.with.on)) {
    findings.push({ path: [...base, 'with', 'on'], prefer: 'value', message: `no host is named ${step.with.on}: there are ${Object.keys(plan.hosts ?? { main: {} }).join(', ')}` });
  }
}

/** Parameters of a step that are looked at before any value is known. */
function fixedOf(step: Exclude<Plan['steps'][number], { run: string }>): Record<string, unknown> {
  switch (step.uses) {
    case 'lease':
      return { attributes: step.with.attributes };
    case 'wait-for-message':
      return { from: step.with.from };
    case 'wait-for-approval':
      return { message: step.with.message };
    default:
      return {};
  }
}

function fixed(text: string, path: readonly PropertyKey[], findings: Finding[]): void {
  if (isTemplate(text)) findings.push({ path, prefer: 'value', message: 'is used as it stands here: ${{ … }} is not replaced' });
}

/** The host of a URL is known only once a value is put in. */
const hostIsGiven = (url: string): boolean => url.includes(TEMPLATE) && !/^https?:\/\/[^/?#]+[/?#]/.test(url.slice(0, url.indexOf(TEMPLATE)));

function attempt(findings: Finding[], path: readonly PropertyKey[], read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof ExpressionFault)) throw error;
    findings.push({ path, prefer: 'value', message: `${error.message} (character ${error.at + 1})` });
  }
}

/** Every text in a value, with its path. */
function* textsIn(value: unknown, path: readonly PropertyKey[]): Generator<[string, readonly PropertyKey[]]> {
  if (typeof value === 'string') yield [value, path];
  else if (Array.isArray(value)) for (const [i, inner] of value.entries()) yield* textsIn(inner, [...path, i]);
  else if (typeof value === 'object' && value !== null) for (const [key, inner] of Object.entries(value)) yield* textsIn(inner, [...path, key]);
}

/** A sentence when nothing is called so; undefined when something is. */
function unknownName(path: readonly string[], plan: Plan, one: Written, written: readonly Written[], ancestors: ReadonlySet<number>): string | undefined {
  const [root = '', key, ...rest] = path;
  const name = path.join('.');
  if (root === 'vars') {
    const known = Object.keys(plan.variables);
    if (key === undefined || rest.length > 0) return `${name}: write vars.NAME`;
    if (Object.hasOwn(plan.variables, key)) return undefined;
    const meant = nearest(key, known);
    return `the plan has no variable ${key}: ${meant ? `did you mean ${meant}?` : known.length > 0 ? `it has ${known.join(', ')}` : 'name it under `variables` of the plan'}`;
  }
  if (root === 'matrix') {
    const known = Object.keys(one.step.matrix ?? {}).filter((axis) => axis !== 'exclude');
    if (key !== undefined && rest.length === 0 && known.includes(key)) return undefined;
    return `${name}: ${known.length > 0 ? `the matrix of this step has ${known.join(', ')}` : 'this step has no matrix'}`;
  }
  if (root === 'steps') return unknownStep(name, key, rest, one, written, ancestors);
  if (Object.hasOwn(roots, root)) {
    const known: readonly string[] = roots[root as keyof typeof roots];
    if (known.length === 0 ? key === undefined : key !== undefined && known.includes(key) && rest.length === 0) return undefined;
    return `${name}: ${known.length === 0 ? `${root} has no parts` : `${root} has ${known.join(', ')}`}`;
  }
  const all = [...Object.keys(roots), 'vars', 'matrix', 'steps'];
  const meant = nearest(root, all);
  return `nothing is called ${name}: ${meant ? `did you mean ${meant}?` : `there are ${all.join(', ')}; text stands between single quotes`}`;
}

function unknownStep(name: string, id: string | undefined, [what, ...rest]: readonly string[], one: Written, written: readonly Written[], ancestors: ReadonlySet<number>): string | undefined {
  const other = written.find((candidate) => candidate.id === id);
  if (id === undefined || !other) {
    const meant = id === undefined ? undefined : nearest(id, written.map((candidate) => candidate.id));
    return `${name}: no step has the id ${id ?? ''}${meant ? `: did you mean ${meant}?` : ''}`;
  }
  if (!ancestors.has(other.index)) return `${name}: ${other.index === one.index ? "a step can't use its own results" : `step ${id} may not be over by then: name it in \`needs\``}`;
  if (other.instances.length > 1) return `${name}: step ${id} runs once for each combination of its matrix: its results have no one value`;
  if (what === undefined || !(ofSteps as readonly string[]).includes(what)) return `${name}: a step has ${ofSteps.join(', ')}`;
  if (what === 'outputs' ? rest.length !== 1 : rest.length > 0) return `${name}: write steps.${id}.${what === 'outputs' ? 'outputs.NAME' : what}`;
  return undefined;
}

// --- variables ---

/** What is wrong with the variables that a plan has, and with its own texts. */
export function checkVariables(plan: Plan, findings: Finding[]): void {
  for (const [name, variable] of Object.entries(plan.variables)) {
    const path = ['variables', name];
    if (variable.type === 'choice' && !variable.choices) findings.push({ path, prefer: 'value', message: 'is a choice: name its `choices`' });
    if (variable.type !== 'choice' && variable.choices) findings.push({ path: [...path, 'choices'], prefer: 'key', message: 'belongs to `type: choice`' });
    if (variable.required && variable.default !== undefined) findings.push({ path: [...path, 'default'], prefer: 'key', message: 'is never used: the variable is required. Remove one' });
    const fault = variable.default === undefined ? undefined : valueFault(variable, variable.default);
    if (fault !== undefined) findings.push({ path: [...path, 'default'], prefer: 'value', message: fault });
    if (Object.hasOwn(plan.secrets, name)) findings.push({ path, prefer: 'key', message: 'is the name of a secret too: rename one' });
    if (variable.default !== undefined) fixed(variable.default, [...path, 'default'], findings);
  }
  for (const [text, path] of textsIn({ host: plan.host, hosts: plan.hosts, workingCopy: plan.workingCopy }, [])) fixed(text, path, findings);
  // Known when the build is asked for, before any step: what steps found can't stand there.
  const early: Written = { index: -1, step: { name: '', run: '' }, id: '', needs: [], instances: [] };
  for (const [text, path] of [...textsIn({ env: plan.env }, []), ...textsIn({ concurrency: plan.concurrency }, [])]) {
    if (!isTemplate(text)) continue;
    attempt(findings, path, () => {
      for (const part of parseTemplate(text).parts) {
        if (typeof part === 'string') continue;
        for (const { path: name } of namesIn(part)) {
          const message = path[0] === 'concurrency' && name[0] === 'commit' ? 'commit: is known only once there is a working copy' : unknownName(name, plan, early, [], new Set());
          if (message !== undefined) findings.push({ path, prefer: 'value', message });
        }
      }
    });
  }
}

/** Why a value is not one of a variable; undefined when it is. */
export function valueFault(variable: PlanVariable | { type: string; choices?: string[] | undefined }, value: string): string | undefined {
  switch (variable.type) {
    case 'number':
      return /^-?\d+(\.\d+)?$/.test(value) ? undefined : 'must be a number';
    case 'boolean':
      return value === 'true' || value === 'false' ? undefined : 'must be true or false';
    case 'choice':
      return variable.choices?.includes(value) ? undefined : `must be one of ${variable.choices?.join(', ') ?? ''}`;
    default:
      return undefined;
  }
}
