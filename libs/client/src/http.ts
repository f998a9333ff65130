import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { CommandInput, Explanation, Quota } from '@berth/contracts';
import type {
  ActionView, ArtifactView, BuildView, Health, HistoryEntry, LeaseExplanation, LeaseView, LiveEvent, MachineView, Page, PlanView,
} from './api.js';
import type { BlueprintView, CapacityView, OrphanView, QuotaView, ResourceView } from './api-fleet.js';
import { send, textOf, type Access, type Call } from './transport.js';
import { followBytes, followEvents } from './follow.js';
import { ProblemError } from './problem.js';

/** What a write is answered with: the id of what it made or changed. */
export interface Accepted {
  id: string;
}
export interface ListOptions {
  status?: string | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
}
export interface WriteOptions {
  /** a UUID; the same one twice has one effect */
  id?: string;
}
/** Bytes on their way, and what is known of them beforehand. */
export interface Download {
  /** of the whole, however much of it comes */
  bytes: number;
  /** the first byte that comes: 0 unless a part was asked for */
  start: number;
  sha256: string | null;
  stream: Readable;
}
export type LeaseInput = CommandInput<'lease', 'RequestLease'>;
/** What is asked of a resource besides leases: which of these have a reason or a time is said by the command of that name. */
export interface ServiceInput {
  /** such as 10m, or milliseconds */
  for?: string | number | undefined;
  reason?: string | undefined;
}
/** Ways to take a resource out of service and back, as in the path. */
export type ServiceVerb = 'quarantine' | 'end-quarantine' | 'hold' | 'end-hold' | 'drain' | 'end-drain' | 'release';
/** As of when: an RFC 3339 time or a position in BERTH_EVENTS. */
export interface AsOf {
  at?: string | undefined;
}
export type BerthHttp = ReturnType<typeof httpClient>;

