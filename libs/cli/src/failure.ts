import { CommanderError } from 'commander';
import { ProblemError } from '@berth/client';
import type { Explanation, FieldError } from '@berth/contracts';

/** Exit codes: done; refused or failed; used wrongly. */
export const OK = 0;
export const FAILED = 1;
export const USAGE = 2;
/** `image status --exit-code`: nothing is decided yet. */
export const UNDER_WAY = 3;
/** Ctrl-C: what was begun goes on, or was given back, as the command says. */
export const INTERRUPTED = 130;

/** A command that ended with something other than success, told already or to be told. */
export class Failure extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly errors: FieldError[] = [],
    readonly exitCode: number = FAILED,
    /** of a request that can't be served: what was looked at */
    readonly explanation?: Explanation,
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

/** Lists of the API whose command is called otherwise. */
const lists: Readonly<Record<string, string>> = {
  'hardware-groups': 'hardware groups', hardware: 'hardware list', versions: 'image list --versions', channels: 'image channel list', providers: 'image list --providers', accounts: 'image list --accounts', environments: 'image list --environments',
  pools: 'image list --pools', catalogs: 'image list --catalogs', deployables: 'image list --deployables', 'warehouse/objects': 'image warehouse list', 'warehouse/policies': 'image warehouse policy list',
};

/** Where the API shows a list, so does a command, which mostly has the same name. */
const here = (message: string): string => message.replace(/\/api\/v1\/([a-z/-]+) shows/, (said, list: string) => (Object.hasOwn(lists, list) ? `\`berth ${lists[list]!}\` shows` : /^[a-z]+s$/.test(list) ? `\`berth ${list.slice(0, -1)} list\` shows` : said));

/** Any error as a failure; the one place where errors become exit codes. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof ProblemError) return new Failure(error.code, here(error.message), error.errors, FAILED, error.explanation);
  if (error instanceof CommanderError) return new Failure('usage', error.message.replace(/^error: /, ''), [], USAGE);
  const { code, message } = error as NodeJS.ErrnoException;
  return new Failure(typeof code === 'string' && /^E[A-Z]+$/.test(code) ? 'file' : 'internal', message);
}
