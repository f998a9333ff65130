import { PassThrough, type Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { HostError, messageOf } from './errors.js';
import type { Conversation, ConversationSpec, HostSpec } from './transport.js';

const SIGNALS: Record<string, number> = { HUP: 1, INT: 2, QUIT: 3, ABRT: 6, KILL: 9, SEGV: 11, PIPE: 13, TERM: 15 };

/** A command on a channel of its own, with a pseudo-terminal or without one. */
export function sshConversation(client: Client, { command, terminal }: ConversationSpec, done: (error: Error | undefined, talk: Conversation | undefined) => void): void {
  const pty = terminal && { term: terminal.term, cols: terminal.columns, rows: terminal.rows, width: 0, height: 0 };
  client.exec(command, pty ? { pty } : {}, (error, stream) => {
    if (error) return done(error, undefined);
    let code: number | undefined;
    stream.on('exit', (exit: number | null, signal?: string) => {
      code = exit ?? 128 + (SIGNALS[signal?.replace(/^SIG/, '') ?? ''] ?? 0);
    });
    // Writing to a program that ended meanwhile fails; that it ended is told below.
    stream.on('error', () => undefined);
    const ended = new Promise<number | undefined>((resolve) => stream.once('close', () => resolve(code)));
    done(undefined, {
      input: stream,
      out: stream,
      err: terminal ? new PassThrough().end() : stream.stderr,
      resize: ({ columns, rows }) => stream.setWindow(rows, columns, 0, 0),
      ended,
      hangUp() {
        stream.close();
        stream.resume();
        stream.stderr.resume();
      },
    });
  });
}

/** SSH_OPEN_ADMINISTRATIVELY_PROHIBITED, RFC 4254. */
const PROHIBITED = 1;

/** A TCP connection made by the host's SSH server. */
export function sshDial(client: Client, host: HostSpec, address: string, port: number, done: (error: Error | undefined, socket: Duplex | undefined) => void): void {
  client.forwardOut('127.0.0.1', 0, address, port, (error, stream) => {
    if (!error) return done(undefined, stream);
    const prohibited = (error as Error & { reason?: number }).reason === PROHIBITED;
    const message = prohibited
      ? `Host ${host.id} forwards no connections: see AllowTcpForwarding in its sshd_config.`
      : `Nothing can be reached at ${address}:${port} from host ${host.id} (${messageOf(error)}): check that something listens there.`;
    done(new HostError('connect-refused', message, { cause: error }), undefined);
  });
}
