import type { DeliveryView, WebhookInput, WebhookTest, WebhookView } from './api-webhooks.js';
import { randomUUID } from 'node:crypto';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { CommandInput, Explanation, Quota } from '@berth/contracts';
import type {
  ActionLogLine, ActionView, ArtifactView, BuildLogGroup, BuildLogLine, BuildView, FileView, Health, HistoryEntry, LeaseExplanation, LeaseView, LiveEvent, LogGroup, MachineView, Page, PlanView,
} from './api.js';
import type { HardwareDocument, HardwareDocumentInput, HardwareGroupView, HardwareImport, HardwareQuery, HardwareView } from './api-hardware.js';
import type { JobInput, JobQuery, JobTaskView, JobTicket, JobView, WorkerParts } from './api-jobs.js';
import type { AuditEntry, MeView, NewToken, SignInLink, SignInWays, TokenView } from './api-access.js';
import type { BlueprintView, CapacityView, MachineTest, OrphanView, QuotaView, ResourceView, SecretView } from './api-fleet.js';
import type { DeadLetterRetry, DeadLetterView, DoctorFinding } from './api-operations.js';
import type { ArtifactQuery, BlueprintQuery, BuildQuery, HistoryQuery, LeaseQuery, MachineQuery, MomentView, PageOptions, PlanQuery, ProjectionView, ResourceQuery, TimelineView, UsageQuery, UsageView } from './api-lists.js';
import { send, textOf, type Access, type Call } from './transport.js';
import { followBytes, followEvents, logQuery, type LogOptions } from './follow.js';
import { imageCalls } from './http-images.js';
import { joinSession, type SessionInput } from './live.js';
import { ProblemError } from './problem.js';
import type { Accepted, ValidPlan } from './schemas.js';

