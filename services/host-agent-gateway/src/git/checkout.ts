import { shQuote } from '../runner/quote.js';
import { CHECKOUT } from './checkout-text.js';
import { ONE } from './prepare-text.js';
import { checkedRef, checkedRepository, invalid, withoutSecrets } from './repository.js';

/** A repository that is put into a folder which is there already. */
export interface CheckoutRequest {
  /** Folder below the working copy; absent = the working copy itself. */
  path?: string | undefined;
  repository: string;
  ref?: string | undefined;
  /** Commits of history; absent = all of it. */
  depth?: number | undefined;
  submodules: 'no' | 'yes' | 'recursive';
  lfs: boolean;
  /** It is given a token. */
  secret?: string | undefined;
}

export type CheckoutFault = 'git-missing' | 'repository-unreachable' | 'ref-missing' | 'folder-failed' | 'lfs-missing' | 'repository-missing' | 'access-denied' | 'network';

const FAULTS = new Map<number, CheckoutFault>([
  [70, 'git-missing'],
  [71, 'repository-unreachable'],
  [72, 'ref-missing'],
  [73, 'folder-failed'],
  [75, 'lfs-missing'],
  [76, 'repository-missing'],
  [77, 'access-denied'],
  [78, 'network'],
]);

/** What a checkout came to; `notes` are sentences about what went otherwise than asked. */
export type CheckoutResult = { ok: true; path: string; commit: string; notes: string[] } | { ok: false; code: CheckoutFault; message: string };

/**
 * The script that puts a repository into a folder below `root`, the absolute folder of the lease. Where a clone of the same
 * repository is there, its files become those of the ref, and what git does not know stays; where something else is, it is refused.
 * @throws HostError `invalid-value` for a value that could be taken for an option or is no repository or ref at all
 */
export function checkoutScript(root: string, request: CheckoutRequest): string {
  const { depth } = request;
  const below = folderOf(request.path);
  const repository = checkedRepository(request.repository);
  const hint = request.secret === undefined ? ': give its token as a secret, or add a key on the host' : `: the secret ${request.secret} is not accepted there`;
  return `set +e
root=${shQuote(root)}
below=${shQuote(below)}
where=${shQuote(below === '' ? 'of the working copy' : below)}
repo=${shQuote(repository)}
ref=${shQuote(request.ref === undefined ? '' : checkedRef(request.ref))}
shown=${shQuote(withoutSecrets(repository))}
label=
hint=${shQuote(hint)}
depth=${depth === undefined ? '' : Number(depth)}
submodules=${shQuote(request.submodules)}
lfs=${request.lfs ? '1' : ''}
${ONE}${CHECKOUT}`;
}

/** Reads what the script came to from its exit code and output. */
export function checkoutResult(code: number, stdout: string, stderr: string): CheckoutResult {
  const commit = /^berth-commit ([0-9a-f]{40,64})$/m.exec(stdout)?.[1];
  const path = /^berth-path (.*)$/m.exec(stdout)?.[1];
  if (code === 0 && commit !== undefined && path !== undefined) return { ok: true, path, commit, notes: [...stdout.matchAll(/^berth-note (.*)$/gm)].map(([, note]) => note ?? '') };
  const said = stderr.trim().split(/\r?\n/).slice(-4).join(' ');
  return { ok: false, code: FAULTS.get(code) ?? 'folder-failed', message: said || `The checkout failed with exit code ${code}.` };
}

/** The folder of a checkout below the working copy, its path made plain. @throws HostError `invalid-value` */
export function folderOf(path: string | undefined): string {
  const parts = (path ?? '').split('/').filter((part) => part !== '' && part !== '.');
  if (parts.some((part) => part === '..' || part.toLowerCase() === '.git')) throw invalid(`'${path}' cannot be a folder for a checkout: it goes up, or into .git.`);
  return parts.join('/');
}
