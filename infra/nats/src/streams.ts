import { DiscardPolicy, ErrorCode, RetentionPolicy, StorageType, type JetStreamManager, type NatsError, type StreamConfig } from 'nats';

const seconds = (n: number) => n * 1_000_000_000;
const days = (n: number) => seconds(n * 86_400);
const GiB = 1024 ** 3;

type Declared = Partial<StreamConfig> & Pick<StreamConfig, 'name' | 'subjects'>;

/**
 * The streams of the bus, as data; {@link applyStreams} makes a server agree with it. Only features of nats-server 2.9,
 * the oldest that a supported system ships.
 */
export const streams = {
  /** The truth. Kept whole, in one total order: its sequence is the position of everything. */
  events: {
    name: 'BERTH_EVENTS',
    subjects: ['berth.evt.>'],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    deny_delete: true,
    deny_purge: true,
    allow_direct: true,
    duplicate_window: seconds(120),
  },
  /**
   * Work queue. `no_ack`: the server sends no acknowledgement of its own, so the first thing that an asker hears on its
   * reply subject is the answer of the service, which says more: the effect is stored, or refused and why (ADR 2).
   */
  commands: {
    name: 'BERTH_COMMANDS',
    subjects: ['berth.cmd.>'],
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
    no_ack: true,
    max_age: days(7),
    duplicate_window: seconds(120),
  },
  /** Commands that could not be carried out, with the reason in the headers. */
  dead: {
    name: 'BERTH_DEAD',
    subjects: ['berth.dead.>'],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    max_age: days(30),
    max_bytes: GiB / 4,
    discard: DiscardPolicy.Old,
  },
  /** What commands print, in chunks. */
  output: {
    name: 'BERTH_OUTPUT',
    subjects: ['berth.out.*'],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    max_age: days(30),
    max_bytes: 4 * GiB,
    discard: DiscardPolicy.Old,
    allow_direct: true,
    duplicate_window: seconds(120),
  },
  /** What was sent to webhooks, and what became of it: of each the last tries. */
  deliveries: {
    name: 'BERTH_DELIVERIES',
    subjects: ['berth.hook.*'],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    // A hundred webhooks at most, some hundred bytes a try: needs no limit of bytes, which would be set aside at once.
    max_msgs_per_subject: 200,
    max_age: days(7),
    discard: DiscardPolicy.Old,
    allow_direct: true,
  },
  /** The present, for frontends: the last message of each subject. */
  status: {
    name: 'BERTH_STATUS',
    subjects: ['berth.status.*.*'],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    max_msgs_per_subject: 1,
    max_age: days(30),
    allow_direct: true,
    duplicate_window: seconds(120),
  },
} as const satisfies Record<string, Declared>;

/** Object store bucket of artifacts; its stream is `OBJ_berth-artifacts`. */
export const artifactBucket = 'berth-artifacts';
/** Object store bucket of files on their way to or from a host. */
export const transferBucket = 'berth-transfers';

/** JetStream error 10058: a stream of that name exists with another configuration. */
const STREAM_NAME_IN_USE = 10058;
/** JetStream error 10047: the server has not that much room to set aside. */
const INSUFFICIENT_STORAGE = 10047;
const LEAST_BYTES = 16 * 1024 ** 2;

/** JetStream error 10065: another stream has one of the subjects. */
const SUBJECTS_OVERLAP = 10065;
/** JetStream error 10059. */
const STREAM_NOT_FOUND = 10059;

/**
 * Brings a stream that is there up to date; false when there is none. Room that was found too large for the disk before stays
 * as small as it was made. Who may only look gets by as long as there is nothing to change.
 */
async function fitted(manager: JetStreamManager, config: Declared): Promise<boolean> {
  try {
    const present = (await manager.streams.info(config.name)).config;
    const declared = config.max_bytes ?? -1;
    const wanted = declared > 0 && present.max_bytes > 0 && present.max_bytes < declared ? { ...config, max_bytes: present.max_bytes } : config;
    if (!isAs(present, wanted)) await manager.streams.update(config.name, wanted);
    return true;
  } catch (error) {
    if ((error as NatsError).api_error?.err_code === STREAM_NOT_FOUND) return false;
    throw error;
  }
}

const isAs = (present: StreamConfig, wanted: Declared): boolean =>
  (Object.keys(wanted) as (keyof Declared)[]).every((key) => JSON.stringify(present[key]) === JSON.stringify(wanted[key]));

/**
 * Creates or updates every stream; safe to call from many services at once and again.
 *
 * @param replicas copies of each stream in a cluster (1 on a single server)
 * @throws the server's error when a stream exists with a setting that can't be changed; one that says what to do when there
 * is something to change and the user of the connection may not
 */
export async function applyStreams(manager: JetStreamManager, replicas = 1): Promise<void> {
  await Promise.all(
    Object.values(streams).map((declared: Declared) =>
      applyStream(manager, { ...declared, num_replicas: replicas }).catch((error: unknown) => {
        if ((error as NatsError).code !== (ErrorCode.PermissionsViolation as string)) throw error;
        throw new Error(`the stream ${declared.name} is not there as this version wants it, and this user of the bus may not change it: run \`node infra/nats/dist/apply.js\` once with the login of admin in NATS_URL`, { cause: error });
      }),
    ),
  );
}

async function applyStream(manager: JetStreamManager, config: Declared): Promise<void> {
  for (;;) {
    // Asked first: for one that is there, a full disk would be the answer before its name is looked at.
    if (await fitted(manager, config)) return;
    try {
      await manager.streams.add(config);
      return;
    } catch (error) {
      const code = (error as NatsError).api_error?.err_code;
      if (code === STREAM_NAME_IN_USE) continue; // another service was quicker
      // Also that, in the moment between the name and its subjects; a stream of somebody else's is not ours to use.
      if (code === SUBJECTS_OVERLAP && (await fitted(manager, config))) return;
      // The server sets the room aside at once; on a small disk a smaller window of output is better than no start.
      if (code !== INSUFFICIENT_STORAGE || (config.max_bytes ?? 0) < 2 * LEAST_BYTES) throw error;
      config.max_bytes = Math.floor(config.max_bytes! / 2);
    }
  }
}
