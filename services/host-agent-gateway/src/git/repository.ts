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

/** This machine itself: what is sent there is on no wire. */
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * Environment in which git shows a token to the repository's host, and to no other. It is in no argument of a process and in
 * no file: git asks a helper of our own, which is in the environment too, and none that might remember it.
 * @throws HostError `invalid-value` for a repository that is not reached over HTTPS
 */
export function tokenEnvironment(repository: string, token: string): Record<string, string> {
  const wrong = (why: string): HostError => invalid(`A secret cannot be used for the repository '${withoutSecrets(repository)}': ${why}.`);
  const url = URL.canParse(repository) ? new URL(repository) : undefined;
  if (url?.protocol !== 'https:' && !(url?.protocol === 'http:' && LOOPBACK.test(url.hostname))) throw wrong('it is given over HTTPS alone; write its URL with https://');
  if (/[\0-\x1f\x7f]/.test(token)) throw wrong('it is to be a token, and has a control character or a line break in it');
  return {
    BERTH_GIT_USER: decodeURIComponent(url.username) || 'x-access-token',
    BERTH_GIT_TOKEN: token,
    GIT_CONFIG_COUNT: '2',
    // An empty one takes away all that the user of the host has configured.
    GIT_CONFIG_KEY_0: 'credential.helper',
    GIT_CONFIG_VALUE_0: '',
    GIT_CONFIG_KEY_1: `credential.${url.protocol}//${url.host}.helper`,
    GIT_CONFIG_VALUE_1: '!f() { [ "$1" != get ] || printf "username=%s\\npassword=%s\\n" "$BERTH_GIT_USER" "$BERTH_GIT_TOKEN"; }; f',
  };
}
