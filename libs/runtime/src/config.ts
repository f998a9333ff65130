import { z } from 'zod';
import { readSetting, SettingError, type ArtifactsSetting } from '@berth/artifacts';
import { fieldErrors, summary } from '@berth/contracts';
import { consoleEnvironment, consoleSettings, type ConsoleConfig } from './console-config.js';
import { jobsEnvironment, jobsSettings, type JobsConfig } from './jobs-config.js';
import type { TlsFiles } from '@berth/nats';

/** What Berth reads from its environment; nothing else is configured anywhere. */
export interface Config extends ConsoleConfig, JobsConfig {
  /** folder of everything that one installation keeps */
  home: string;
  /** port of the console on loopback; 0 = any free one */
  httpPort: number;
  natsUrl: string;
  /** files for TLS to the bus; what the system trusts when absent */
  natsTls?: TlsFiles;
  databaseUrl: string;
  logLevel: string;
  /** how often clouds and hosts are swept for what nobody owns, ms */
  sweepMs: number;
  /** how long such a thing is left alone after it was found, ms */
  sweepGraceMs: number;
  /** folder whose files the gateway takes in as secrets at its start; `secrets` in `home` when absent */
  secretsFolder?: string;
  /** file with the key of the secrets; `secrets.key` in `home` when absent */
  secretsKeyFile?: string;
  /** the key itself, or several with commas between, the newest first: then there is no file */
  secretsKey?: string;
  /** bytes of each stream of an action's output that are kept when the action says nothing else; 1 GiB when absent */
  outputLimit?: number;
  /** bytes that one artifact may have; 16 GiB when absent */
  artifactLimit?: number;
  /** where people reach the console, without a slash at its end; builds carry a link to it */
  publicUrl?: string;
  /** where artifacts are kept; on the bus when absent */
  artifacts?: ArtifactsSetting;
  /** whether the console's metrics need no token */
  metricsOpen?: boolean;
  /** port on loopback for the metrics of a service alone; none when absent */
  metricsPort?: number;
  /** URL of a collector that takes traces over OTLP/HTTP; no traces when absent */
  traces?: string;
  /** absolute path; standard error when absent */
  logFile?: string;
}

/** Bytes of each stream of an action's output: the first and the last half of it are kept when there is more. */
export const DEFAULT_OUTPUT_LIMIT = 1024 ** 3;

/** Bytes of one artifact. */
export const DEFAULT_ARTIFACT_LIMIT = 16 * 1024 ** 3;

const environment = z.object({
  BERTH_HOME: z.string().min(1).optional(),
  BERTH_HTTP_PORT: z.coerce.number('must be a port number').int().min(0).max(65535, 'must be a port from 0 to 65535').default(4780),
  NATS_URL: z.string().regex(/^(nats|tls):\/\/[^\s]+$/, 'must be a URL such as nats://127.0.0.1:4222').optional(),
  BERTH_NATS_WS_PORT: z.coerce.number('must be a port number').int().min(0).max(65535, 'must be a port from 0 to 65535').optional(),
  NATS_CA: z.string().min(1).optional(),
  NATS_CERT: z.string().min(1).optional(),
  NATS_KEY: z.string().min(1).optional(),
  DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\/[^\s]+$/, 'must be a URL such as postgres://user:password@127.0.0.1:5432/berth').optional(),
  BERTH_SWEEP_SECONDS: z.coerce.number('must be a number of seconds').min(0.1, 'must be at least 0.1').max(86_400).default(60),
  BERTH_SWEEP_GRACE_SECONDS: z.coerce.number('must be a number of seconds').min(0, 'must not be negative').max(86_400).default(300),
  BERTH_SECRETS: z.string().min(1).optional(),
  BERTH_SECRETS_KEY_FILE: z.string().min(1).optional(),
  BERTH_SECRETS_KEY: z.string().min(1).optional(),
  BERTH_OUTPUT_LIMIT: z.coerce.number('must be a number of bytes').int('must be a whole number of bytes').min(65_536, 'must be at least 65536 bytes').default(DEFAULT_OUTPUT_LIMIT),
  BERTH_ARTIFACT_LIMIT: z.coerce.number('must be a number of bytes').int('must be a whole number of bytes').min(1024, 'must be at least 1024 bytes').default(DEFAULT_ARTIFACT_LIMIT),
  BERTH_PUBLIC_URL: z.url({ protocol: /^https?$/, error: 'must be an http or https URL such as https://berth.example' }).optional(),
  BERTH_ARTIFACTS: z
    .string()
    .optional()
    .transform((text, context): ArtifactsSetting => {
      try {
        return readSetting(text);
      } catch (error) {
        if (!(error instanceof SettingError)) throw error;
        context.addIssue({ code: 'custom', message: error.message });
        return z.NEVER;
      }
    }),
  ...consoleEnvironment,
  ...jobsEnvironment,
  BERTH_METRICS_OPEN: z.enum(['true', 'false'], 'must be true or false').default('false'),
  BERTH_METRICS_PORT: z.coerce.number('must be a port number').int().min(0).max(65535, 'must be a port from 0 to 65535').optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/, error: 'must be an http or https URL such as http://127.0.0.1:4318' }).optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.url({ protocol: /^https?$/, error: 'must be an http or https URL such as http://127.0.0.1:4318/v1/traces' }).optional(),
  OTEL_SDK_DISABLED: z.enum(['true', 'false'], 'must be true or false').default('false'),
  BERTH_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});

