import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { AddressInfo } from 'node:net';
import type { SignInLink } from '@berth/client';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import type { AnyRecorded } from '@berth/contracts';
import { jetStreamStore } from '@berth/event-store';
import { DEFAULT_RATE_LIMIT, Follower, JetStreamStrategy, openRuntime, type Config, type Metrics, type RunningService, type Runtime } from '@berth/runtime';
import { Audit } from './access/audit.js';
import { Credentials } from './access/credentials.js';
import { Door } from './access/door.js';
import type { Route } from './access/needs.js';
import { Oidc } from './access/oidc.js';
import { Open } from './access/open.js';
import { Rates } from './access/rates.js';
import { Scope } from './access/scope.js';
import { openSeal, type Seal } from './access/seal.js';
import { SignIns } from './access/sign-ins.js';
import { Taskcluster } from './access/taskcluster.js';
import { ConsoleApp } from './console.app.js';
import { ConsoleHandlers } from './console.handlers.js';
import { AccessController } from './http/access.controller.js';
import { ArtifactsController } from './http/artifacts.controller.js';
import { BuildsController } from './http/builds.controller.js';
import { ChannelsController } from './http/channels.controller.js';
import { Commands } from './http/commands.js';
import { DeadLettersController } from './http/dead-letters.controller.js';
import { BlueprintsController } from './http/blueprints.controller.js';
import { DoctorController } from './http/doctor.controller.js';
import { entryControllers } from './http/entries.controller.js';
import { EventsController } from './http/events.controller.js';
import { Explanations } from './http/explanations.js';
import { FleetController } from './http/fleet.controller.js';
import { DocsController } from './http/docs.controller.js';
import { apiOf, type Api } from './http/api.js';
import { ProblemFilter } from './http/filter.js';
import { HostWork } from './http/host-work.js';
import { allowOrigin } from './http/foreign.js';
import { HardwareController } from './http/hardware.controller.js';
import { HardwareGroupsController } from './http/hardware-groups.controller.js';
import { ImagesController } from './http/images.controller.js';
import { JobRequestsController } from './http/job-requests.controller.js';
import { JobsController } from './http/jobs.controller.js';
import { LeasesController } from './http/leases.controller.js';
import { LogsController } from './http/logs.controller.js';
import { MachinesController } from './http/machines.controller.js';
import { MetricsController, openMetrics } from './http/metrics.controller.js';
import { OidcController } from './http/oidc.controller.js';
import { PlansController } from './http/plans.controller.js';
import { ProjectionsController } from './http/projections.controller.js';
import { malformed, refuseExpectations } from './http/malformed.js';
import { answerOtherMethods, refuseUnacceptable } from './http/methods.js';
import { answerReads } from './http/reading.js';
import { refuseUnread } from './http/unread.js';
import { Settling } from './http/settling.js';
import { marks } from './http/tags.js';
import { answerWrites } from './http/writing.js';
import { LeaseFilesController } from './http/lease-files.controller.js';
import { readBodies } from './http/server.js';
import { SchemasController } from './http/schemas.controller.js';
import { TokensController } from './http/tokens.controller.js';
import { VersionsController } from './http/versions.controller.js';
import { WarehouseController } from './http/warehouse.controller.js';
import { WebhooksController } from './http/webhooks.controller.js';
import { SecretsController } from './http/secrets.controller.js';
import { SystemController } from './http/system.controller.js';
import { UsageController } from './http/usage.controller.js';
import { DATABASE, DOCUMENT, LOG, OIDC, READINESS, RUNTIME, STORE, type Readiness } from './http/tokens.js';
import { AuditLog } from './live/audit-log.js';
import { MOST_PARAMETER, serveWeb, WEB } from './http/web.js';
import { BuildLogs } from './live/build-log.js';
import { DeadLetters } from './live/dead-letters.js';
import { Ends } from './live/ends.js';
import { History } from './live/history.js';
import { Hub } from './live/hub.js';
import { Indexes } from './live/line-index.js';
import { ActionLogs } from './live/log.js';
import { Objects } from './live/objects.js';
import { Output } from './live/output.js';
import { Sections } from './live/sections.js';
import { Sessions } from './live/sessions.js';
import { keyFile } from './key-file.js';
import { Figures } from './metrics/figures.js';
import { measureRequests } from './metrics/requests.js';
import { traceRequests } from './http/traces.js';
import { consoleReadiness } from './readiness.js';
import { Fleet } from './views/fleet.js';
import { Images } from './views/images.js';
import { Moments } from './views/moments.js';
import { Projection } from './views/projection.js';
import { Reads } from './views/reads.js';
import { Tokens } from './views/tokens.js';
import { openDatabase } from './views/schema.js';
import { Webhooks } from './webhooks/webhooks.js';
import { WebhooksApp } from './webhooks/webhooks.app.js';
import { WebhooksHandlers } from './webhooks/webhooks.handlers.js';