/** Of a read. */
export interface ReadOptions {
  /** a position, such as that of a write's answer: answered once it is shown, refused with `not-yet` when that takes too long */
  after?: number | undefined;
}
/** How a list of things with a status is asked for. */
export interface ListOptions extends PageOptions {
  status?: string | undefined;
}
export interface WriteOptions {
  /** a UUID; the same one twice has one effect */
  id?: string;
  /** how long to wait for what was begun to come to rest, such as 30s, at most 1m: `settled` and `status` of the answer say how it is then */
  wait?: string | undefined;
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
/** What is looked for in a log. */
export interface LogSearch {
  /** plain text, inside of one line */
  text: string;
  ignoreCase?: boolean | undefined;
  limit?: number | undefined;
  /** of the page before */
  cursor?: string | undefined;
}
/** What a token is made from. */
export type TokenInput = Omit<CommandInput<'console', 'CreateToken'>, 'sha256'>;
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
type Tail<T extends unknown[]> = T extends [unknown, unknown, ...infer R] ? R : never;
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
  const write = <T = Accepted>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body: unknown, options: WriteOptions = {}, query: Call['query'] = {}) =>
    json<T>({ method, path, query: { ...query, wait: options.wait }, ...(body !== undefined && { body }), headers: { 'Idempotency-Key': options.id ?? randomUUID() } });
  const bare = (path: string, options: WriteOptions = {}, query: Call['query'] = {}) => json<JobTicket>({ method: 'POST', path, query, bare: true, headers: { 'Idempotency-Key': options.id ?? randomUUID() } });
  const post = (path: string, body: unknown, options?: WriteOptions) => write('POST', path, body, options);
  const at = (...parts: string[]) => `api/v1/${parts.map(encodeURIComponent).join('/')}`;
  const download = async (call: Call): Promise<Download> => {
    const response = await send(access, call);
    const digest = /sha-256=:?([A-Za-z0-9+/=]+)/i.exec(String(response.headers['digest'] ?? ''))?.[1];
    const [, start, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers['content-range'] ?? '') ?? [];
    return { bytes: Number(total ?? response.headers['content-length']), start: Number(start ?? 0), sha256: digest ? Buffer.from(digest, 'base64').toString('hex') : null, stream: response };
  };
  /** A body, taken out of its compression; fails when it does not come whole. */
  const unpacked = async (call: Call): Promise<Readable> => {
    const response = await send(access, { ...call, headers: { ...call.headers, 'Accept-Encoding': 'gzip' } });
    return response.headers['content-encoding'] === 'gzip' ? pipeline(response, createGunzip(), () => undefined) : response;
  };

  /** What a write tells while it goes on, a line at a time. */
  async function* lines(path: string): AsyncGenerator<string, void, undefined> {
    let rest = '';
    for await (const chunk of await send(access, { method: 'POST', path })) {
      const whole = (rest + (chunk as Buffer).toString('utf8')).split('\n');
      rest = whole.pop()!;
      yield* whole;
    }
    if (rest) yield rest;
  }

  return {
    access,
    health: () => json<Health>({ path: 'healthz', also: [503] }),
    /** What Prometheus reads, as it reads it. */
    metrics: async () => textOf(await send(access, { path: 'metrics' })),
    machines: {
      list: (options: MachineQuery = {}) => get<Page<MachineView>>(at('machines'), { ...options }),
      get: (name: string, options: ReadOptions = {}) => get<MachineView>(at('machines', name), { ...options }),
      add: (machine: CommandInput<'allocator', 'AddMachine'>, options?: WriteOptions) => post(at('machines'), machine, options),
      /** Looks at one as enrolling it would; keeps nothing. */
      test: (machine: Omit<CommandInput<'allocator', 'AddMachine'>, 'name'>) => json<MachineTest>({ method: 'POST', path: at('machines', 'test'), body: machine }),
      /** Changes what is said of one: what is left out stays, null takes away. */
      change: (name: string, changes: Omit<CommandInput<'allocator', 'ChangeMachine'>, 'name'>, options?: WriteOptions) => write('PATCH', at('machines', name), changes, options),
      remove: (name: string, options?: WriteOptions) => write('DELETE', at('machines', name), undefined, options),
      /** Takes its host out of service, or back. */
      service: (name: string, verb: ServiceVerb, input: ServiceInput = {}, options?: WriteOptions) => post(at('machines', name, verb), input, options),
    },
    secrets: {
      list: () => get<Page<SecretView>>(at('secrets')),
      /** The value, byte for byte. */
      set: (name: string, value: Uint8Array, options: WriteOptions = {}) =>
        json<Accepted>({ method: 'PUT', path: at('secrets', name), body: value, type: 'application/octet-stream', headers: { 'Idempotency-Key': options.id ?? randomUUID() } }),
      remove: (name: string, options?: WriteOptions) => write('DELETE', at('secrets', name), undefined, options),
      /** Encrypts all of them under a new key. */
      rotate: (options?: WriteOptions) => write<Accepted & { secrets: number }>('POST', at('secrets', 'rotate'), undefined, options),
    },
    blueprints: {
      list: (options: BlueprintQuery = {}) => get<Page<BlueprintView>>(at('blueprints'), { ...options }),
      get: (name: string, options: ReadOptions = {}) => get<BlueprintView>(at('blueprints', name), { ...options }),
      /** Saves a blueprint as its next version; `check` asks its provider whether it could launch. */
      save: (name: string, spec: unknown, options: WriteOptions & { check?: boolean } = {}) =>
        write<Accepted & { name: string; version: number | null }>('PUT', at('blueprints', name), spec, options, { check: options.check === false ? false : undefined }),
      remove: (name: string, options?: WriteOptions) => write('DELETE', at('blueprints', name), undefined, options),
      enable: (name: string, options?: WriteOptions) => post(at('blueprints', name, 'enable'), {}, options),
      disable: (name: string, reason?: string, options?: WriteOptions) => post(at('blueprints', name, 'disable'), { reason }, options),
    },
    resources: {
      list: (options: ResourceQuery = {}) => get<Page<ResourceView>>(at('resources'), { ...options }),
      get: (id: string, options: ReadOptions = {}) => get<ResourceView>(at('resources', id), { ...options }),
      /** Takes it out of service, or back. */
      service: (id: string, verb: ServiceVerb, input: ServiceInput = {}, options?: WriteOptions) => post(at('resources', id, verb), input, options),
    },
    capacity: (by?: string, options: ReadOptions = {}) => get<CapacityView>(at('capacity'), { by, ...options }),
    quota: {
      get: (options: ReadOptions = {}) => get<QuotaView>(at('quota'), { ...options }),
      /** Replaces all limits: read, change, put. */
      set: (quota: Quota, options?: WriteOptions) => write('PUT', at('quota'), quota, options),
    },
    /** Where statuses are sent, for those who can't listen on the bus. */
    webhooks: {
      list: () => get<Page<WebhookView>>(at('webhooks')),
      get: (name: string) => get<WebhookView>(at('webhooks', name)),
      /** Saves one; `key` is there when its name is new, and is not shown again. */
      save: (name: string, webhook: WebhookInput, options?: WriteOptions) => write<Accepted & { name: string; key?: string }>('PUT', at('webhooks', name), webhook, options),
      remove: (name: string, options?: WriteOptions) => write('DELETE', at('webhooks', name), undefined, options),
      suspend: (name: string, reason?: string, options?: WriteOptions) => post(at('webhooks', name, 'suspend'), { reason }, options),
      resume: (name: string, options?: WriteOptions) => post(at('webhooks', name, 'resume'), {}, options),
      /** Signs with another key, which is in the answer and not shown again. */
      rotateKey: (name: string, options?: WriteOptions) => write<Accepted & { name: string; key: string }>('POST', at('webhooks', name, 'rotate-key'), {}, options),
      /** Sends one event that says nothing, at once, and tells what became of it. */
      test: (name: string) => json<WebhookTest>({ method: 'POST', path: at('webhooks', name, 'test') }),
      deliveries: (name: string) => get<Page<DeliveryView>>(at('webhooks', name, 'deliveries')),
    },
    orphans: (options: PageOptions = {}) => get<Page<OrphanView>>(at('orphans'), { ...options }),
    leases: {
      list: (options: LeaseQuery = {}) => get<Page<LeaseView>>(at('leases'), { ...options }),
      get: (id: string, options: ReadOptions = {}) => get<LeaseView>(at('leases', id), { ...options }),
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
      /** The same as {@link fetch}; nothing at the path is `not-found`. */
      read: (id: string, path: string): Promise<Download> => download({ path: at('leases', id, 'files', 'content'), query: { path } }),
      /** What is in a folder of the lease's folder, by name. */
      files: (id: string, path = '.', options: { limit?: number | undefined; cursor?: string | undefined } = {}) => get<Page<FileView>>(at('leases', id, 'files'), { path, ...options }),
      /** What one path is; a link is not followed. */
      stat: (id: string, path: string) => get<FileView>(at('leases', id, 'files', 'stat'), { path }),
      /** Removes a file, a link or a folder; resolves when it is gone. */
      removeFile: (id: string, path: string, options: WriteOptions & { recursive?: boolean | undefined } = {}) => write<ActionView>('DELETE', at('leases', id, 'files'), undefined, options, { path, recursive: options.recursive }),
      /** Makes a folder, with those above it. */
      makeFolder: (id: string, path: string, options?: WriteOptions) => write<ActionView>('POST', at('leases', id, 'files', 'folder'), {}, options, { path }),
      /** Stops a leased service, and starts it again unless it is to stay so; the id that comes back is that of the action. */
      service: (id: string, verb: 'restart' | 'stop', options?: WriteOptions) => post(at('leases', id, 'service', verb), {}, options),
      /** Begins a terminal; the id that comes back is that of its action, which is then joined. */
      terminal: (id: string, terminal: SessionInput<'terminal'>, options?: WriteOptions) => post(at('leases', id, 'terminal'), terminal, options),
      /** Begins a forward; each connection through it, and whoever keeps it, joins its action. */
      forward: (id: string, to: SessionInput<'forward'>, options?: WriteOptions) => post(at('leases', id, 'forward'), to, options),
    },
    plans: {
      list: (options: PlanQuery = {}) => get<Page<PlanView>>(at('plans'), { ...options }),
      get: (name: string, options: ReadOptions = {}) => get<PlanView>(at('plans', name), { ...options }),
      apply: (source: string, options: WriteOptions = {}) =>
        json<Accepted & { version: number | null }>({
          method: 'POST',
          path: at('plans'),
          body: source,
          type: 'application/yaml',
          headers: { 'Idempotency-Key': options.id ?? randomUUID() },
        }),
      /** Reads a plan and saves nothing. */
      validate: (source: string) => json<ValidPlan>({ method: 'POST', path: at('plans', 'validate'), body: source, type: 'application/yaml' }),
    },
    builds: {
      list: (options: BuildQuery = {}) => get<Page<BuildView>>(at('builds'), { ...options }),
      /** As it is; with `generation` as it was when that one ended. */
      get: (id: string, { signal, ...query }: ReadOptions & { generation?: number | undefined; signal?: AbortSignal } = {}) => get<BuildView>(at('builds', id), { ...query }, signal),
      request: (build: CommandInput<'build-orchestrator', 'RequestBuild'>, options?: WriteOptions) => post(at('builds'), build, options),
      /** Why the lease waits, or waited, that the build needs. */
      explanation: (id: string, { at: asOf }: AsOf = {}) => get<LeaseExplanation>(at('builds', id, 'explanation'), { at: asOf }),
      abort: (id: string, reason?: string, options?: WriteOptions) => post(at('builds', id, 'abort'), { reason }, options),
      /** No further step begins until `resume`. */
      pause: (id: string, reason?: string, options?: WriteOptions) => post(at('builds', id, 'pause'), { reason }, options),
      resume: (id: string, options?: WriteOptions) => post(at('builds', id, 'resume'), {}, options),
      /** A new generation of it; one that is under way is ended first. */
      restart: (id: string, input: { host?: 'any' | 'same' | 'other'; reason?: string } = {}, options?: WriteOptions) => post(at('builds', id, 'restart'), input, options),
      /** Runs a step that is over once more, with all that build on it. */
      rerun: (id: string, step: string, reason?: string, options?: WriteOptions) => post(at('builds', id, 'steps', step, 'rerun'), { reason }, options),
      /** Reports on a step that waits for a message, or decides on one that waits for an approval. */
      message: (id: string, step: string, message: { type: 'pass' | 'fail' | 'work'; text?: string; outputs?: Record<string, string>; by?: string }, options?: WriteOptions) =>
        post(at('builds', id, 'steps', step, 'messages'), message, options),
      /** What its steps print, in order; with `follow` until the build has ended, across lost connections. */
      log: (id: string, options: Omit<LogOptions, 'stream'> = {}) => followBytes(access, at('builds', id, 'log'), options),
      /** The same as a file, compressed on its way. */
      downloadLog: (id: string, options: Omit<LogOptions, 'stream' | 'follow'> = {}) => unpacked({ path: at('builds', id, 'log'), query: { ...logQuery(options), download: true } }),
      logGroups: (id: string) => get<Page<BuildLogGroup>>(at('builds', id, 'log', 'groups')),
      /** Lines that have a text, of all steps or one. */
      search: (id: string, { text, ...more }: LogSearch & { step?: string | undefined }) => get<Page<BuildLogLine>>(at('builds', id, 'log', 'search'), { q: text, ...more }),
      /** Adds an artifact that is elsewhere. */
      link: (id: string, artifact: { name: string; uri: string; type?: ArtifactView['type']; by?: string }, options?: WriteOptions) => post(at('builds', id, 'artifacts'), artifact, options),
      /** Adds a file. */
      attach: (id: string, name: string, body: Readable, options: WriteOptions & { type?: ArtifactView['type']; length?: number } = {}) =>
        json<Accepted>({
          method: 'POST',
          path: at('builds', id, 'artifacts'),
          query: { name, type: options.type },
          body,
          type: 'application/octet-stream',
          headers: { 'Idempotency-Key': options.id ?? randomUUID(), ...(options.length !== undefined && { 'Content-Length': String(options.length) }) },
        }),
      /** A pinned artifact is kept whatever its plan says. */
      pin: (id: string, name: string, pinned: boolean, options?: WriteOptions) => post(at('builds', id, 'artifacts', 'pin'), { name, pinned }, options),
      /** Removes an artifact. */
      drop: (id: string, name: string, options?: WriteOptions) => write('DELETE', at('builds', id, 'artifacts', ...name.split('/')), undefined, options),
      artifacts: (id: string, options: ArtifactQuery = {}) => get<Page<ArtifactView>>(at('builds', id, 'artifacts'), { ...options }),
      /** Its bytes; with `rest` those that are missing of what one has of that version, or all when it is another by now. */
      artifact: (id: string, name: string, { rest, signal }: { rest?: { from: number; sha256: string }; signal?: AbortSignal } = {}) =>
        download({ path: at('builds', id, 'artifacts', ...name.split('/')), ...(rest && { headers: { Range: `bytes=${rest.from}-`, 'If-Range': `"${rest.sha256}"` } }), ...(signal && { signal }) }),
    },
    /** Hardware jobs: what is done with machines from outside of them. */
    jobs: {
      list: (options: JobQuery = {}) => get<Page<JobView>>(at('jobs'), { ...options }),
      get: (id: string, options: ReadOptions = {}) => get<JobView>(at('jobs', id), { ...options }),
      /** What can be asked for, and who may. */
      tasks: () => get<Page<JobTaskView>>(at('job-tasks')),
      /** Asks for one on a machine; the id that comes back is that of the job. */
      request: (machine: string, job: JobInput, options?: WriteOptions) => post(at('machines', machine, 'jobs'), job, options),
      /** The same on the machine that runs a worker, in the form that other controllers have. */
      requestOn: (worker: string, task: string, options?: WriteOptions) => bare(at('jobs'), options, { tc_worker_id: worker, task_name: task }),
      /** The same where its id is not enough to tell a worker from others, or more is to be said than the task. */
      requestOnOneOf: (worker: string, task: string, { group, type, provisioner, softLimit, hardLimit, ...more }: WorkerParts & Partial<Omit<JobInput, 'task'>>, options?: WriteOptions) =>
        bare(at('workers', worker, 'jobs'), options, { task_name: task, worker_group: group, worker_type: type, provisioner_id: provisioner, soft_limit: softLimit, hard_limit: hardLimit, ...more }),
      requestInGroup: (worker: string, group: string, task: string, options?: WriteOptions) => bare(at('workers', worker, 'group', group, 'jobs'), options, { task_name: task }),
      cancel: (id: string, reason?: string, options?: WriteOptions) => post(at('jobs', id, 'cancel'), { reason }, options),
      /** What happens to one, from its beginning on, across lost connections; it goes on after the job has ended. */
      events: (id: string, options: { after?: string | undefined; signal?: AbortSignal } = {}): AsyncGenerator<LiveEvent & { position: string }, void, undefined> => followEvents(access, at('jobs', id, 'events'), options),
      /** The installation of a machine that is being reimaged has finished. */
      installed: (machine: string, hostKey?: string, options?: WriteOptions) => post(at('machines', machine, 'installed'), { hostKey }, options),
    },
    /** Machines as hardware: how they are reached when their operating system is not. */
    hardware: {
      list: (options: HardwareQuery = {}) => get<Page<HardwareView>>(at('hardware'), { ...options }),
      get: (name: string, options: ReadOptions = {}) => get<HardwareView>(at('hardware', name), { ...options }),
      set: (name: string, hardware: Omit<CommandInput<'host-agent-gateway', 'SetHardware'>, 'name'>, options?: WriteOptions) => write<Accepted & { name: string }>('PUT', at('hardware', name), hardware, options),
      remove: (name: string, options?: WriteOptions) => write('DELETE', at('hardware', name), undefined, options),
      /** A person has done a step of a loan; steps are counted from 0. */
      loanStep: (name: string, step: number, options?: WriteOptions) => post(at('hardware', name, 'loan', 'steps', String(step)), {}, options),
      export: () => get<HardwareDocument>(at('hardware', 'export')),
      /** Makes all be what the document says, and tells what that changes; with `dryRun` it only tells. */
      import: (document: HardwareDocumentInput, { dryRun, prune, ...options }: WriteOptions & { dryRun?: boolean; prune?: boolean } = {}) =>
        write<HardwareImport>('POST', at('hardware', 'import'), document, options, { dryRun: dryRun || undefined, prune: prune || undefined }),
    },
    hardwareGroups: {
      list: (options: PageOptions = {}) => get<Page<HardwareGroupView>>(at('hardware-groups'), { ...options }),
      get: (name: string, options: ReadOptions = {}) => get<HardwareGroupView>(at('hardware-groups', name), { ...options }),
      set: (name: string, group: Omit<CommandInput<'host-agent-gateway', 'SetHardwareGroup'>, 'name'>, options?: WriteOptions) => write<Accepted & { name: string }>('PUT', at('hardware-groups', name), group, options),
      remove: (name: string, options?: WriteOptions) => write('DELETE', at('hardware-groups', name), undefined, options),
    },
    ...imageCalls({ get, write, at, download }),
    actions: {
      get: (id: string, options: ReadOptions = {}) => get<ActionView>(at('actions', id), { ...options }),
      /** Ends a running command; its outcome is then `cancelled`, unless it was faster. */
      cancel: (id: string, reason?: string, options?: WriteOptions) => post(at('actions', id, 'cancel'), { reason }, options),
      /** Joins a terminal or a forward. */
      join: (id: string, ...more: Tail<Parameters<typeof joinSession>>) => joinSession(access, at('actions', id, 'live'), ...more),
      log: (id: string, options: Omit<LogOptions, 'step'> = {}) => followBytes(access, at('actions', id, 'log'), options),
      logGroups: (id: string) => get<Page<LogGroup>>(at('actions', id, 'log', 'groups')),
      search: (id: string, { text, ...more }: LogSearch) => get<Page<ActionLogLine>>(at('actions', id, 'log', 'search'), { q: text, ...more }),
    },
    schemas: {
      /** JSON Schema of plans, for editors. */
      plan: () => get<Record<string, unknown>>(at('schemas', 'plan.json')),
    },
    /** The HTTP API itself, as OpenAPI 3.1. */
    openApi: () => get<Record<string, unknown>>(at('openapi.json')),
    /** Who has used what. */
    usage: (query: UsageQuery & ReadOptions = {}) => get<UsageView>(at('usage'), { ...query }),
    /** The same as comma-separated values. */
    usageCsv: async (query: UsageQuery = {}) => textOf(await send(access, { path: at('usage.csv'), query: { ...query } })),
    /** The whole fleet as it was: at a time or position, or now. */
    fleet: (query: AsOf & ReadOptions & { limit?: number | undefined } = {}) => get<MomentView>(at('fleet'), { ...query }),
    /** How busy it was, in stretches of time. */
    timeline: (query: ReadOptions & { from?: string | undefined; to?: string | undefined; buckets?: number | undefined } = {}) => get<TimelineView>(at('timeline'), { ...query }),
    /** Every event of the thing with that id, whatever kind it is; of a build also those of what it used. */
    history: (id: string, options: HistoryQuery = {}) => get<Page<HistoryEntry>>(at('history', id), { ...options }),
    /** The live feed, across lost connections; `id` of each is where to go on. */
    events: (options: { after?: string | undefined; kinds?: string[]; ids?: string[]; signal?: AbortSignal } = {}): AsyncGenerator<LiveEvent & { position: string }, void, undefined> =>
      followEvents(access, at('events'), options),
    /** Who asks, and what that may do. */
    me: () => get<MeView>(at('me')),
    tokens: {
      list: () => get<Page<TokenView>>(at('tokens')),
      get: (name: string) => get<TokenView>(at('tokens', name)),
      /** The one time that its secret is shown. */
      create: (token: TokenInput, options?: WriteOptions) => write<NewToken>('POST', at('tokens'), token, options),
      revoke: (name: string, options?: WriteOptions) => write('DELETE', at('tokens', name), undefined, options),
    },
    /** How a browser can be signed in; asked without a token. */
    signInWays: () => get<SignInWays>(at('session', 'ways')),
    /** A link that signs a browser in as whoever asks: once, and within an hour. */
    loginLink: () => json<SignInLink>({ method: 'POST', path: at('session', 'links'), body: {} }),
    /** Who did what and who was refused what, the newest first. */
    audit: (options: { what?: AuditEntry['what'] | undefined; actor?: string | undefined; limit?: number | undefined; cursor?: string | undefined } = {}) => get<Page<AuditEntry>>(at('audit'), { ...options }),
    /** What the services see that is wrong, or that it is well. */
    doctor: (options: { signal?: AbortSignal } = {}) => get<Page<DoctorFinding>>(at('doctor'), {}, options.signal),
    /** Commands that could not be carried out. */
    deadLetters: {
      list: (options: Omit<ListOptions, 'status'> & { service?: string | undefined; type?: string | undefined } = {}) => get<Page<DeadLetterView>>(at('dead-letters'), { ...options }),
      get: (id: string) => get<DeadLetterView>(at('dead-letters', id)),
      /** Sends it to its service once more. */
      retry: (id: string, options?: WriteOptions) => write<DeadLetterRetry>('POST', at('dead-letters', id, 'retry'), {}, options),
      drop: (id: string, options?: WriteOptions) => write('DELETE', at('dead-letters', id), undefined, options),
    },
    projections: {
      list: () => get<Page<ProjectionView>>(at('projections')),
      /** Makes one anew. Lines that tell how far it is; the last one says that it is done. */
      rebuild: (name: string) => lines(at('projections', name, 'rebuild')),
      /** The same of all. */
      rebuildAll: () => lines(at('projections', 'rebuild')),
    },
  };
}
