import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { AddressInfo } from 'node:net';
import type { DataSource } from 'typeorm';
import { jetStreamStore } from '@berth/event-store';
import { Follower, JetStreamStrategy, openRuntime, type Config, type RunningService, type Runtime } from '@berth/runtime';
import { ConsoleApp } from './console.app.js';
import { ConsoleHandlers } from './console.handlers.js';
import { ArtifactsController } from './http/artifacts.controller.js';
import { BuildsController } from './http/builds.controller.js';
import { Commands } from './http/commands.js';
import { BlueprintsController } from './http/blueprints.controller.js';
import { EventsController } from './http/events.controller.js';
import { Explanations } from './http/explanations.js';
import { FleetController } from './http/fleet.controller.js';
import { ProblemFilter } from './http/filter.js';
import { HostWork } from './http/host-work.js';
import { LeasesController } from './http/leases.controller.js';
import { LogsController } from './http/logs.controller.js';
import { MachinesController } from './http/machines.controller.js';
import { PlansController } from './http/plans.controller.js';
import { LeaseFilesController } from './http/lease-files.controller.js';
import { readBodies, requireToken, tokenGate } from './http/server.js';
import { SchemasController } from './http/schemas.controller.js';
import { SystemController } from './http/system.controller.js';
import { DATABASE, LOG, READINESS, RUNTIME, type Readiness } from './http/tokens.js';
import { BuildLogs } from './live/build-log.js';
import { Ends } from './live/ends.js';
import { History } from './live/history.js';
import { Hub } from './live/hub.js';
import { Indexes } from './live/line-index.js';
import { ActionLogs } from './live/log.js';
import { Objects } from './live/objects.js';
import { Output } from './live/output.js';
import { Sections } from './live/sections.js';
import { Sessions } from './live/sessions.js';
import { consoleReadiness } from './readiness.js';
import { Fleet } from './views/fleet.js';
import { Projection } from './views/projection.js';
import { Reads } from './views/reads.js';
import { openDatabase } from './views/schema.js';

const LOOPBACK = '127.0.0.1';
/** Letters of one part of a path, as it is sent: names of artifacts have 800 bytes, each of them perhaps as %XX. */
const MOST_PARAMETER = 2400;
/** A read answers within seconds even when the bus is away; a restart of it is waited for by whoever asked. */
const READ_PATIENCE = { timeoutMs: 1000, patienceMs: 3000 };

/** What the console can't know by itself. */
export interface ConsoleExtra {
  /** whoever shows it may do everything */
  token: string;
  /** of the other services in the same installation */
  readiness: Readiness;
}

/** A console that takes requests. */
export interface RunningConsole extends RunningService {
  url: string;
}

class ConsoleModule {}
class CommandsModule {}

