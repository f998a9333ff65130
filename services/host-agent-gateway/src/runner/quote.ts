import { HostError } from '../transports/errors.js';

/**
 * One word of a POSIX shell line that stands for exactly `value`: inside single quotes nothing is special but the quote itself.
 * @throws HostError `invalid-value` for a NUL, which no shell word can hold
 */
export function shQuote(value: string): string {
  if (value.includes('\0')) throw new HostError('invalid-value', 'A value with a NUL byte cannot be passed to a command.');
  return `'${value.replaceAll("'", "'\\''")}'`;
}

/**
 * `NAME=value` words for the runner.
 * @throws HostError `invalid-value` naming the variable
 */
export function envWords(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([name, value]) => `${checkedName(name)}=${value}`);
}

/**
 * Words for the runner about files that variables name: how many there are, then the name of each and its content, as `write` puts it.
 * @throws HostError `invalid-value` naming the variable
 */
export function fileWords(files: Readonly<Record<string, Buffer>>, write: (content: Buffer) => string): string[] {
  const all = Object.entries(files);
  return [String(all.length), ...all.flatMap(([name, content]) => [checkedName(name), write(content)])];
}

function checkedName(name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    throw new HostError('invalid-value', `'${name}' cannot be the name of an environment variable (letters, digits and _ only, no digit first).`);
  }
  if (name === 'BERTH_ACTION') throw new HostError('invalid-value', 'BERTH_ACTION is the mark of a process tree and cannot be set.');
  return name;
}

/** What the runner's berth_bytes writes as exactly these bytes; no shell variable holds a NUL, so they travel by their numbers. */
export const printfValue = (bytes: Buffer): string =>
  [...bytes].map((byte) => (/[A-Za-z0-9 _.,:;=+/@-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `\\0${byte.toString(8).padStart(3, '0')}`)).join('');

/**
 * An id that becomes a folder's name on the host.
 * @throws HostError `invalid-value`
 */
export function checkedId(id: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(id)) {
    throw new HostError('invalid-value', `'${id}' cannot be an id on a host (letters, digits, '.', '_' and '-', at most 128).`);
  }
  return id;
}
