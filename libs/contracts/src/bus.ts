import { z } from 'zod';
import { instant, uuid } from './scalars.js';

/** The services of Berth; each is the one writer of its kinds. */
export const services = ['allocator', 'lease', 'host-agent-gateway', 'build-orchestrator', 'image-factory', 'console'] as const;
export type ServiceName = (typeof services)[number];

/** Kinds of aggregates, each written by exactly one service. */
export const writers = {
  machine: 'allocator',
  blueprint: 'allocator',
  fleet: 'allocator',
  resource: 'allocator',
  lease: 'lease',
  action: 'host-agent-gateway',
  secret: 'host-agent-gateway',
  hardware: 'host-agent-gateway',
  'hardware-group': 'host-agent-gateway',
  job: 'host-agent-gateway',
  plan: 'build-orchestrator',
  build: 'build-orchestrator',
  catalog: 'image-factory',
  image: 'image-factory',
  replication: 'image-factory',
  token: 'console',
  access: 'console',
  webhook: 'console',
} as const satisfies Record<string, ServiceName>;
export type Kind = keyof typeof writers;

/** A command as it travels on `berth.cmd.<service>.<type>`. */
export const commandEnvelope = z.object({
  id: uuid.describe('made by whoever asks; the same id twice has one effect'),
  type: z.string().min(1).max(64).describe('the command, as in the subject'),
  data: z.record(z.string(), z.unknown()).default({}),
  actor: z.string().max(128).optional().describe('who asks, as shown in the history'),
  after: z.number().int().nonnegative().optional().describe('position in BERTH_EVENTS that the receiver must have seen before it decides'),
  base: z.number().int().nonnegative().optional().describe('position in BERTH_EVENTS as of which whoever asks has read what this changes: refused when somebody has said that anew since'),
});
export type CommandEnvelope = z.infer<typeof commandEnvelope>;

/** One thing wrong with an input: where, and what to do about it. */
export const fieldError = z.object({ field: z.string(), message: z.string() });
export type FieldError = z.infer<typeof fieldError>;

/** What a command is answered with on its reply subject. */
export const answer = z.discriminatedUnion('accepted', [
  z.object({
    accepted: z.literal(true),
    id: z.string().describe('of what was made or changed'),
    position: z.number().int().optional().describe('in BERTH_EVENTS, of what the command wrote'),
    data: z.record(z.string(), z.unknown()).optional().describe('what some commands answer besides'),
  }),
  z.object({
    accepted: z.literal(false),
    code: z.string().describe('for programs'),
    message: z.string().describe('one sentence for people'),
    errors: z.array(fieldError).describe('what is wrong where'),
  }),
]);
export type Answer = z.infer<typeof answer>;
export type Refusal = Extract<Answer, { accepted: false }>;

/** A refusal: an expected "no", as data. */
export function rejected(code: RefusalCode, message: string, errors: FieldError[] = []): Refusal {
  return { accepted: false, code, message, errors };
}

/** Every code a refusal can carry, with the HTTP status it becomes and whether it is the asker's fault. */
export const refusals = {
  'invalid-json': 400,
  'invalid-command': 400,
  'unknown-command': 404,
  'invalid-data': 422,
  'invalid-plan': 422,
  'unknown-plan': 404,
  'unknown-build': 404,
  'unknown-lease': 404,
  'unknown-machine': 404,
  'unknown-action': 404,
  'unknown-blueprint': 404,
  'unknown-resource': 404,
  'unknown-token': 404,
  'unknown-webhook': 404,
  'unknown-secret': 404,
  'unknown-hardware': 404,
  'unknown-hardware-group': 404,
  'unknown-worker': 404,
  'unknown-job': 404,
  'unmanaged-worker': 404,
  'unpublished-task': 400,
  'unconfigured-task': 409,
  'job-live': 409,
  'job-ended': 409,
  'hardware-in-use': 409,
  'loan-live': 409,
  'no-loan': 409,
  'invalid-template': 422,
  'invalid-query': 422,
  'unknown-image': 404,
  'unknown-version': 404,
  'unknown-channel': 404,
  'unknown-provider': 404,
  'unknown-account': 404,
  'unknown-catalog-entry': 404,
  'unknown-policy': 404,
  'unbuildable-target': 422,
  'target-live': 409,
  'target-not-failed': 409,
  'target-not-built': 409,
  'target-not-there': 409,
  'version-live': 409,
  'version-not-complete': 409,
  'version-outdated': 409,
  'version-imported': 409,
  'version-revoked': 409,
  'version-not-revoked': 409,
  'version-disabled': 409,
  'version-deleted': 409,
  'version-in-use': 409,
  'test-failed': 409,
  'labels-frozen': 409,
  'push-live': 409,
  'not-pushed': 409,
  'no-version-before': 409,
  'channel-moved': 409,
  'channel-in-use': 409,
  'image-in-use': 409,
  'catalog-in-use': 409,
  'sealing-key-changed': 409,
  'no-new-key': 409,
  'name-taken': 409,
  'lease-ended': 409,
  'lease-not-active': 409,
  'build-ended': 409,
  'not-restartable': 409,
  'not-allowed': 403,
  'unknown-step': 404,
  'step-ended': 409,
  'step-not-over': 409,
  'blueprint-in-use': 409,
  'built-in': 409,
  'limit-in-use': 409,
  'stale-token': 409,
  unservable: 422,
  'provider-refused': 422,
  'machine-unreachable': 422,
  'machine-refused': 422,
  'host-key-changed': 422,
  'machine-changed': 409,
  'changed-meanwhile': 412,
  'path-outside': 422,
  'too-many-sessions': 429,
  unavailable: 503,
  unauthorized: 401,
  forbidden: 403,
  'rate-limited': 429,
  'not-found': 404,
} as const satisfies Record<string, number>;
export type RefusalCode = keyof typeof refusals;