const LOOPBACK = '127.0.0.1';
/** Wrong tokens that an address may show a minute: nobody guesses one, this only keeps the log of refusals and the door quiet. */
const WRONG_TOKENS = 60;
/** A read answers within seconds even when the bus is away; a restart of it is waited for by whoever asked. */
const READ_PATIENCE = { timeoutMs: 1000, patienceMs: 3000 };

/** What the console can't know by itself. */
export interface ConsoleExtra {
  /** whoever shows it may do everything */
  token: string;
  /** of the other services in the same installation */
  readiness: Readiness;
  /** sees the server before anything else sees an answer: what specs hold each one against the document with */
  watch?(server: FastifyInstance, api: Api): void;
  /** of the process, when other services live in it too */
  metrics?: Metrics;
}

/** A console that takes requests. */
export interface RunningConsole extends RunningService {
  url: string;
  /** all that it answers, and what each needs */
  routes: readonly Route[];
  /** of the first start: signs in whoever runs this installation */
  firstLink?: SignInLink;
}

class ConsoleModule {}
class CommandsModule {}

/** Who may do what: everything at the door. */
function wireAccess(runtime: Runtime, database: DataSource, token: string, seal: Seal, own: ConsoleApp, reads: Reads) {
  const tokens = new Tokens();
  const signIns = new SignIns(seal, own);
  const credentials = new Credentials(token, tokens, signIns, own);
  const scope = new Scope(reads, database);
  const audit = new Audit(own);
  const open = new Open();
  const { taskclusterRoot } = runtime.config;
  const taskcluster = taskclusterRoot === undefined ? null : new Taskcluster(taskclusterRoot, () => signIns.url.startsWith('https:'));
  const door = new Door(credentials, signIns, scope, audit, new Rates(runtime.config.rateLimit ?? DEFAULT_RATE_LIMIT), new Rates(WRONG_TOKENS), open, taskcluster);
  const oidc = runtime.config.oidc ? new Oidc(runtime.config.oidc, seal, signIns) : null;
  const providers = [
    { provide: ConsoleApp, useFactory: () => own },
    { provide: Tokens, useFactory: () => tokens },
    { provide: SignIns, useFactory: () => signIns },
    { provide: Credentials, useFactory: () => credentials },
    { provide: Scope, useFactory: () => scope },
    { provide: Door, useFactory: () => door },
    { provide: OIDC, useFactory: () => oidc },
  ];
  const apply = (recorded: AnyRecorded): void => {
    if (recorded.kind !== 'token' && recorded.kind !== 'access') return;
    tokens.apply(recorded);
    signIns.apply(recorded);
    open.look();
  };
  return { providers, apply, audit, credentials, door, open, signIns };
}

/** Everything that answers requests; each of its routes has to describe itself. */
export const controllers = [SystemController, ProjectionsController, UsageController, AccessController, OidcController, TokensController, DocsController, MachinesController, BlueprintsController, FleetController, LeasesController, LeaseFilesController, PlansController, SchemasController, BuildsController, ArtifactsController, LogsController, EventsController, DeadLettersController, MetricsController, DoctorController, WebhooksController, SecretsController, JobRequestsController, JobsController, HardwareController, HardwareGroupsController, ImagesController, VersionsController, ChannelsController, ...entryControllers, WarehouseController];

