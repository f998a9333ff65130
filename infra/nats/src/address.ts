import type { ConnectionOptions } from 'nats';

/**
 * What a URL such as `nats://user:password@host:4222` or `tls://host:4222` says, as the client wants it: it reads neither the
 * login nor the scheme by itself, and would connect without either.
 */
export function addressOptions(url: string): Pick<ConnectionOptions, 'servers' | 'user' | 'pass' | 'token' | 'tls'> {
  const { protocol, username, password, host } = new URL(url);
  const login = username === '' ? {} : password === '' ? { token: decodeURIComponent(username) } : { user: decodeURIComponent(username), pass: decodeURIComponent(password) };
  return { servers: host, ...login, ...(protocol === 'tls:' && { tls: {} }) };
}

/** The URL as it may be shown: without what is secret in it. */
export function shownAddress(url: string): string {
  return url.replace(/\/\/[^@/]*@/, (login) => (login.includes(':') ? `${login.slice(0, login.indexOf(':'))}:***@` : '//***@'));
}