/** An environment that can't be used: every fault in one sentence. */
export class ConfigError extends Error {}

/**
 * {@link consoleSettings} of an environment.
 * @throws {ConfigError} for what may not be or does not fit together
 */
export function httpSettings(env: ReturnType<typeof readEnvironment>): ConsoleConfig {
  try {
    return consoleSettings(env);
  } catch (error) {
    throw new ConfigError((error as Error).message, { cause: error });
  }
}

/** Files for TLS to the bus, when any is named. */
export function tlsFiles(env: ReturnType<typeof readEnvironment>): { natsTls?: TlsFiles } {
  const { NATS_CA: caFile, NATS_CERT: certFile, NATS_KEY: keyFile } = env;
  if ((certFile === undefined) !== (keyFile === undefined)) throw new ConfigError(`The environment can't be used: ${certFile === undefined ? 'NATS_CERT' : 'NATS_KEY'}: must be set too: a certificate and its key go together`);
  if (caFile === undefined && certFile === undefined) return {};
  return { natsTls: { ...(caFile !== undefined && { caFile }), ...(certFile !== undefined && { certFile }), ...(keyFile !== undefined && { keyFile }) } };
}

/**
 * {@link jobsSettings} of an environment.
 * @throws {ConfigError} for what does not fit together
 */
function toldSettings(env: ReturnType<typeof readEnvironment>): JobsConfig {
  try {
    return jobsSettings(env);
  } catch (error) {
    throw new ConfigError((error as Error).message, { cause: error });
  }
}

/**
 * What the gateway and the build orchestrator are given of it.
 * @throws {ConfigError} for what does not fit together
 */
export const actionSettings = (env: ReturnType<typeof readEnvironment>): JobsConfig & Pick<Config, 'secretsFolder' | 'secretsKeyFile' | 'secretsKey' | 'outputLimit' | 'artifactLimit' | 'publicUrl'> => ({
  ...toldSettings(env),
  outputLimit: env.BERTH_OUTPUT_LIMIT,
  artifactLimit: env.BERTH_ARTIFACT_LIMIT,
  ...(env.BERTH_PUBLIC_URL !== undefined && { publicUrl: env.BERTH_PUBLIC_URL.replace(/\/+$/, '') }),
  ...(env.BERTH_SECRETS !== undefined && { secretsFolder: env.BERTH_SECRETS }),
  ...(env.BERTH_SECRETS_KEY_FILE !== undefined && { secretsKeyFile: env.BERTH_SECRETS_KEY_FILE }),
  ...(env.BERTH_SECRETS_KEY !== undefined && { secretsKey: env.BERTH_SECRETS_KEY }),
});

/** Where traces go, by the variables that OpenTelemetry names. */
export function traceSettings(env: ReturnType<typeof readEnvironment>): Pick<Config, 'traces'> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: whole } = env;
  if (env.OTEL_SDK_DISABLED === 'true') return {};
  if (whole !== undefined) return { traces: whole };
  return base === undefined ? {} : { traces: `${base.replace(/\/+$/, '')}/v1/traces` };
}

/** How the metrics of a process are shown. */
export const metricsSettings = (env: ReturnType<typeof readEnvironment>): Pick<Config, 'metricsOpen' | 'metricsPort'> => ({
  metricsOpen: env.BERTH_METRICS_OPEN === 'true',
  ...(env.BERTH_METRICS_PORT !== undefined && { metricsPort: env.BERTH_METRICS_PORT }),
});

/**
 * Reads the environment once, before anything starts.
 * @throws {ConfigError} with every fault listed
 */
export function readEnvironment(env: NodeJS.ProcessEnv) {
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = environment.safeParse(present);
  if (!parsed.success) throw new ConfigError(`The environment can't be used: ${summary(fieldErrors(parsed.error))}`);
  return parsed.data;
}
