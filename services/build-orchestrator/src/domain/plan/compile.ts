import { isTemplate, nearest, type Plan, type SavedPlan, type SavedStep, type Step } from '@berth/contracts';
import { render } from '../language/template.js';
import { checkStep, checkVariables } from './check.js';

/** Something wrong with a plan: where in it, whether the key or the value is meant, and a sentence. */
export interface Finding {
  path: readonly PropertyKey[];
  prefer: 'key' | 'value';
  message: string;
}

/** A step as somebody wrote it, and the steps that it stands for: one for each combination of its matrix. */
export interface Written {
  index: number;
  step: Step;
  id: string;
  /** numbers of the written steps that it needs */
  needs: number[];
  instances: Instance[];
}
export interface Instance {
  id: string;
  matrix: Readonly<Record<string, string>>;
  /** its number among all */
  number: number;
}

/** Steps after the matrices were written out. */
const MAX_STEPS = 500;
/** A matrix of more makes hardly a plan that anybody reads. */
const MAX_COMBINATIONS = 256;
/** The longest id of a step. */
const MAX_ID = 63;
/** The host that a plan has when it names none. */
export const MAIN = 'main';

/** A plan as it is kept: matrices written out, steps that name each other by number, hosts by name. Or all that is wrong with it. */
export function compile(plan: Plan): { plan: SavedPlan } | { findings: Finding[] } {
  const findings: Finding[] = [];
  const hosts = hostsOf(plan, findings);
  const written = idsOf(plan, findings);
  if (findings.length === 0) findNeeds(written, findings);
  if (findings.length === 0) findCircle(written, findings);
  if (findings.length > 0) return { findings };

  checkVariables(plan, findings);
  const ancestors = ancestorsOf(written);
  const steps: SavedStep[] = [];
  for (const one of written) {
    const faults = findings.length;
    checkStep(plan, one, written, ancestors[one.index]!, findings);
    // With an expression that can't be read there is nothing to put in.
    if (findings.length > faults) continue;
    const hostPath = ['steps', one.index, 'host'];
    for (const instance of one.instances) {
      const host = hostOf(one.step, instance, hosts, hostPath, findings);
      steps.push(savedStep(one, instance, written, host));
    }
  }
  checkArtifacts(written, findings);
  if (findings.length > 0) return { findings };
  return { plan: saved(plan, hosts, steps) };
}

// --- hosts ---

interface Hosts {
  named: Map<string, Record<string, string>>;
  first: string;
}

function hostsOf({ host, machine, hosts }: Plan, findings: Finding[]): Hosts {
  if (hosts && (host || machine)) findings.push({ path: [host ? 'host' : 'machine'], prefer: 'key', message: 'a plan has either `host` (or `machine`) or `hosts`: remove one' });
  const base = { ...(machine && { os: machine }), ...host };
  if (machine && host?.['os'] !== undefined && host['os'] !== machine) findings.push({ path: ['machine'], prefer: 'value', message: `is ${machine}, and host.os is ${host['os']}: remove one` });
  const named = new Map(Object.entries(hosts ?? { [MAIN]: base }));
  return { named, first: named.keys().next().value ?? MAIN };
}

/** The name of the host that a step runs on; a host of its own is added to the others. */
function hostOf(step: Step, { matrix }: Instance, hosts: Hosts, path: readonly PropertyKey[], findings: Finding[]): string | undefined {
  if (!('host' in step || 'machine' in step)) return undefined;
  const { host, machine } = step;
  if (typeof host === 'string') {
    const name = host.includes('${{') ? render(host, { value: ([root, key]) => (root === 'matrix' ? matrix[key!] : undefined), succeeded: () => true, failed: () => false }) : host;
    if (hosts.named.has(name)) return name;
    const meant = nearest(name, [...hosts.named.keys()]);
    findings.push({ path, prefer: 'value', message: `no host is named ${JSON.stringify(name)}: ${meant ? `did you mean ${JSON.stringify(meant)}?` : `there are ${[...hosts.named.keys()].join(', ')}`}` });
    return undefined;
  }
  if (host === undefined && machine === undefined) return undefined;
  const wants = { ...(machine && { os: machine }), ...host };
  const key = JSON.stringify(Object.entries(wants).sort());
  for (const [name, known] of hosts.named) if (JSON.stringify(Object.entries(known).sort()) === key) return name;
  const name = freeName(slug(Object.values(wants).join('-')) || 'any', new Set(hosts.named.keys()));
  hosts.named.set(name, wants);
  return name;
}

// --- ids, matrices ---

