import { connectLocal } from './local.js';
import { connectSsh } from './ssh.js';
import type { HostSpec, Transport } from './transport.js';

/** How each kind of transport is opened. A new kind is one file and one line here. */
const OPENERS = {
  ssh: (host) => connectSsh(host),
  local: (host) => connectLocal(host),
} satisfies Record<HostSpec['transport'], (host: HostSpec) => Promise<Transport>>;

/**
 * Opens a connection to a host.
 * @throws HostError `unreachable`, `auth-failed`, `host-key-changed`, `credential-invalid`, `invalid-value`, `channel-refused`
 */
export function connect(host: HostSpec): Promise<Transport> {
  return OPENERS[host.transport](host);
}
