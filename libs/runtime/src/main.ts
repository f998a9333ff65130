import { actionSettings, ConfigError, httpSettings, metricsSettings, readEnvironment, tlsFiles, traceSettings, type Config } from './config.js';
import { Metrics } from './metrics/metrics.js';
import { serveMetrics } from './metrics/serve.js';
import { startService, type RunningService, type ServiceDefinition } from './service.js';

/** Exit code of a process that could not start or could not go on. */
const FAILED = 1;

/**
 * Runs one service as its own process until SIGINT or SIGTERM; the one call in each `main.ts`. Needs NATS_URL, and
 * DATABASE_URL where the service has a database.
 */
export async function runService(start: (config: Config, fail: (error: Error) => void) => Promise<RunningService>, needs: { database?: boolean } = {}): Promise<void> {
  const die = (error: Error) => {
    process.stderr.write(`berth: ${error.message}\n`);
    process.exit(FAILED);
  };
  try {
    const env = readEnvironment(process.env);
    const missing = [...(env.NATS_URL ? [] : ['NATS_URL']), ...(env.DATABASE_URL || !needs.database ? [] : ['DATABASE_URL'])];
    if (missing.length > 0) throw new ConfigError(`${missing.join(' and ')} must be set to run one service alone.`);
    const config: Config = { home: env.BERTH_HOME ?? '.berth', httpPort: env.BERTH_HTTP_PORT, natsUrl: env.NATS_URL!, ...tlsFiles(env), databaseUrl: env.DATABASE_URL ?? '', logLevel: env.BERTH_LOG_LEVEL, sweepMs: env.BERTH_SWEEP_SECONDS * 1000, sweepGraceMs: env.BERTH_SWEEP_GRACE_SECONDS * 1000, artifacts: env.BERTH_ARTIFACTS, ...actionSettings(env), ...metricsSettings(env), ...traceSettings(env), ...(needs.database && httpSettings(env)) };
    const service = await start(config, die);
    process.stdout.write(`${service.name} is ready\n`);
    let stopping = false;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (stopping) return;
        stopping = true;
        service.stop().then(() => process.exit(0), die);
      });
    }
  } catch (error) {
    die(error as Error);
  }
}

/** {@link runService} for a service that is all commands and events. Its metrics are on BERTH_METRICS_PORT, if that is set. */
export const runDefinition = (definition: ServiceDefinition): Promise<void> =>
  runService(async (config, fail) => {
    const metrics = new Metrics().watchProcess();
    // First: a port that is taken is told before anything has begun.
    const shown = config.metricsPort === undefined ? undefined : await serveMetrics(metrics, config.metricsPort);
    // With 0 nobody else knows which one it is.
    if (shown) process.stderr.write(`metrics on http://127.0.0.1:${shown.port}/metrics\n`);
    const service = await startService(definition, config, fail, metrics);
    return {
      name: service.name,
      async stop() {
        await service.stop();
        await shown?.stop();
      },
    };
  });