/** A name as an id: small letters, digits and dashes. */
export function slug(name: string): string {
  const plain = name.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^[^a-z]+|-+$/g, '').slice(0, 48);
  return plain.replace(/-+$/, '');
}

function freeName(wanted: string, taken: ReadonlySet<string>): string {
  for (let n = 1; ; n++) {
    const name = n === 1 ? wanted : `${wanted}-${n}`;
    if (!taken.has(name)) return name;
  }
}

function idsOf(plan: Plan, findings: Finding[]): Written[] {
  const taken = new Map<string, number>();
  // Those that were given first: one that is made from a name makes way.
  for (const [index, { id }] of plan.steps.entries()) {
    if (id === undefined) continue;
    const other = taken.get(id);
    if (other === undefined) taken.set(id, index);
    else findings.push({ path: ['steps', index, 'id'], prefer: 'value', message: `steps[${other}] has the id ${id} already: give this one another` });
  }
  const written: Written[] = [];
  let number = 0;
  for (const [index, step] of plan.steps.entries()) {
    const id = step.id ?? freeName(slug(step.name.replaceAll(/\$\{\{.*?\}\}/g, '')) || 'step', new Set(taken.keys()));
    taken.set(id, index);
    const combinations = combinationsOf(step.matrix, ['steps', index, 'matrix'], findings);
    const instances = combinations.map((matrix): Instance => {
      const values = Object.values(matrix);
      const own = values.length === 0 ? id : freeName(`${id}-${slug(`v${values.join('-')}`).slice(1)}`.slice(0, MAX_ID - 4).replace(/-+$/, ''), new Set(taken.keys()));
      // People name it by this: it is no other step's.
      taken.set(own, index);
      return { id: own, matrix, number: number++ };
    });
    if (number > MAX_STEPS) {
      findings.push({ path: ['steps', index, 'matrix'], prefer: 'key', message: `makes more than ${MAX_STEPS} steps in all: name fewer values` });
      break;
    }
    written.push({ index, step, id, needs: [], instances });
  }
  return written;
}

function combinationsOf(matrix: Step['matrix'], path: readonly PropertyKey[], findings: Finding[]): Record<string, string>[] {
  if (!matrix) return [{}];
  const { exclude = [], ...axes } = matrix;
  const names = Object.keys(axes);
  if (names.length === 0) {
    findings.push({ path, prefer: 'key', message: 'names no values: write a list for each name, such as `node: [20, 22]`' });
    return [];
  }
  if (names.reduce((product, name) => product * axes[name]!.length, 1) > MAX_COMBINATIONS) {
    findings.push({ path, prefer: 'key', message: `has more than ${MAX_COMBINATIONS} combinations: name fewer values` });
    return [];
  }
  let all: Record<string, string>[] = [{}];
  for (const name of names) all = all.flatMap((one) => axes[name]!.map((value) => ({ ...one, [name]: value })));
  for (const [i, left] of exclude.entries()) {
    const strange = Object.keys(left).find((key) => !names.includes(key));
    if (strange !== undefined) findings.push({ path: [...path, 'exclude', i, strange], prefer: 'key', message: `is none of the names of this matrix: ${names.join(', ')}` });
  }
  const kept = all.filter((one) => !exclude.some((left) => Object.entries(left).every(([key, value]) => one[key] === value)));
  if (kept.length === 0) findings.push({ path: [...path, 'exclude'], prefer: 'key', message: 'leaves no combination' });
  return kept;
}

// --- what needs what ---

function findNeeds(written: Written[], findings: Finding[]): void {
  const byId = new Map(written.map((one) => [one.id, one.index]));
  for (const one of written) {
    const { needs } = one.step;
    if (needs === undefined) {
      if (one.index > 0) one.needs.push(one.index - 1);
      continue;
    }
    for (const [i, id] of needs.entries()) {
      const index = byId.get(id);
      const path = ['steps', one.index, 'needs', i];
      if (index !== undefined) {
        if (!one.needs.includes(index)) one.needs.push(index);
        continue;
      }
      const meant = nearest(id, [...byId.keys()]);
      findings.push({ path, prefer: 'value', message: `no step has the id ${JSON.stringify(id)}: ${meant ? `did you mean ${JSON.stringify(meant)}?` : `there are ${[...byId.keys()].slice(0, 20).join(', ')}`}` });
    }
  }
}

