import { HostError } from '../transports/errors.js';

/** The URL as it may be shown: without a password or token in it. */
export function withoutSecrets(repository: string): string {
  return repository.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1');
}

/** @throws HostError `invalid-value` for what is no repository, or would make git run something */
export function checkedRepository(repository: string): string {
  const wrong = (why: string): HostError => invalid(`The repository '${withoutSecrets(repository)}' ${why}.`);
  if (/[\0-\x1f\x7f]/.test(repository)) throw wrong('has a control character in it');
  if (repository.startsWith('-')) throw wrong('starts with - and would be an option');
  if (/^[a-z][a-z0-9+.-]*::/i.test(repository)) throw wrong('asks for a transport program, which is not allowed');
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(repository)?.[1]?.toLowerCase();
  if (scheme !== undefined) {
    if (!['file', 'git', 'http', 'https', 'ssh'].includes(scheme)) throw wrong(`has the scheme ${scheme}; file, git, http, https and ssh are allowed`);
  } else if (!repository.startsWith('/') && !/^[^/:\s]+:[^:]/.test(repository)) {
    throw wrong('is neither a URL nor an absolute path on the host');
  }
  return repository;
}

/** The parts of git's own rules for ref names that also keep a value from being an option, a range or another syntax. */
export function checkedRef(ref: string): string {
  if (ref === '' || ref.startsWith('-') || ref.startsWith('/') || /[\0-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|\.lock$|[./]$/.test(ref)) {
    throw invalid(`'${ref.replace(/[\0-\x1f\x7f]/g, '?')}' cannot be a branch, tag or commit.`);
  }
  return ref;
}

export function invalid(message: string): HostError {
  return new HostError('invalid-value', message);
}