/** Connections that may wait to be taken: Node's 511 are fewer than a fleet that asks at once, and what comes above it waits a second and more to be tried again. */
const BACKLOG = 4096;

/** All the wiring of the console. */
function wire(runtime: Runtime, database: DataSource, { readiness, token }: ConsoleExtra, seal: Seal, api: Api, webhookKey: Buffer) {
  const store = jetStreamStore(runtime.connection, READ_PATIENCE);
  const fleet = new Fleet();
  const hub = new Hub(store);
  const own = new ConsoleApp(runtime, () => follower);
  const hooks = new WebhooksApp(runtime, () => follower, () => webhooks.changed());
  const webhooks: Webhooks = new Webhooks(runtime, hooks, webhookKey, () => commands);
  const follower: Follower = new Follower(runtime, {
    apply(recorded) {
      own.apply(recorded);
      access.apply(recorded);
      hooks.apply(recorded);
      fleet.apply(recorded);
      hub.apply(recorded);
      figures.apply(recorded);
    },
    caughtUp: () => undefined,
    react: () => undefined,
  });
  const moments = new Moments(runtime, database);
  const projection = new Projection(runtime, database, moments);
  const reads = new Reads(store, database, projection, hub);
  const images = new Images(database, reads);
  const commands = new Commands(runtime, follower, reads);
  const access = wireAccess(runtime, database, token, seal, own, reads);
  const objects = new Objects(runtime.connection, runtime.config.artifacts);
  const indexes = new Indexes();
  const output = new Output(runtime.connection, { noted: (action, portion) => indexes.passed(action, portion) });
  const ends = new Ends(store, hub);
  const logs = new ActionLogs(output, indexes, ends);
  const all = consoleReadiness(runtime, database, projection, hub, readiness);
  const figures = new Figures(runtime, { fleet, projection, hub, readiness: all });
  const module: DynamicModule = {
    module: ConsoleModule,
    controllers,
    providers: [
      ...access.providers,
      { provide: AuditLog, useFactory: () => new AuditLog(runtime.connection, () => hub.position) },
      { provide: RUNTIME, useFactory: () => runtime },
      { provide: LOG, useFactory: () => runtime.log },
      { provide: DATABASE, useFactory: () => database },
      { provide: STORE, useFactory: () => store },
      { provide: DOCUMENT, useFactory: () => api.document },
      { provide: READINESS, useFactory: () => all },
      { provide: Fleet, useFactory: () => fleet },
      { provide: Hub, useFactory: () => hub },
      { provide: Projection, useFactory: () => projection },
      { provide: Reads, useFactory: () => reads },
      { provide: Images, useFactory: () => images },
      { provide: Moments, useFactory: () => moments },
      { provide: Commands, useFactory: () => commands },
      { provide: DeadLetters, useFactory: () => new DeadLetters(runtime.connection) },
      { provide: Objects, useFactory: () => objects },
      { provide: ActionLogs, useFactory: () => logs },
      { provide: BuildLogs, useFactory: () => new BuildLogs(new Sections(store, hub), ends, logs) },
      { provide: History, useFactory: () => new History(runtime.connection, store, fleet, () => hub.position) },
      { provide: Explanations, useFactory: () => new Explanations(store, fleet, reads, commands, runtime.log) },
      { provide: WebhooksApp, useFactory: () => hooks },
      { provide: Webhooks, useFactory: () => webhooks },
      { provide: HostWork, useFactory: () => new HostWork(runtime, reads, commands, objects, ends) },
    ],
  };
  const handlers: DynamicModule = { module: CommandsModule, controllers: [ConsoleHandlers, WebhooksHandlers], providers: [{ provide: ConsoleApp, useFactory: () => own }, { provide: WebhooksApp, useFactory: () => hooks }] };
  return { module, handlers, output, access, parts: [follower, projection], webhooks, sessions: new Sessions(runtime, reads, ends), standing: { hub, projection }, settling: new Settling(store, hub, fleet, images, projection) };
}

/**
 * Starts the console: database and migrations, replay, and only then commands and requests. Stops in the opposite order.
 * @throws when the bus or the database can't be used, or the port is taken; nothing is left running then
 */
