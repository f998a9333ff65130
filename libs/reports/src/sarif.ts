import type { LintFinding } from '@berth/contracts';
import { filled, label, message, place } from './clean.js';
import { ReportFault } from './fault.js';
import { nth, number, object, objects, readJson, string, type Json } from './json.js';
import type { ReportLimits } from './limits.js';
import { LintTally } from './tally.js';

/** SARIF's levels. "none" is about something that has no severity. */
const levels: Readonly<Record<string, LintFinding['severity']>> = { error: 'error', warning: 'warning', note: 'note', none: 'note' };
const level = (value: unknown): LintFinding['severity'] | undefined => (typeof value === 'string' && Object.hasOwn(levels, value) ? levels[value] : undefined);

/** Reads SARIF 2.1.0. Left out is what was suppressed, what passed, and what is no longer there. @throws {ReportFault} */
export function readSarif(text: string, limits: ReportLimits): LintTally {
  const log = object(readJson(text, limits));
  const version = log?.['version'];
  if (!log || typeof version !== 'string') throw new ReportFault('is JSON and has no "version", so it is not SARIF: name the format that it has, or the file that is meant');
  if (!version.startsWith('2.1.')) throw new ReportFault(`is SARIF ${JSON.stringify(version.slice(0, 40))}, and 2.1.0 is read: let the tool write that version, or convert it`);
  if (!Array.isArray(log['runs'])) throw new ReportFault('is SARIF without a list of "runs": let its tool run again, and look at its output');
  const tally = new LintTally();
  for (const run of objects(log['runs'])) readRun(run, tally);
  return tally;
}

function readRun(run: Json, tally: LintTally): void {
  const rules = new Rules(object(run['tool']));
  const invocations = objects(run['invocations']);
  const overrides = invocations.map((invocation) => new Overrides(invocation));
  for (const result of objects(run['results'])) {
    if (!counts(result)) continue;
    const rule = rules.of(result);
    const where = placeOf(run, result);
    tally.add({
      kind: 'lint', ...where, ...filled('code', label(ruleId(result) ?? string(rule?.['id']) ?? '')),
      severity: severityOf(result, rule, overrides), message: message(textOf(object(result['message']), rule)),
    });
  }
  for (const invocation of invocations) readInvocation(run, invocation, tally);
}

/** A tool that could not do its work has found nothing, and must not look as if there were nothing to find. */
function readInvocation(run: Json, invocation: Json, tally: LintTally): void {
  let told = 0;
  for (const notification of [...objects(invocation['toolConfigurationNotifications']), ...objects(invocation['toolExecutionNotifications'])]) {
    if (notification['level'] !== 'error') continue;
    told += 1;
    const code = string(object(notification['descriptor'])?.['id']) ?? '';
    tally.add({ kind: 'lint', ...placeOf(run, notification), ...filled('code', label(code)), severity: 'error', message: message(textOf(object(notification['message']), undefined)) });
  }
  if (invocation['executionSuccessful'] !== false || told > 0) return;
  const why = string(invocation['exitCodeDescription']) ?? string(invocation['exitSignalName']) ?? '';
  tally.add({ kind: 'lint', severity: 'error', message: message(`the tool says that it did not run to its end${why === '' ? '' : `: ${why}`}`) });
}

function counts(result: Json): boolean {
  const kind = string(result['kind']);
  if (kind === 'pass' || kind === 'notApplicable' || result['baselineState'] === 'absent') return false;
  const suppressions = objects(result['suppressions']);
  // Suppressed only when nobody has yet to agree to it, or has refused.
  return suppressions.length === 0 || suppressions.some((one) => one['status'] === 'underReview' || one['status'] === 'rejected');
}

/** The result's own level; for want of one what was configured for the rule, then the rule's default, then "warning". */
function severityOf(result: Json, rule: Json | undefined, overrides: readonly Overrides[]): LintFinding['severity'] {
  const own = level(result['level']);
  if (own !== undefined) return own;
  if ((string(result['kind']) ?? 'fail') !== 'fail') return 'note';
  const configured = overrides[number(object(result['provenance'])?.['invocationIndex']) ?? 0]?.levelOf(result);
  return configured ?? level(object(rule?.['defaultConfiguration'])?.['level']) ?? 'warning';
}

