import { stringify } from 'yaml';

/** Fields that are kept in milliseconds, and written as durations. */
const durations = new Set(['every', 'timeout', 'startTimeout', 'stopTimeout', 'idleTimeout', 'maxAge', 'boot', 'reachable', 'downWithin', 'upWithin']);

/** What is said of something as YAML that people would write; read again, it is the same. */
export const yamlOf = (value: unknown): string => stringify(readable(value)).trimEnd();

function readable(value: unknown, key?: string): unknown {
  if (typeof value === 'number' && key !== undefined && durations.has(key) && value % 1000 === 0) return duration(value);
  if (Array.isArray(value)) return value.map((one) => readable(one));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, readable(inner, name)]));
}

/** Milliseconds as `1h30m`. */
function duration(ms: number): string {
  let left = ms;
  let text = '';
  for (const [unit, size] of [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1000]] as const) {
    if (left >= size) text += `${Math.floor(left / size)}${unit}`;
    left %= size;
  }
  return text;
}