export async function startConsole(config: Config, fail: (error: Error) => void, extra: ConsoleExtra): Promise<RunningConsole> {
  const api = apiOf(controllers);
  const runtime = await openRuntime('console', config, fail, extra.metrics);
  const undo: (() => Promise<unknown>)[] = [async () => runtime.tracing?.close(), () => runtime.connection.drain()];
  const unwind = async () => {
    for (const step of undo.splice(0).reverse()) await step();
    runtime.log.flush();
  };
  try {
    const database = await openDatabase(config.databaseUrl, (error) => runtime.log.warn({ error }, 'a connection to the database was lost'));
    undo.push(() => database.destroy());
    const { seal, first } = await openSeal(config.home);
    const { module, handlers, output, access, parts, webhooks, sessions, standing, settling } = wire(runtime, database, extra, seal, api, await keyFile(join(config.home, 'webhooks.key')));
    const adapter = new FastifyAdapter({ ...malformed, forceCloseConnections: true, routerOptions: { maxParamLength: MOST_PARAMETER } });
    const app = await NestFactory.create<NestFastifyApplication>(module, adapter, { logger: false, bodyParser: false, abortOnError: false });
    const strategy = new JetStreamStrategy('console', runtime.connection, runtime.log, runtime.metrics, runtime.tracing);
    const commands = await NestFactory.createMicroservice(handlers, { strategy, logger: false, abortOnError: false });
    readBodies(adapter.getInstance());
    measureRequests(adapter.getInstance(), runtime.metrics);
    if (runtime.tracing) traceRequests(adapter.getInstance(), runtime.tracing);
    if (config.metricsOpen) openMetrics(adapter.getInstance());
    allowOrigin(adapter.getInstance(), config.jobsOrigin ?? '*');
    const routes = access.door.guard(adapter.getInstance());
    refuseUnacceptable(adapter.getInstance(), api.table);
    extra.watch?.(adapter.getInstance(), api);
    refuseUnread(adapter.getInstance(), api.table);
    const tags = marks(api.mark, () => standing.hub.origin);
    app.useGlobalInterceptors(answerReads(adapter.getInstance(), api.table, standing, tags));
    answerWrites(adapter.getInstance(), api.table, settling, tags);
    refuseExpectations(adapter.getHttpServer());
    serveWeb(adapter.getInstance(), WEB);
    sessions.attach(adapter.getHttpServer(), access.door);
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
    // It suspends webhooks by command.
    await webhooks.start();
    undo.push(() => webhooks.stop());
    undo.push(async () => output.close());
    // Those that were counted are stored while that can still be done.
    undo.push(() => access.audit.close());
    undo.push(async () => access.open.stop());
    undo.push(() => app.close());
    undo.push(() => sessions.stop());
    await app.init();
    answerOtherMethods(adapter.getInstance(), api.table);
    const host = config.httpHost ?? LOOPBACK;
    // Known before the first request; with any free port it is corrected at once.
    access.signIns.url = config.publicUrl ?? urlOf(host, config.httpPort);
    await app.listen({ port: config.httpPort, host, backlog: BACKLOG }).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EADDRINUSE' ? new Error(`port ${config.httpPort} is in use: stop what uses it or set BERTH_HTTP_PORT to another one`, { cause: error }) : error;
    });
    const { port } = app.getHttpServer().address() as AddressInfo;
    runtime.log.info({ port }, 'ready');
    const url = urlOf(host, port);
    access.signIns.url = config.publicUrl ?? url;
    const subject = access.credentials.builtInSubject;
    return { name: 'console', url, routes, ...(first && { firstLink: access.signIns.link(subject) }), stop: unwind };
  } catch (error) {
    await unwind().catch((second: unknown) => runtime.log.warn({ error: second }, 'stopping what had started failed'));
    throw error;
  }
}

/** Where this machine reaches what listens on an address. */
function urlOf(host: string, port: number): string {
  const own = host === '0.0.0.0' ? LOOPBACK : host === '::' ? '::1' : host;
  return `http://${own.includes(':') ? `[${own}]` : own}:${port}`;
}