/** The id that a result gives its rule. */
const ruleId = (result: Json): string | undefined => string(result['ruleId']) ?? string(object(result['rule'])?.['id']);

/** Levels that were configured for one run of the tool, by the rule's id or its index. */
class Overrides {
  readonly #levels = new Map<string | number, LintFinding['severity']>();

  constructor(invocation: Json) {
    for (const override of objects(invocation['ruleConfigurationOverrides'])) {
      const descriptor = object(override['descriptor']);
      const rule = string(descriptor?.['id']) ?? number(descriptor?.['index']);
      const configured = level(object(override['configuration'])?.['level']);
      if (rule !== undefined && configured !== undefined) this.#levels.set(rule, configured);
    }
  }

  levelOf(result: Json): LintFinding['severity'] | undefined {
    const id = ruleId(result);
    const index = number(result['ruleIndex']);
    return (id === undefined ? undefined : this.#levels.get(id)) ?? (index === undefined ? undefined : this.#levels.get(index));
  }
}

/** The rules of a run, by index and by id. */
class Rules {
  readonly #components: Json[];
  readonly #byId = new Map<string, Json>();

  constructor(tool: Json | undefined) {
    this.#components = [object(tool?.['driver']) ?? {}, ...objects(tool?.['extensions'])];
    for (const component of this.#components) {
      for (const rule of objects(component['rules'])) {
        const id = string(rule['id']);
        if (id !== undefined && !this.#byId.has(id)) this.#byId.set(id, rule);
      }
    }
  }

  of(result: Json): Json | undefined {
    const reference = object(result['rule']);
    const extension = number(object(reference?.['toolComponent'])?.['index']);
    const component = extension === undefined ? this.#components[0] : this.#components[extension + 1];
    const id = ruleId(result);
    // "CA1000/1" is a special case of the rule "CA1000".
    const byId = id === undefined ? undefined : this.#byId.get(id) ?? this.#byId.get(id.slice(0, Math.max(0, id.lastIndexOf('/'))));
    return nth(component?.['rules'], number(result['ruleIndex']) ?? number(reference?.['index'])) ?? byId;
  }
}

/** The text of a message, or the one that its rule has under its id, with the arguments put in. */
function textOf(said: Json | undefined, rule: Json | undefined): string {
  const id = string(said?.['id']);
  const strings = object(rule?.['messageStrings']);
  const template = string(said?.['text']) ?? (id !== undefined && strings && Object.hasOwn(strings, id) ? string(object(strings[id])?.['text']) : undefined) ?? string(said?.['markdown']) ?? '';
  const values: unknown = said?.['arguments'];
  if (!Array.isArray(values)) return template;
  // No more than can be shown: a text of many placeholders must not grow by each.
  return template.slice(0, 4096).replace(/\{(\d{1,4})\}/g, (whole, index: string) => string(values[Number(index)])?.slice(0, 1024) ?? whole);
}

type Place = Pick<LintFinding, 'file' | 'line' | 'column'>;

/** Where a result is: the file of its first location, or for want of one what it is called in the code. */
function placeOf(run: Json, result: Json): Place {
  const location = nth(result['locations'], 0);
  const physical = object(location?.['physicalLocation']);
  const artifact = object(physical?.['artifactLocation']);
  const uri = string(artifact?.['uri']) ?? string(object(nth(run['artifacts'], artifact?.['index'])?.['location'])?.['uri']) ?? '';
  const region = object(physical?.['region']);
  const logical = nth(location?.['logicalLocations'], 0);
  const file = uri === '' ? string(logical?.['fullyQualifiedName']) ?? '' : pathOf(uri);
  return { ...filled('file', label(file)), ...filled('line', place(number(region?.['startLine']))), ...filled('column', place(number(region?.['startColumn']))) };
}

/** A URI reference as the path that people know. */
function pathOf(uri: string): string {
  const path = uri.slice(0, 1024).replace(/^file:\/\//i, '');
  try {
    return decodeURIComponent(path);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return path; // a path with a bare "%", as it stands
  }
}
