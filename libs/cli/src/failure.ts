import { CommanderError } from 'commander';
import { ProblemError } from '@berth/client';
import type { FieldError } from '@berth/contracts';

/** Exit codes: done; refused or failed; used wrongly. */
export const OK = 0;
export const FAILED = 1;
export const USAGE = 2;

/** A command that ended with something other than success, told already or to be told. */
export class Failure extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly errors: FieldError[] = [],
    readonly exitCode: number = FAILED,
  ) {
    super(message);
  }
}

/** Ends with an exit code and says nothing more: the result has been shown. */
export class Exit extends Error {
  constructor(readonly exitCode: number) {
    super(`exit ${exitCode}`);
  }
}

/** Any error as a failure; the one place where errors become exit codes. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof ProblemError) return new Failure(error.code, error.message, error.errors);
  if (error instanceof CommanderError) return new Failure('usage', error.message.replace(/^error: /, ''), [], USAGE);
  const { code, message } = error as NodeJS.ErrnoException;
  return new Failure(typeof code === 'string' && /^E[A-Z]+$/.test(code) ? 'file' : 'internal', message);
}
