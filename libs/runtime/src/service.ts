import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { DynamicModule } from '@nestjs/common';
import type { Logger } from 'pino';
import { connect, ErrorCode, type NatsConnection } from 'nats';
import { jetStreamStore, type EventStore } from '@berth/event-store';
import { addressOptions, applyStreams, shownAddress } from '@berth/nats';
import type { ServiceName } from '@berth/contracts';
import { natsBus, type Bus } from './bus.js';
import { openLog } from './log.js';
import { Metrics } from './metrics/metrics.js';
import { measuredStore } from './metrics/store.js';
import { currentTrace, traceId } from './tracing/context.js';
import { tracedBus, tracedStore } from './tracing/traced.js';
import { openTracing, type Tracing } from './tracing/tracing.js';
import { JetStreamStrategy } from './strategy.js';
import { ConfigError, type Config } from './config.js';

/** What a service is given to live on. */
export interface Runtime {
  name: string;
  config: Config;
  connection: NatsConnection;
  store: EventStore;
  bus: Bus;
  log: Logger;
  metrics: Metrics;
  /** absent while traces are off */
  tracing?: Tracing;
  /** Called when a part of the service can't go on (an unreadable event, a closed connection): the process must not pretend. */
  fail(error: Error): void;
}

/** A part with a life: starts before commands are taken, stops after the last one is done. */
export interface Living {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** One service, as its `<name>.module.ts` describes it. */
export interface ServiceDefinition {
  name: ServiceName;
  module(runtime: Runtime): { module: DynamicModule; parts: Living[] };
}

export interface RunningService {
  name: string;
  stop(): Promise<void>;
}

/**
 * Opens the connection that a service lives on; its name shows in the server's monitoring.
 *
 * @param metrics those of the process, when other services live in it too
 */
export async function openRuntime(name: string, config: Config, fail: (error: Error) => void, metrics = new Metrics()): Promise<Runtime> {
  const tracing = await openTracing(name, config);
  const log = openLog(name, config, tracing && (() => ({ traceId: traceId(currentTrace()) })));
  const connection = await connect({
    ...addressOptions(config.natsUrl, config.natsTls),
    name: `berth-${name}`,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    reconnectJitter: 50,
    pingInterval: 5000,
    maxPingOut: 2,
    noEcho: false,
  }).catch((error: unknown) => {
    throw new ConfigError(`NATS_URL ${shownAddress(config.natsUrl)} can't be used (${(error as Error).message}): start that server, or correct NATS_URL.`, { cause: error });
  });
  void (async () => {
    for await (const { permissionContext: refused } of connection.status()) {
      // Whoever waits for an answer is told; of what is only told, this is all that is ever heard.
      if (refused) log.error({ ...refused }, 'the bus does not let this user do that: see infra/nats/permissions.conf');
    }
  })();
  try {
    await applyStreams(await connection.jetstreamManager());
  } catch (error) {
    await connection.close();
    throw wrongUser(name, config, error) ?? new ConfigError(`NATS_URL ${shownAddress(config.natsUrl)} can't be used: ${(error as Error).message}.`, { cause: error });
  }
  const plain = jetStreamStore(connection, tracing && { trace: currentTrace });
  const store = measuredStore(tracing ? tracedStore(plain, tracing) : plain, name, metrics, log);
  return { name, config, connection, store, bus: tracing ? tracedBus(natsBus(connection), tracing) : natsBus(connection), log, metrics, ...(tracing && { tracing }), fail };
}

/** The bus does not let a service do what it must: it is logged in as somebody else. Undefined: that is not what the error is about. */
function wrongUser(name: string, { natsUrl }: Config, error: unknown): ConfigError | undefined {
  if ((error as { code?: string }).code !== ErrorCode.PermissionsViolation) return undefined;
  return new ConfigError(`NATS_URL ${shownAddress(natsUrl)} can't be used: this user may not do what ${name} needs; log in as ${name}.`, { cause: error });
}

/**
 * Starts a service: connection, streams, replay (its parts), and only then commands. Stops in the opposite order: no new
 * commands, those under way finish, parts stop, the connection is drained.
 */
export async function startService(definition: ServiceDefinition, config: Config, fail: (error: Error) => void, metrics = new Metrics()): Promise<RunningService> {
  const runtime = await openRuntime(definition.name, config, fail, metrics);
  const { module, parts } = definition.module(runtime);
  const strategy = new JetStreamStrategy(definition.name, runtime.connection, runtime.log, metrics, runtime.tracing);
  const app = await NestFactory.createMicroservice(module, { strategy, logger: false });
  try {
    for (const part of parts) await part.start();
    await app.listen();
  } catch (error) {
    const wrong = wrongUser(definition.name, config, error);
    if (!wrong) throw error;
    for (const part of [...parts].reverse()) await part.stop();
    await runtime.connection.close();
    throw wrong;
  }
  runtime.log.info('ready');
  return {
    name: definition.name,
    async stop() {
      await app.close();
      await strategy.close();
      for (const part of [...parts].reverse()) await part.stop();
      await runtime.connection.drain();
      await runtime.tracing?.close();
      runtime.log.flush();
    },
  };
}
