import type { FieldError } from '@berth/contracts';
import type { Problem } from '@berth/client';

/** A "no" of the API (RFC 9457), or of the way to it (`status` 0). */
export class ProblemError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly errors: readonly FieldError[] = [],
    readonly explanation?: Problem['explanation'],
  ) {
    super(message);
    this.name = 'ProblemError';
  }

  /** What is wrong with one field, if anything is; `nested` counts what is wrong inside it too. */
  of(field: string, nested = false): string | undefined {
    return this.errors.find((error) => error.field === field || (nested && /^[.[]/.test(error.field.slice(field.length)) && error.field.startsWith(field)))?.message;
  }
}

/** Reads the "no" of a response. */
export async function problemOf(response: Response): Promise<ProblemError> {
  const text = await response.text();
  try {
    const problem = JSON.parse(text) as Partial<Problem>;
    if (typeof problem.code === 'string') return new ProblemError(response.status, problem.code, problem.detail ?? problem.title ?? problem.code, problem.errors ?? [], problem.explanation);
  } catch {
    // Not of Berth: a proxy in front of it, say. Told below.
  }
  return new ProblemError(response.status, 'not-berth', `The answer is not Berth's (HTTP ${response.status}): a proxy in between may be refusing it.`);
}
