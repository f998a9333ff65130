import type { z } from 'zod';
import type { FieldError } from './bus.js';
import './faults.js';

/** Zod's findings as field errors: a path such as `steps[0].run`, and a sentence. */
export function fieldErrors(error: z.ZodError, prefix = ''): FieldError[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === 'invalid_union') {
      const nearest = nearestBranch(issue.errors);
      if (nearest) return nearest.map((inner) => ({ field: join(prefix, [...issue.path, ...inner.path]), message: sentence(inner) }));
    }
    return [{ field: join(prefix, issue.path), message: sentence(issue) }];
  });
}

/** Of the branches of a union, the one that the input missed by least: that is what its author meant. */
function nearestBranch(branches: z.core.$ZodIssue[][]): z.core.$ZodIssue[] | undefined {
  // A branch for another type of value altogether was not meant, however much is wrong with the others.
  const one = (i: z.core.$ZodIssue) => (i.code === 'unrecognized_keys' ? i.keys.length : i.code === 'invalid_type' && i.path.length === 0 ? 1000 : 1);
  const weight = (issues: z.core.$ZodIssue[]) => issues.reduce((sum, issue) => sum + one(issue), 0);
  return [...branches].sort((a, b) => weight(a) - weight(b))[0];
}

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `unknown key ${issue.keys.map((k) => JSON.stringify(k)).join(', ')}: remove it or correct its spelling`;
  // What is wrong with a key is said of the key.
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? issue.message;
  return issue.message;
}

function join(prefix: string, path: PropertyKey[]): string {
  let text = prefix;
  for (const part of path) text += typeof part === 'number' ? `[${part}]` : `${text ? '.' : ''}${String(part)}`;
  return text || '(the whole)';
}

/** One sentence from several field errors, with its full stop. */
export function summary(errors: FieldError[]): string {
  const text = errors.map((e) => `${e.field}: ${e.message}`).join('; ');
  return /[.?!]$/.test(text) ? text : `${text}.`;
}
