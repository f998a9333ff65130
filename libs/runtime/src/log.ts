import { pino, type Logger } from 'pino';
import type { Config } from './config.js';

/** Under these names lines tell which thing they are about; so that one search finds all lines of a thing, they get `kind` and `id` too. */
const kinds = ['action', 'build', 'lease', 'resource', 'machine', 'blueprint'] as const;

/** Never written, whoever should put one of these into a line. */
const SECRET = ['token', 'password', 'authorization', 'secret', 'headers.authorization', 'access.token', 'config.databaseUrl', 'config.natsUrl'];

/**
 * The log of a service: JSON lines with `service`, and where there is one `commandId`, `kind` and `id`, `position`, `traceId`.
 *
 * @param more called for each line: what is known of where it was written
 */
export function openLog(service: string, config: Pick<Config, 'logLevel' | 'logFile'>, more: () => object = () => ({})): Logger {
  return pino(
    {
      level: config.logLevel,
      base: { pid: process.pid, service },
      redact: { paths: SECRET, censor: '***' },
      serializers: { error: pino.stdSerializers.err, problem: pino.stdSerializers.err },
      mixin: more,
      formatters: { log: withThing },
    },
    pino.destination({ dest: config.logFile ?? 2, sync: false, mkdir: true }),
  );
}

/** Exported for its spec. */
export function withThing(line: Record<string, unknown>): Record<string, unknown> {
  if ('kind' in line || 'id' in line) return line;
  const kind = kinds.find((one) => typeof line[one] === 'string');
  return kind === undefined ? line : { ...line, kind, id: line[kind] };
}