/** The HTTP API, one call per route. Everything throws {@link ProblemError} for a "no". */
export function httpClient(access: Access) {
  async function json<T>(call: Call): Promise<T> {
    const text = await textOf(await send(access, call));
    try {
      return JSON.parse(text) as T;
    } catch (error) {
      throw new ProblemError(0, 'not-berth', `What answers at ${access.url} is not Berth (${(error as Error).message}): check BERTH_URL.`);
    }
  }
  const get = <T>(path: string, query: Call['query'] = {}, signal?: AbortSignal) => json<T>({ path, query, ...(signal && { signal }) });
  const write = <T = Accepted>(method: 'POST' | 'PUT' | 'DELETE', path: string, body: unknown, options: WriteOptions = {}, query: Call['query'] = {}) =>
    json<T>({ method, path, query, ...(body !== undefined && { body }), headers: { 'Idempotency-Key': options.id ?? randomUUID() } });
  const post = (path: string, body: unknown, options?: WriteOptions) => write('POST', path, body, options);
  const at = (...parts: string[]) => `api/v1/${parts.map(encodeURIComponent).join('/')}`;
  const download = async (call: Call): Promise<Download> => {
    const response = await send(access, call);
    const digest = /sha-256=:?([A-Za-z0-9+/=]+)/i.exec(String(response.headers['digest'] ?? ''))?.[1];
    const [, start, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers['content-range'] ?? '') ?? [];
    return { bytes: Number(total ?? response.headers['content-length']), start: Number(start ?? 0), sha256: digest ? Buffer.from(digest, 'base64').toString('hex') : null, stream: response };
  };

  return {
    access,
    health: () => json<Health>({ path: 'healthz', also: [503] }),
    machines: {
      list: () => get<Page<MachineView>>(at('machines')),
      get: (name: string) => get<MachineView>(at('machines', name)),
      add: (machine: CommandInput<'allocator', 'AddMachine'>, options?: WriteOptions) => post(at('machines'), machine, options),
      remove: (name: string, options?: WriteOptions) => write('DELETE', at('machines', name), undefined, options),
      /** Takes its host out of service, or back. */
      service: (name: string, verb: ServiceVerb, input: ServiceInput = {}, options?: WriteOptions) => post(at('machines', name, verb), input, options),
    },
    blueprints: {
      list: () => get<Page<BlueprintView>>(at('blueprints')),
      get: (name: string) => get<BlueprintView>(at('blueprints', name)),
      /** Saves a blueprint as its next version; `check` asks its provider whether it could launch. */
      save: (name: string, spec: unknown, options: WriteOptions & { check?: boolean } = {}) =>
        write<Accepted & { name: string; version: number | null }>('PUT', at('blueprints', name), spec, options, { check: options.check === false ? false : undefined }),
      remove: (name: string, options?: WriteOptions) => write('DELETE', at('blueprints', name), undefined, options),
      enable: (name: string, options?: WriteOptions) => post(at('blueprints', name, 'enable'), {}, options),
      disable: (name: string, reason?: string, options?: WriteOptions) => post(at('blueprints', name, 'disable'), { reason }, options),
    },
    resources: {
      list: (options: { blueprint?: string | undefined; type?: string | undefined; status?: string | undefined } = {}) => get<Page<ResourceView>>(at('resources'), { ...options }),
      get: (id: string) => get<ResourceView>(at('resources', id)),
      /** Takes it out of service, or back. */
      service: (id: string, verb: ServiceVerb, input: ServiceInput = {}, options?: WriteOptions) => post(at('resources', id, verb), input, options),
    },
    capacity: (by?: string) => get<CapacityView>(at('capacity'), { by }),
    quota: {
      get: () => get<QuotaView>(at('quota')),
      /** Replaces all limits: read, change, put. */
      set: (quota: Quota, options?: WriteOptions) => write('PUT', at('quota'), quota, options),
    },
    orphans: () => get<Page<OrphanView>>(at('orphans')),
    leases: {
      list: (options: ListOptions = {}) => get<Page<LeaseView>>(at('leases'), { ...options }),
      get: (id: string) => get<LeaseView>(at('leases', id)),
      request: (lease: LeaseInput, options?: WriteOptions) => post(at('leases'), lease, options),
      /** What would become of a request; makes nothing. */
      consider: (lease: LeaseInput) => json<Explanation>({ method: 'POST', path: at('leases'), query: { dryRun: true }, body: lease }),
      /** Why it waits, or waited; asked of the allocator while it waits and no time is given. */
      explanation: (id: string, { at: asOf }: AsOf = {}) => get<LeaseExplanation>(at('leases', id, 'explanation'), { at: asOf }),
      /** Its holder lives: of a lease with a ttl. */
      beat: (id: string, options?: WriteOptions) => post(at('leases', id, 'beat'), {}, options),
      prioritize: (id: string, priority: number, options?: WriteOptions) => post(at('leases', id, 'priority'), { priority }, options),
      /** Keeps its host as it is, for debugging; the id that comes back is that of the resource. */
      hold: (id: string, input: ServiceInput, options?: WriteOptions) => post(at('leases', id, 'hold'), input, options),
      renew: (id: string, until: string, options?: WriteOptions) => post(at('leases', id, 'renew'), { until }, options),
      release: (id: string, reason?: string, options?: WriteOptions) => post(at('leases', id, 'release'), { reason }, options),
      /** Starts a command on the leased resource; the id that comes back is that of the action. */
      exec: (id: string, command: { command: string; env?: Record<string, string>; timeout?: string }, options?: WriteOptions) => post(at('leases', id, 'exec'), command, options),
      /** Puts a file into the folder of the lease; resolves when it is there. */
      put: (id: string, path: string, body: Readable, options: WriteOptions & { mode?: number; length?: number } = {}) =>
        json<ActionView>({
          method: 'POST',
          path: at('leases', id, 'put'),
          query: { path, mode: options.mode?.toString(8) },
          body,
          type: 'application/octet-stream',
          headers: { 'Idempotency-Key': options.id ?? randomUUID(), ...(options.length !== undefined && { 'Content-Length': String(options.length) }) },
        }),
      /** Gets a file out of the folder of the lease. */
      fetch: (id: string, path: string): Promise<Download> => download({ method: 'POST', path: at('leases', id, 'get'), body: { path } }),
    },
    plans: {
      list: () => get<Page<PlanView>>(at('plans')),
      get: (name: string) => get<PlanView>(at('plans', name)),
      apply: (source: string, options: WriteOptions = {}) =>
        json<Accepted & { version: number | null }>({
          method: 'POST',
          path: at('plans'),
          body: source,
          type: 'application/yaml',
          headers: { 'Idempotency-Key': options.id ?? randomUUID() },
        }),
    },
    builds: {
      list: (options: ListOptions & { plan?: string } = {}) => get<Page<BuildView>>(at('builds'), { ...options }),
      get: (id: string, options: { signal?: AbortSignal } = {}) => get<BuildView>(at('builds', id), {}, options.signal),
      request: (build: CommandInput<'build-orchestrator', 'RequestBuild'>, options?: WriteOptions) => post(at('builds'), build, options),
      /** Why the lease waits, or waited, that the build needs. */
      explanation: (id: string, { at: asOf }: AsOf = {}) => get<LeaseExplanation>(at('builds', id, 'explanation'), { at: asOf }),
      abort: (id: string, reason?: string, options?: WriteOptions) => post(at('builds', id, 'abort'), { reason }, options),
      /** What its steps print, in order; with `follow` until the build has ended, across lost connections. */
      log: (id: string, options: { follow?: boolean; signal?: AbortSignal } = {}) => followBytes(access, at('builds', id, 'log'), options),
      artifacts: (id: string) => get<Page<ArtifactView>>(at('builds', id, 'artifacts')),
      /** Its bytes; with `rest` those that are missing of what one has of that version, or all when it is another by now. */
      artifact: (id: string, name: string, { rest, signal }: { rest?: { from: number; sha256: string }; signal?: AbortSignal } = {}) =>
        download({ path: at('builds', id, 'artifacts', ...name.split('/')), ...(rest && { headers: { Range: `bytes=${rest.from}-`, 'If-Range': `"${rest.sha256}"` } }), ...(signal && { signal }) }),
    },
    actions: {
      get: (id: string) => get<ActionView>(at('actions', id)),
      /** Ends a running command; its outcome is then `cancelled`, unless it was faster. */
      cancel: (id: string, reason?: string, options?: WriteOptions) => post(at('actions', id, 'cancel'), { reason }, options),
      log: (id: string, options: { follow?: boolean; stream?: 'stdout' | 'stderr'; signal?: AbortSignal } = {}) => followBytes(access, at('actions', id, 'log'), options),
    },
    /** Every event of the thing with that id, whatever kind it is; of a build also those of what it used. */
    history: (id: string) => get<Page<HistoryEntry>>(at('history', id)),
    /** The live feed, across lost connections; `id` of each is where to go on. */
    events: (options: { after?: string | undefined; kinds?: string[]; ids?: string[]; signal?: AbortSignal } = {}): AsyncGenerator<LiveEvent & { position: string }, void, undefined> =>
      followEvents(access, at('events'), options),
    projections: {
      /** Lines that tell how far it is; the last one says that it is done. */
      async *rebuild(): AsyncGenerator<string, void, undefined> {
        const response = await send(access, { method: 'POST', path: at('projections', 'rebuild') });
        let rest = '';
        for await (const chunk of response) {
          const lines = (rest + (chunk as Buffer).toString('utf8')).split('\n');
          rest = lines.pop()!;
          yield* lines;
        }
        if (rest) yield rest;
      },
    },
  };
}
