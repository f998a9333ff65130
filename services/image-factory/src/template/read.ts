import { fieldErrors, imageTemplate, type FieldError, type ImageTemplate } from '@berth/contracts';
import { MAX_ERRORS, pathOf, tell, WHOLE, type Mapping, type Places } from '@berth/yaml';
import { templateFaults, textFault } from './faults.js';
import { TdlSource } from './tdl.js';
import { yamlSource } from './yaml.js';

export type ReadTemplate = { template: ImageTemplate; format: 'yaml' | 'tdl' } | { errors: FieldError[] };

/** In characters, as the commands take them. */
const MAX_LENGTH = 524_288;

/**
 * Reads a template in YAML, or in TDL when it begins with `<`; or tells all that is wrong with it, each with its line and column.
 * @param faults what else is wrong with it, such as for what it is built as: field and sentence
 */
export function readTemplate(source: string, faults: (template: ImageTemplate) => readonly { field: string; message: string }[] = () => []): ReadTemplate {
  const text = source.replace(/^\uFEFF/, '');
  const whole = wholeFault(text);
  if (whole !== undefined) return { errors: [{ field: WHOLE, message: whole }] };
  const format = /^\s*</.test(text) ? 'tdl' : 'yaml';
  const { places, value } = format === 'tdl' ? tdl(text.trimStart(), text) : yamlSource(text);
  const errors = [...places.errors];
  if (value === undefined) return { errors: errors.slice(0, MAX_ERRORS) };
  const parsed = imageTemplate.safeParse(value);
  // What could not be read at its place is told already, and is missing for the schema.
  const told = new Set(errors.map(({ field }) => field));
  for (const finding of (parsed.error?.issues ?? []).slice(0, MAX_ERRORS)) errors.push(...tell(places, finding, [], imageTemplate).filter(({ field }) => !told.has(field)));
  if (parsed.error && errors.length === 0) errors.push(...fieldErrors(parsed.error));
  if (parsed.success) {
    for (const { path, message } of templateFaults(parsed.data)) errors.push(places.tell(path, 'value', message));
    if (errors.length === 0) for (const { field, message } of faults(parsed.data)) errors.push(places.tell(pathOf(field), 'value', message));
    if (errors.length === 0) return { template: parsed.data, format };
  }
  return { errors: errors.slice(0, MAX_ERRORS) };
}

/** The declaration of XML must be the first thing of its text, and a line break before it is a common slip; lines count from the top all the same. */
function tdl(trimmed: string, text: string): { places: Places & { errors: FieldError[] }; value: Mapping | undefined } {
  const places = new TdlSource(trimmed, text.slice(0, text.length - trimmed.length));
  return { places, value: places.value };
}

/** What makes a text none that could be read, with its place. */
function wholeFault(text: string): string | undefined {
  if (text.length > MAX_LENGTH) return `is too long: a template may have ${MAX_LENGTH} characters. Fetch large files by a command, or have them in a package`;
  const bad = /[\0\uFFFD]|\p{Surrogate}/u.exec(text);
  if (!bad) return undefined;
  const lines = text.slice(0, bad.index).split('\n');
  const what = bad[0] === '\uFFFD' ? 'has bytes that are no UTF-8: save it as UTF-8' : textFault(bad[0]);
  return `line ${lines.length}, column ${lines.at(-1)!.length + 1}: ${what}${bad[0] === '\0' ? ', and save it as UTF-8' : ''}`;
}
