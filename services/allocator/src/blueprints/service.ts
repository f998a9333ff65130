import type { BlueprintOf } from '@berth/contracts';
import type { DerivedBlueprint, Facts } from './blueprint.js';

/** Something that listens: a database, the web server of a change under review. Started on a leased host, ended with its lease. */
export const service: DerivedBlueprint<BlueprintOf<'service'>> = {
  create: (spec, id, _info, facts) => ({
    kind: 'start-service',
    service: id,
    command: spec.start,
    env: environment(spec, facts),
    timeoutMs: spec.startTimeout,
    ...(spec.ready && { ready: { command: spec.ready.command, timeoutMs: spec.ready.timeout } }),
  }),
  destroy: (spec, id, _info, facts) => ({
    kind: 'stop-service',
    service: id,
    env: spec ? environment(spec, facts) : {},
    timeoutMs: spec?.stopTimeout ?? 60_000,
    ...(spec?.stop !== undefined && { command: spec.stop }),
  }),
  made(spec, _result, facts, host) {
    const port = portOf(facts);
    const address = host?.transport === 'ssh' ? host.address : '127.0.0.1';
    const uri = spec.uri?.replaceAll('{address}', address.includes(':') ? `[${address}]` : address).replaceAll('{port}', String(port ?? ''));
    return { ...(port !== undefined && { port }), ...(uri !== undefined && { uri }) };
  },
};

export const portOf = (facts: Facts): number | undefined => (typeof facts['port'] === 'number' ? facts['port'] : undefined);

function environment(spec: BlueprintOf<'service'>, facts: Facts): Record<string, string> {
  const port = portOf(facts);
  return { ...spec.env, ...(port !== undefined && { PORT: String(port) }) };
}

/** A port for a service: the fixed one, or the first of its range, from a place that its id decides, that no other on the host has. */
export function choosePort(spec: BlueprintOf<'service'>, id: string, taken: ReadonlySet<number>): number | undefined | 'none' {
  if (spec.port === undefined) return undefined;
  if (typeof spec.port === 'number') return taken.has(spec.port) ? 'none' : spec.port;
  const { from, to } = spec.port;
  const size = to - from + 1;
  const start = Number.parseInt(id.slice(0, 8), 16) % size;
  for (let i = 0; i < size; i++) {
    const port = from + ((start + i) % size);
    if (!taken.has(port)) return port;
  }
  return 'none';
}
