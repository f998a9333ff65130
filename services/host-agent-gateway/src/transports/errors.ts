/**
 * What can go wrong between us and a host, as a value that a caller can switch on.
 *
 * - `unreachable`         nothing answers at that address (refused, timeout, name not found, not an SSH server)
 * - `auth-failed`         the host answers and does not let this user in with this key
 * - `host-key-changed`    the host shows another key than the pinned one; nothing was sent to it
 * - `credential-invalid`  the credential reference cannot be read here
 * - `connection-lost`     there was a connection and it ended while something was under way
 * - `channel-refused`     connected, but the host opens no further channel, shell or SFTP subsystem
 * - `not-found`, `permission-denied`, `already-exists`, `file-failed`   answers about one path
 * - `path-outside`        a path leaves the folder it is confined to
 * - `invalid-value`       a value that can never be right (a NUL byte, an option where a name belongs)
 * - `host-fault`          the host's own tools failed (no folder could be made, no answer from its shell)
 * - `shell`               the host has no such shell
 * - `still-running`       processes were told to end and did not
 */
export type HostErrorCode =
  | 'unreachable'
  | 'auth-failed'
  | 'host-key-changed'
  | 'credential-invalid'
  | 'connection-lost'
  | 'channel-refused'
  | 'not-found'
  | 'permission-denied'
  | 'already-exists'
  | 'file-failed'
  | 'path-outside'
  | 'invalid-value'
  | 'host-fault'
  | 'shell'
  | 'still-running';

/** One clear sentence naming the host (or path) and, where there is one, the way out; `code` is for programs. */
export class HostError extends Error {
  override readonly name = 'HostError';
  constructor(
    readonly code: HostErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** True when trying again later, without anybody changing anything, can help. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof HostError)) return false;
  return error.code === 'unreachable' || error.code === 'connection-lost' || error.code === 'channel-refused';
}

/** The code of an action that failed of this. */
export const codeOf = ({ code }: HostError): string => (code === 'connection-lost' ? 'unreachable' : code);

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
