import type { ConnectionOptions } from 'nats';
import { inboxPrefixOf } from './permissions.js';

/** Files for TLS: the authority that the server is checked against, and the certificate and key that we show it. */
export interface TlsFiles {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** Names of users that can stand in a subject as they are. */
const PLAIN = /^[\w-]+$/;

/**
 * What a URL such as `nats://user:password@host:4222` or `tls://host:4222` says, as the client wants it: it reads neither the
 * login nor the scheme by itself, and would connect without either. Answers come to inboxes under the user's own prefix.
 *
 * @param files with any of them, TLS is spoken whatever the scheme says
 */
export function addressOptions(url: string, files: TlsFiles = {}): Pick<ConnectionOptions, 'servers' | 'user' | 'pass' | 'token' | 'tls' | 'inboxPrefix'> {
  const { protocol, username, password, host } = new URL(url);
  const user = decodeURIComponent(username);
  const login = user === '' ? {} : password === '' ? { token: user } : { user, pass: decodeURIComponent(password) };
  const secured = protocol === 'tls:' || Object.keys(files).length > 0;
  return { servers: host, ...login, ...('user' in login && PLAIN.test(user) && { inboxPrefix: inboxPrefixOf(user) }), ...(secured && { tls: { ...files } }) };
}

/** The URL with a login in it. */
export function withLogin(url: string, user: string, password: string): string {
  const address = new URL(url);
  address.username = encodeURIComponent(user);
  address.password = encodeURIComponent(password);
  return address.href;
}

/** The URL as it may be shown: without what is secret in it. */
export function shownAddress(url: string): string {
  return url.replace(/\/\/[^@/]*@/, (login) => (login.includes(':') ? `${login.slice(0, login.indexOf(':'))}:***@` : '//***@'));
}