/** One event inside a commit. */
export interface EventOf<T extends string, D> {
  type: T;
  data: D;
}

/** What one decision wrote: 1..n events, one message on `berth.evt.<kind>.<id>`. */
export interface Commit<E extends EventOf<string, unknown> = EventOf<string, unknown>> {
  /** Names the decision: the same id appended twice is stored once. */
  id: string;
  at: string;
  /** Who asked. */
  actor: string;
  /** The command that caused it. */
  cause: string;
  events: E[];
}
export const commitSchema = z.object({
  id: z.string().describe('names the decision: the same id is stored once'),
  at: instant.describe('when it was decided'),
  actor: z.string().describe('who asked'),
  cause: z.string().describe('id of the command or commit behind it'),
  events: z.array(z.object({ type: z.string(), data: z.unknown() })).min(1),
});

/** A commit as read back: with its place. `sequence` is the position in BERTH_EVENTS and the revision of its stream. */
export interface Recorded<E extends EventOf<string, unknown> = EventOf<string, unknown>> {
  kind: Kind;
  id: string;
  sequence: number;
  commit: Commit<E>;
  /** W3C `traceparent` of whoever stored it, where traces are on */
  trace?: string;
}

/** Subjects of the bus. */
export const subjects = {
  event: (kind: Kind, id: string) => `berth.evt.${kind}.${id}`,
  command: (service: ServiceName, type: string) => `berth.cmd.${service}.${type}`,
  output: (action: string) => `berth.out.${action}`,
  status: (kind: Kind, id: string) => `berth.status.${kind}.${id}`,
  dead: (service: string, type: string) => `berth.dead.${service}.${type}`,
  live: (action: string, channel: string, way: 'up' | 'down') => `berth.live.${action}.${channel}.${way}`,
} as const;

/** Headers of a chunk on `berth.out.<actionId>`; the body is the raw bytes, at most 64 KiB. */
export const outputHeaders = {
  /** `stdout` or `stderr` */
  stream: 'Berth-Stream',
  /** where in its stream the first byte stands */
  offset: 'Berth-Offset',
  /** how far stdout and stderr have come after this chunk: `<stdout bytes>,<stderr bytes>` */
  reached: 'Berth-Reached',
  /** of an empty chunk: so many bytes were left out from its offset on, because there were more than are kept */
  cut: 'Berth-Cut',
  /** when the gateway read it, RFC 3339 */
  time: 'Berth-Time',
} as const;

/** Headers of a dead letter on `berth.dead.<service>.<Type>`; the body is the command as it came. */
export const deadHeaders = {
  /** why it was given up */
  reason: 'Berth-Reason',
  /** where it had been sent */
  subject: 'Berth-Subject',
  /** how often it was tried; 1 for what can never be carried out */
  tries: 'Berth-Tries',
} as const;

/** Header of a command that was a dead letter: the sequence it had in BERTH_DEAD. */
export const RETRY_OF = 'Berth-Retry-Of';

/** A CloudEvents 1.0 message on `berth.status.<kind>.<id>`. */
export const statusEvent = z.object({
  specversion: z.literal('1.0'),
  id: z.string().describe('position in BERTH_EVENTS of what it tells'),
  source: z.string(),
  type: z.string(),
  subject: z.string(),
  time: instant,
  datacontenttype: z.literal('application/json'),
  data: z
    .object({
      id: z.string(),
      status: z.string(),
      percent: z.number().int().min(0).max(100).nullable(),
      activity: z.string().nullable(),
      error: z.string().nullable(),
    })
    .catchall(z.unknown()),
});
export type StatusEvent = z.infer<typeof statusEvent>;
