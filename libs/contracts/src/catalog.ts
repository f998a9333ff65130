import type { z } from 'zod';
import type { EventOf, Kind, Recorded, ServiceName } from './bus.js';
import { machineCommands, machineEvents } from './machine.js';
import { blueprintCommands, blueprintEvents } from './blueprint.js';
import { fleetCommands, fleetEvents } from './fleet.js';
import { resourceCommands, resourceEvents } from './resource.js';
import { leaseCommands, leaseEvents } from './lease.js';
import { actionCommands, actionEvents } from './action.js';
import { buildCommands, buildEvents } from './build.js';
import { planCommands, planEvents } from './plan.js';
import { accessEvents } from './access.js';
import { tokenCommands, tokenEvents } from './token.js';
import { webhookCommands, webhookEvents } from './webhook.js';
import { secretCommands, secretEvents } from './secret.js';
import { hardwareCommands, hardwareEvents, hardwareGroupEvents } from './hardware.js';
import { jobCommands, jobEvents } from './job.js';
import { catalogCommands, catalogEvents } from './image/catalog.js';
import { imageCommands, imageEvents } from './image/image.js';
import { replicationEvents, warehouseCommands } from './image/warehouse.js';

/** Every command, under the service that carries it out. */
export const commands = {
  allocator: { ...machineCommands, ...blueprintCommands, ...resourceCommands, ...fleetCommands },
  lease: leaseCommands,
  'host-agent-gateway': { ...actionCommands, ...secretCommands, ...hardwareCommands, ...jobCommands },
  'build-orchestrator': { ...planCommands, ...buildCommands },
  'image-factory': { ...imageCommands, ...catalogCommands, ...warehouseCommands },
  console: { ...tokenCommands, ...webhookCommands },
} as const satisfies Record<ServiceName, Record<string, z.ZodType>>;

/** Every event, under the kind of stream it stands in. */
export const events = {
  machine: machineEvents,
  blueprint: blueprintEvents,
  fleet: fleetEvents,
  resource: resourceEvents,
  lease: leaseEvents,
  action: actionEvents,
  secret: secretEvents,
  hardware: hardwareEvents,
  'hardware-group': hardwareGroupEvents,
  job: jobEvents,
  plan: planEvents,
  build: buildEvents,
  catalog: catalogEvents,
  image: imageEvents,
  replication: replicationEvents,
  token: tokenEvents,
  access: accessEvents,
  webhook: webhookEvents,
} as const satisfies Record<Kind, Record<string, z.ZodType>>;

type Commands = typeof commands;
export type CommandType<S extends ServiceName> = Extract<keyof Commands[S], string>;
/** Data of a command after its schema has read it: defaults filled in. */
export type CommandData<S extends ServiceName, T extends CommandType<S>> = Commands[S][T] extends z.ZodType ? z.output<Commands[S][T]> : never;
/** Data of a command as an asker may write it. */
export type CommandInput<S extends ServiceName, T extends CommandType<S>> = Commands[S][T] extends z.ZodType ? z.input<Commands[S][T]> : never;

type UnionOf<M extends Record<string, z.ZodType>> = { [T in Extract<keyof M, string>]: EventOf<T, z.output<M[T]>> }[Extract<keyof M, string>];
/** The events of a kind, as a union tagged by `type`. */
export type EventsOf<K extends Kind> = UnionOf<(typeof events)[K]>;
export type MachineEvent = EventsOf<'machine'>;
export type BlueprintEvent = EventsOf<'blueprint'>;
export type FleetEvent = EventsOf<'fleet'>;
export type ResourceEvent = EventsOf<'resource'>;
export type LeaseEvent = EventsOf<'lease'>;
export type ActionEvent = EventsOf<'action'>;
export type SecretEvent = EventsOf<'secret'>;
export type HardwareEvent = EventsOf<'hardware'>;
export type HardwareGroupEvent = EventsOf<'hardware-group'>;
export type JobEvent = EventsOf<'job'>;
export type PlanEvent = EventsOf<'plan'>;
export type BuildEvent = EventsOf<'build'>;
export type CatalogEvent = EventsOf<'catalog'>;
export type ImageEvent = EventsOf<'image'>;
export type ReplicationEvent = EventsOf<'replication'>;
export type TokenEvent = EventsOf<'token'>;
export type AccessEvent = EventsOf<'access'>;
export type WebhookEvent = EventsOf<'webhook'>;

/** A commit of any kind, narrowed by `kind`. */
export type AnyRecorded = { [K in Kind]: Recorded<EventsOf<K>> & { kind: K } }[Kind];
