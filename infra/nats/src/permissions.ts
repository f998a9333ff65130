import { commands, services, subjects, writers, type CommandType, type Kind, type ServiceName } from '@berth/contracts';
import { artifactBucket, streams, transferBucket } from './streams.js';

const people = ['frontend', 'admin'] as const;

/** Who logs in to the bus: each service as itself, what people run as `frontend`, and `admin`, who sets the bus up. */
export type BusUser = ServiceName | (typeof people)[number];
export const busUsers: readonly BusUser[] = [...services, ...people];

/** Subjects that a user may publish to and subscribe to; all others are refused by the server. */
export interface Rights {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

type Sends = { readonly [S in ServiceName]?: readonly CommandType<S>[] };

/** The commands that a service sends to others. */
const sent: Record<ServiceName, Sends> = {
  console: {}, // any command, see below
  lease: {},
  allocator: {
    lease: ['RequestLease', 'ReleaseLease', 'EvictLease', 'ExplainLease', 'RefuseLease'],
    'host-agent-gateway': ['RunAction', 'ProbeHost', 'ListFolders', 'RemoveFolders'],
    'image-factory': ['RollbackChannel'],
  },
  'host-agent-gateway': { allocator: ['ReportHost', 'DrainResource', 'EndDrain', 'ChangeMachine'], lease: ['RequestLease', 'ReleaseLease'] },
  'build-orchestrator': {
    allocator: ['HoldResource'],
    lease: ['RequestLease', 'ReleaseLease'],
    'host-agent-gateway': ['RunAction', 'CancelAction', 'SendRequest'],
  },
  'image-factory': { 'build-orchestrator': ['ApplyPlan', 'RequestBuild', 'AbortBuild', 'SendBuildMessage', 'PinArtifact', 'ReleaseArtifact'] },
};

/** Commands that only services send: each other, or the console once it knows that somebody may. */
const internal: Sends = {
  allocator: ['ReportHost'],
  lease: ['EvictLease', 'ExplainLease', 'RefuseLease'],
  // Secrets come in at the HTTP door alone, which knows who may, and seals them.
  'host-agent-gateway': ['ProbeHost', 'ListFolders', 'RemoveFolders', 'SealingKey', 'SetSecret', 'RemoveSecret', 'RotateSecrets', 'SendRequest'],
  // Where images go, and with whose credentials, is an administrator's word: the HTTP door knows who that is.
  'image-factory': ['SaveProvider', 'SaveAccount', 'RemoveCatalogEntry'],
};

/** The services whose commands people send on the bus. */
const asked = ['allocator', 'lease', 'host-agent-gateway', 'build-orchestrator', 'image-factory'] as const satisfies readonly ServiceName[];

/** Where a user hears answers: nobody else may listen there. */
export const inboxPrefixOf = (user: string): string => `_INBOX.${user}`;

const { events, commands: queue, dead, output, status, deliveries } = streams;
const api = (what: string): string => `$JS.API.${what}`;
const all = (of: Sends): string[] => Object.entries(of).flatMap(([service, types]) => types.map((type) => subjects.command(service as ServiceName, type)));
const kindsOf = (user: string): Kind[] => (Object.keys(writers) as Kind[]).filter((kind) => writers[kind] === user);

/** At its start each service looks whether the streams are as they are declared; only `admin` changes them. */
const look = [api('INFO'), ...Object.values(streams).map(({ name }) => api(`STREAM.INFO.${name}`))];

/** To follow a stream from the first message on, over consumers that remember nothing. */
const follow = (stream: string): string[] => [api(`CONSUMER.CREATE.${stream}`), api(`CONSUMER.DELETE.${stream}.*`), `$JS.FC.${stream}.>`];
/** The same in portions that are asked for. */
const pull = (stream: string): string[] => [api(`CONSUMER.CREATE.${stream}`), api(`CONSUMER.DELETE.${stream}.*`), api(`CONSUMER.MSG.NEXT.${stream}.*`)];
const get = (stream: string): string => api(`DIRECT.GET.${stream}`);

/** To read an object store, to make it where there is none yet, and to take objects away. */
const bucket = (name: string): string[] => {
  const stream = `OBJ_${name}`;
  return [
    ...['STREAM.INFO', 'STREAM.CREATE', 'STREAM.MSG.GET', 'STREAM.PURGE', 'CONSUMER.CREATE', 'DIRECT.GET'].map((what) => api(`${what}.${stream}`)),
    ...['CONSUMER.INFO', 'CONSUMER.DELETE', 'CONSUMER.MSG.NEXT'].map((what) => api(`${what}.${stream}.*`)),
  ];
};
const putInto = (name: string): string[] => [`$O.${name}.C.>`, `$O.${name}.M.>`];

/** What every service needs: its events, its commands and their answers, the feed. */
function service(name: ServiceName, more: Rights = { publish: [], subscribe: [] }): Rights {
  const kinds = kindsOf(name);
  const own = `berth.cmd.${name}.*`;
  return {
    publish: [
      ...kinds.flatMap((kind) => [subjects.event(kind, '*'), subjects.status(kind, '*')]),
      subjects.dead(name, '*'),
      ...all(sent[name]),
      // Answers. Nobody can listen at another's inbox, so what one may say there is no secret; a right that is given with each
      // question would make the server keep a word on each message of the feed too (ADR 20).
      '_INBOX.>',
      ...look,
      ...follow(events.name), get(events.name), get(status.name),
      // The client looks at a consumer before it changes one.
      api(`CONSUMER.CREATE.${queue.name}.${name}.${own}`), api(`CONSUMER.INFO.${queue.name}.${name}`), api(`CONSUMER.DELETE.${queue.name}.${name}`), `$JS.ACK.${queue.name}.${name}.>`,
      ...more.publish,
    ],
    subscribe: [`${inboxPrefixOf(name)}.>`, own, `berth.deliver.${name}`, ...more.subscribe],
  };
}

/** The rights of each user. */
export const permissions: Readonly<Record<BusUser, Rights>> = {
  allocator: service('allocator', { publish: ['berth.live.allocator'], subscribe: ['berth.live.allocator'] }),
  lease: service('lease'),
  'host-agent-gateway': service('host-agent-gateway', {
    publish: [subjects.output('*'), get(output.name), subjects.live('*', '*', 'down'), ...[artifactBucket, transferBucket].flatMap((name) => [...bucket(name), ...putInto(name)])],
    subscribe: [subjects.live('*', '*', 'up')],
  }),
  'build-orchestrator': service('build-orchestrator', { publish: bucket(artifactBucket), subscribe: [] }),
  // Bodies of images are read and pushed on.
  'image-factory': service('image-factory', { publish: bucket(artifactBucket), subscribe: [] }),
  console: service('console', {
    publish: [
      // Any command: it hands on what people ask for, and sends dead letters again.
      'berth.cmd.*.*',
      subjects.live('*', '*', 'up'),
      api('STREAM.INFO.*'), api('CONSUMER.INFO.*.*'),
      api(`CONSUMER.MSG.NEXT.${events.name}.*`),
      ...pull(output.name), get(output.name),
      // Whether a dead letter that was sent again waits for its service.
      api(`STREAM.MSG.GET.${queue.name}`),
      ...pull(dead.name), api(`STREAM.MSG.GET.${dead.name}`), api(`STREAM.MSG.DELETE.${dead.name}`),
      ...[artifactBucket, transferBucket].flatMap((name) => [...bucket(name), ...putInto(name)]),
      // A consumer for each webhook, and what became of what it was sent.
      api(`CONSUMER.CREATE.${status.name}.*.>`), api(`CONSUMER.DELETE.${status.name}.*`), api(`CONSUMER.MSG.NEXT.${status.name}.*`), `$JS.ACK.${status.name}.>`,
      'berth.hook.*', ...pull(deliveries.name), get(deliveries.name),
    ],
    subscribe: [subjects.live('*', '*', 'down'), 'berth.status.*.*'],
  }),
  frontend: {
    publish: [
      ...asked.flatMap((name) => Object.keys(commands[name]).filter((type) => !internal[name]?.some((one) => one === type)).map((type) => subjects.command(name, type))),
      get(status.name), `${get(status.name)}.>`,
    ],
    subscribe: [`${inboxPrefixOf('frontend')}.>`, 'berth.status.>'],
  },
  admin: { publish: ['>'], subscribe: ['>'] },
};
