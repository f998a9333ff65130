import type { FastifyReply, FastifyRequest } from 'fastify';
import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { TooLargeError } from '@berth/artifacts';
import type { ActionView } from '@berth/client';
import { duration, fieldErrors, insidePath, refusedVariable, summary, type FieldError } from '@berth/contracts';
import { transferBucket } from '@berth/nats';
import type { Runtime } from '@berth/runtime';
import type { Objects } from '../live/objects.js';
import type { Ends } from '../live/ends.js';
import { pour } from '../live/pour.js';
import { actionView, type ActionRow } from '../views/action.js';
import type { Reads } from '../views/reads.js';
import type { Commands } from './commands.js';
import { HttpProblem, notFound } from './problem.js';

type Absent = 'not-found' | 'machine-refused';

/** Largest file that goes to or from a host over HTTP. */
const MAX_FILE = 1024 ** 3;

/** What is done with a leased resource by hand: commands and files. Each is an action of the gateway. */
export class HostWork {
  constructor(
    private readonly runtime: Runtime,
    private readonly reads: Reads,
    private readonly commands: Commands,
    private readonly objects: Objects,
    private readonly ends: Ends,
  ) {}

  /** Starts a command; resolves with the id of its action. */
  async exec(lease: string, body: Record<string, unknown>, id: string): Promise<string> {
    const token = await this.tokenOf(lease);
    const { command, env, timeout } = body;
    refuseVariables(env);
    const timeoutMs = timeout === undefined ? undefined : valid('timeout', duration.safeParse(timeout));
    await this.run(lease, token, { kind: 'run-command', command, ...(env !== undefined && { env }), ...(timeoutMs !== undefined && { timeoutMs }) }, id);
    return id;
  }

  /** Begins a terminal or a forward, which is then talked to; resolves with the id of its action. */
  async begin(lease: string, kind: 'terminal' | 'forward', body: Record<string, unknown>, id: string): Promise<string> {
    await this.run(lease, await this.tokenOf(lease), { ...body, kind }, id);
    return id;
  }

  /** Has a leased service stopped, and started again unless it is to stay so; resolves with the id of the action. */
  async service(lease: string, start: boolean, id: string): Promise<string> {
    const token = await this.tokenOf(lease);
    await this.commands.send('allocator', 'RestartService', { lease, token, start }, id);
    return id;
  }

  /** What is in a folder, or what one path is. */
  async look(lease: string, type: 'ListFiles' | 'StatFile', what: Record<string, unknown>, id: string): Promise<Record<string, unknown>> {
    const token = await this.tokenOf(lease);
    return (await this.commands.send('host-agent-gateway', type, { lease, token, ...what }, id)).data;
  }

  /** Does something with a path, and waits until it is done. */
  async change(lease: string, spec: { kind: 'remove-file' | 'make-folder'; path: string | undefined; recursive?: boolean }, request: FastifyRequest, id: string): Promise<ActionView> {
    const path = pathInside(spec.path);
    await this.run(lease, await this.tokenOf(lease), { ...spec, path }, id);
    return actionView(await this.end(id, request, 'not-found'));
  }

  /** Stores the body, has it put on the host, and waits until it is there. */
  async put(lease: string, path: string | undefined, mode: string | undefined, request: FastifyRequest, id: string): Promise<ActionView> {
    const inside = pathInside(path);
    if (mode !== undefined && !/^0?[0-7]{3}$/.test(mode)) throw new HttpProblem('invalid-data', 'The file is refused: mode is not an octal number.', [{ field: 'mode', message: 'must be three octal digits such as 644' }]);
    const body = request.body as Readable | undefined;
    if (typeof body !== 'object' || !('pipe' in body)) throw new HttpProblem('unsupported-media-type', 'The bytes of the file must be sent as application/octet-stream.');
    const token = await this.tokenOf(lease);
    try {
      await this.objects.put(transferBucket, id, body, MAX_FILE);
    } catch (error) {
      if (error instanceof TooLargeError) throw new HttpProblem('too-large', `The file is too large: at most ${error.maxBytes} bytes.`);
      throw error;
    }
    return this.afterwards(id, async () => {
      await this.run(lease, token, { kind: 'put-file', path: inside, object: id, ...(mode !== undefined && { mode: Number.parseInt(mode, 8) }) }, id);
      return actionView(await this.end(id, request));
    });
  }

