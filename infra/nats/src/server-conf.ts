/** What a nats-server of ours is told. Paths are absolute; `port` 0 lets the server take any free one. */
export interface ServerConf {
  readonly host: string;
  readonly port: number;
  /** Folder of the JetStream files. */
  readonly storeDir: string;
  /** Bytes JetStream may use on disk; without it the server takes three quarters of what is free. */
  readonly maxFileStore?: number;
  /** Largest message in bytes; 1 MiB unless told. Output chunks (64 KiB) and commits fit with room. */
  readonly maxPayload?: number;
  readonly pidFile?: string;
  readonly logFile?: string;
  /** Where the server writes the addresses it really listens on, the only safe way to learn a free port. */
  readonly portsDir?: string;
  readonly serverName?: string;
  /** Port for browsers, which speak WebSocket; absent: there is none, 0: any free one. Without TLS: on loopback, or behind a proxy. */
  readonly websocketPort?: number;
  readonly sync?: SyncPolicy;
  /** What `authorization` wrote; without it the server asks nobody who they are. */
  readonly authorization?: string;
}

/**
 * When JetStream calls fsync.
 *
 * - `default`: the acknowledgement means that the message was written to the file, which the operating system may still
 *   hold in memory; the server calls fsync in the background every two minutes (traced on 2.9.10; later ones say the same).
 *   Losing the nats-server process (SIGKILL, out of memory) loses nothing that was acknowledged. Losing the machine
 *   (power, kernel) may lose whatever was acknowledged in the last two minutes.
 * - `always`: fsync before each acknowledgement. Losing the machine loses nothing that was acknowledged; each publish
 *   costs one fsync of the disk. Exists from nats-server 2.10 on: 2.9.10 answers `unknown field "sync_interval"`.
 *
 * With three replicas on three machines `default` loses something only when a majority of them fails within the interval.
 */
export type SyncPolicy = 'default' | 'always';

/** Whether a server of this version (`2.9.10`, `v2.10.4`) knows `sync: 'always'`. */
export function supportsSyncAlways(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return major > 2 || (major === 2 && minor >= 10);
}

/** The configuration file's text for one server with JetStream. */
export function serverConf(conf: ServerConf): string {
  const top: [string, string | number | undefined][] = [
    ['server_name', quoted(conf.serverName)],
    ['host', quoted(conf.host)],
    // -1 is the server's own word for "any free port"; 0 would mean 4222.
    ['port', conf.port === 0 ? -1 : conf.port],
    ['max_payload', conf.maxPayload ?? 1024 * 1024],
    ['pid_file', quoted(conf.pidFile)],
    ['log_file', quoted(conf.logFile)],
    ['ports_file_dir', quoted(conf.portsDir)],
  ];
  const jetstream: [string, string | number | undefined][] = [
    ['store_dir', quoted(conf.storeDir)],
    ['max_file_store', conf.maxFileStore],
    ['sync_interval', conf.sync === 'always' ? 'always' : undefined],
  ];
  return `${[...lines(top, ''), 'jetstream {', ...lines(jetstream, '  '), '}', ''].join('\n')}${websocket(conf)}${conf.authorization ?? ''}`;
}

function websocket({ host, websocketPort: port }: ServerConf): string {
  return port === undefined ? '' : `websocket {\n  host: ${quoted(host)}\n  port: ${port === 0 ? -1 : port}\n  no_tls: true\n}\n`;
}

function lines(entries: readonly [string, string | number | undefined][], indent: string): string[] {
  return entries.filter(([, value]) => value !== undefined).map(([key, value]) => `${indent}${key}: ${value}`);
}

/** The server reads `$x` outside quotes as a variable and takes C-like escapes inside them: JSON's are a subset. */
function quoted(text: string | undefined): string | undefined {
  return text === undefined ? undefined : JSON.stringify(text);
}