/** All the wiring of the console. */
function wire(runtime: Runtime, database: DataSource, readiness: Readiness) {
  const store = jetStreamStore(runtime.connection, READ_PATIENCE);
  const fleet = new Fleet();
  const hub = new Hub(store);
  const own = new ConsoleApp(runtime, () => follower);
  const follower: Follower = new Follower(runtime, {
    apply(recorded) {
      own.apply(recorded);
      fleet.apply(recorded);
      hub.apply(recorded);
    },
    caughtUp: () => undefined,
    react: () => undefined,
  });
  const projection = new Projection(runtime, database);
  const reads = new Reads(store, database, projection, hub);
  const commands = new Commands(runtime, follower, reads);
  const objects = new Objects(runtime.connection, runtime.config.artifacts);
  const indexes = new Indexes();
  const output = new Output(runtime.connection, { noted: (action, portion) => indexes.passed(action, portion) });
  const ends = new Ends(store, hub);
  const logs = new ActionLogs(output, indexes, ends);
  const all = consoleReadiness(runtime, database, projection, hub, readiness);
  const module: DynamicModule = {
    module: ConsoleModule,
    controllers: [SystemController, MachinesController, BlueprintsController, FleetController, LeasesController, LeaseFilesController, PlansController, SchemasController, BuildsController, ArtifactsController, LogsController, EventsController],
    providers: [
      { provide: RUNTIME, useFactory: () => runtime },
      { provide: LOG, useFactory: () => runtime.log },
      { provide: DATABASE, useFactory: () => database },
      { provide: READINESS, useFactory: () => all },
      { provide: Fleet, useFactory: () => fleet },
      { provide: Hub, useFactory: () => hub },
      { provide: Reads, useFactory: () => reads },
      { provide: Commands, useFactory: () => commands },
      { provide: Objects, useFactory: () => objects },
      { provide: ActionLogs, useFactory: () => logs },
      { provide: BuildLogs, useFactory: () => new BuildLogs(new Sections(store, hub), ends, logs) },
      { provide: History, useFactory: () => new History(runtime.connection, store, fleet, () => hub.position) },
      { provide: Explanations, useFactory: () => new Explanations(store, fleet, reads, commands, runtime.log) },
      { provide: HostWork, useFactory: () => new HostWork(runtime, reads, commands, objects, ends) },
    ],
  };
  const handlers: DynamicModule = { module: CommandsModule, controllers: [ConsoleHandlers], providers: [{ provide: ConsoleApp, useFactory: () => own }] };
  return { module, handlers, output, parts: [follower, projection], sessions: new Sessions(runtime, reads, ends) };
}

/**
 * Starts the console: database and migrations, replay, and only then commands and requests. Stops in the opposite order.
 * @throws when the bus or the database can't be used, or the port is taken; nothing is left running then
 */
export async function startConsole(config: Config, fail: (error: Error) => void, extra: ConsoleExtra): Promise<RunningConsole> {
  const runtime = await openRuntime('console', config, fail);
  const undo: (() => Promise<unknown>)[] = [() => runtime.connection.drain()];
  const unwind = async () => {
    for (const step of undo.splice(0).reverse()) await step();
    runtime.log.flush();
  };
  try {
    const database = await openDatabase(config.databaseUrl, (error) => runtime.log.warn({ error }, 'a connection to the database was lost'));
    undo.push(() => database.destroy());
    const { module, handlers, output, parts, sessions } = wire(runtime, database, extra.readiness);
    const adapter = new FastifyAdapter({ forceCloseConnections: true, routerOptions: { maxParamLength: MOST_PARAMETER } });
    const app = await NestFactory.create<NestFastifyApplication>(module, adapter, { logger: false, bodyParser: false, abortOnError: false });
    const strategy = new JetStreamStrategy('console', runtime.connection, runtime.log);
    const commands = await NestFactory.createMicroservice(handlers, { strategy, logger: false, abortOnError: false });
    readBodies(adapter.getInstance());
    const gate = tokenGate(extra.token);
    requireToken(adapter.getInstance(), gate);
    sessions.attach(adapter.getHttpServer(), gate);
    app.useGlobalFilters(new ProblemFilter(runtime.log));
    for (const part of parts) {
      await part.start();
      undo.push(() => part.stop());
    }
    undo.push(async () => {
      await commands.close();
      await strategy.close();
    });
    await commands.listen();
    undo.push(async () => output.close());
    undo.push(() => app.close());
    undo.push(() => sessions.stop());
    await app.listen(config.httpPort, LOOPBACK).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EADDRINUSE' ? new Error(`port ${config.httpPort} is in use: stop what uses it or set BERTH_HTTP_PORT to another one`, { cause: error }) : error;
    });
    const { port } = app.getHttpServer().address() as AddressInfo;
    runtime.log.info({ port }, 'ready');
    return { name: 'console', url: `http://${LOOPBACK}:${port}`, stop: unwind };
  } catch (error) {
    await unwind().catch((second: unknown) => runtime.log.warn({ error: second }, 'stopping what had started failed'));
    throw error;
  }
}