/** The first circle there is, told with its path: a plan that could never end is no plan. */
function findCircle(written: Written[], findings: Finding[]): void {
  const state = new Map<number, 'open' | 'done'>();
  const trail: number[] = [];
  const visit = (index: number): boolean => {
    if (state.get(index) === 'done') return false;
    trail.push(index);
    if (state.get(index) === 'open') {
      const circle = trail.slice(trail.indexOf(index)).map((at) => written[at]!.id);
      findings.push({ path: ['steps', index, 'needs'], prefer: 'key', message: `goes round in a circle: ${circle.join(' needs ')}: remove one of these` });
      return true;
    }
    state.set(index, 'open');
    for (const need of written[index]!.needs) if (visit(need)) return true;
    state.set(index, 'done');
    trail.pop();
    return false;
  };
  for (const { index } of written) if (visit(index)) return;
}

/** For each written step, all that must be over before it. */
function ancestorsOf(written: readonly Written[]): ReadonlySet<number>[] {
  const found: (Set<number> | undefined)[] = [];
  const of = (index: number): Set<number> => {
    const known = found[index];
    if (known) return known;
    const all = new Set<number>();
    found[index] = all;
    for (const need of written[index]!.needs) {
      all.add(need);
      for (const further of of(need)) all.add(further);
    }
    return all;
  };
  return written.map(({ index }) => of(index));
}

// --- the result ---

function savedStep({ step, needs }: Written, { id, matrix, number: _number }: Instance, written: readonly Written[], host: string | undefined): SavedStep {
  const values = Object.values(matrix);
  const name = values.length === 0 || isTemplate(step.name) ? step.name : `${step.name} (${values.join(', ')})`;
  const matrixScope = { value: ([root, key]: readonly string[]) => (root === 'matrix' ? matrix[key!] : undefined), succeeded: () => true, failed: () => false };
  const { if: condition, timeout, retries, continueOnError } = step;
  return {
    name: (isTemplate(name) ? render(name, matrixScope) : name).slice(0, 256),
    id,
    needs: needs.flatMap((need) => written[need]!.instances.map((instance) => instance.number)),
    ...(condition !== undefined && { if: condition }),
    ...(host !== undefined && { host }),
    ...(timeout !== undefined && { timeout }),
    ...(retries !== undefined && { retries }),
    ...(continueOnError !== undefined && { continueOnError }),
    ...(values.length > 0 && { matrix }),
    ...('run' in step
      ? { run: step.run, ...(step.shell && { shell: step.shell }), ...(step.env && { env: step.env }), ...(step.secrets && { secrets: step.secrets }) }
      : { uses: step.uses, with: step.with as Record<string, unknown> }),
  };
}

/** Two artifacts of one name would be one object in the store. Those whose names are known only later are looked at then. */
function checkArtifacts(written: readonly Written[], findings: Finding[]): void {
  const seen = new Map<string, number>();
  for (const { index, step, instances } of written) {
    if (!('uses' in step) || step.uses !== 'upload-artifact') continue;
    const { path, name: given } = step.with;
    if (path.length !== 1 || /[*?[]/.test(path[0]!)) continue;
    const name = given ?? baseName(path[0]!);
    if (isTemplate(name)) continue;
    const at = ['steps', index, 'with', given === undefined ? 'path' : 'name'];
    const other = seen.get(name) ?? (instances.length > 1 ? index : undefined);
    if (other !== undefined) findings.push({ path: at, prefer: 'value', message: other === index ? `the artifact ${name} is kept by each combination of the matrix: use one of its values in \`name\`` : `the artifact ${name} is kept by steps[${other}] already: give this one another \`name\`` });
    seen.set(name, index);
  }
}

/** The last part of a path. */
export const baseName = (path: string): string => path.split(/[\\/]/).findLast((part) => part !== '') ?? '';

function saved(plan: Plan, hosts: Hosts, steps: SavedStep[]): SavedPlan {
  const { name, workingCopy, env, infrastructureRetries, timeout, queueTimeout, priority, holdOnFailure, restartable, allow, concurrency, artifacts, variables, secrets } = plan;
  const optional = { timeout, queueTimeout, priority, holdOnFailure, allow, concurrency, artifacts };
  return {
    name,
    host: hosts.named.get(hosts.first)!,
    ...((hosts.named.size > 1 || hosts.first !== MAIN) && { hosts: Object.fromEntries(hosts.named) }),
    workingCopy,
    env,
    infrastructureRetries,
    ...(restartable !== 'always' && { restartable }),
    ...(Object.keys(variables).length > 0 && { variables }),
    ...(Object.keys(secrets).length > 0 && { secrets }),
    ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as Partial<SavedPlan>),
    steps,
  };
}