  /** Has a file brought from the host, sends it, and keeps nothing of it. */
  async fetch(lease: string, path: unknown, id: string, reply: FastifyReply, absent?: Absent): Promise<void> {
    const inside = pathInside(path);
    const token = await this.tokenOf(lease);
    await this.afterwards(id, async () => {
      await this.run(lease, token, { kind: 'get-file', path: inside, object: id }, id);
      await this.end(id, reply.request, absent);
      const object = await this.objects.open(transferBucket, id);
      if (!object) throw new HttpProblem('internal', 'The file was brought from the host and is gone: ask for it again.');
      const headers = { 'Content-Type': 'application/octet-stream', ...fileHeaders(posix.basename(inside), object) };
      await pour(reply, headers, (signal) => object.read(undefined, signal), this.runtime.log);
    });
  }

  /** The fencing token of an active lease. */
  private async tokenOf(lease: string): Promise<number> {
    const row = await this.reads.currentLease(lease);
    if (!row) throw notFound('unknown-lease', `lease ${JSON.stringify(lease)}`, '/api/v1/leases');
    if (row.status === 'active') return row.token!;
    const code = row.status === 'pending' || row.status === 'acquired' ? 'lease-not-active' : 'lease-ended';
    throw new HttpProblem(code, `The lease is ${row.status}: it can be used only while it is active.`, [{ field: 'lease', message: `is ${row.status}` }]);
  }

  private async run(lease: string, token: number, spec: Record<string, unknown>, id: string): Promise<void> {
    try {
      await this.commands.send('host-agent-gateway', 'RunAction', { lease, token, spec }, id);
    } catch (error) {
      // What the asker sent is the spec: its fields have no `spec.` before them.
      if (error instanceof HttpProblem) for (const fault of error.errors) fault.field = fault.field.replace(/^spec\./, '');
      throw error;
    }
  }

  /** @param absent what it is called that nothing is at the path: of what has a URL of its own, that there is no such thing */
  private async end(id: string, request: FastifyRequest, absent: Absent = 'machine-refused'): Promise<ActionRow> {
    const gone = new AbortController();
    const leave = () => gone.abort();
    request.raw.socket.once('close', leave);
    try {
      const action = await this.ends.ofAction(id, gone.signal);
      if (action.status === 'succeeded') return action;
      const code = action.code === 'path-outside' || action.code === 'stale-token' || (action.code === 'not-found' && absent === 'not-found') ? action.code : 'machine-refused';
      throw new HttpProblem(code, `The host did not do it: ${action.error ?? action.status}.`, [{ field: 'path', message: action.error ?? action.status }]);
    } finally {
      request.raw.socket.off('close', leave);
    }
  }

  /** The object was only on its way: it goes, whatever happened. */
  private async afterwards<T>(object: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      await this.objects.delete(transferBucket, object).catch((error: unknown) => this.runtime.log.warn({ error, object }, 'a file on its way could not be removed'));
    }
  }
}

/** Headers of a file that is sent whole. */
export function fileHeaders(name: string, object: { bytes: number; sha256?: string }): Record<string, string | number> {
  return {
    'Content-Length': object.bytes,
    ...(object.sha256 !== undefined && { Digest: `sha-256=${Buffer.from(object.sha256, 'hex').toString('base64')}`, ETag: `"${object.sha256}"` }),
    'Content-Disposition': attachment(name),
  };
}

/** Says under which name to save what is sent. */
export const attachment = (name: string): string => `attachment; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)}`;

function pathInside(path: unknown): string {
  const parsed = insidePath.safeParse(path);
  if (parsed.success) return parsed.data;
  const errors = fieldErrors(parsed.error, 'path');
  const outside = typeof path === 'string' && path !== '';
  throw new HttpProblem(outside ? 'path-outside' : 'invalid-data', `The file is refused: ${summary(errors)}`, errors);
}

/** Names of variables with a power of their own, which only who wrote the command may set. */
function refuseVariables(env: unknown): void {
  const names = typeof env === 'object' && env !== null ? Object.keys(env) : [];
  const errors = names.flatMap((name) => {
    const message = refusedVariable(name);
    return message === undefined ? [] : [{ field: `env.${name}`, message }];
  });
  if (errors[0]) throw new HttpProblem('invalid-data', `The command is refused: ${errors[0].message}.`, errors);
}

function valid<T>(field: string, parsed: { success: true; data: T } | { success: false; error: Parameters<typeof fieldErrors>[0] }): T {
  if (parsed.success) return parsed.data;
  const errors: FieldError[] = fieldErrors(parsed.error, field);
  throw new HttpProblem('invalid-data', `The command is refused: ${summary(errors)}`, errors);
}
