/** Why files could not be moved, where the host is not to blame: a code for programs and one sentence that names the file and the way out. */
export class FileFault extends Error {
  override readonly name = 'FileFault';
  constructor(
    readonly code: 'not-found' | 'too-large' | 'same-name' | 'bad-name' | 'checksum' | 'report' | 'invalid-value',
    message: string,
  ) {
    super(message);
  }
}

/** A name as it can stand in a line or a sentence. */
export const plain = (name: string): string => name.replace(/[\0-\x1f\x7f-\x9f\u2028\u2029]/g, '?');

/** `12.3 MiB`. */
export function size(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [value, unit] = [bytes, 0];
  // Not 1024: what would be written 1024.0 belongs to the next unit.
  while (value >= 1023.95 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return unit === 0 ? (bytes === 1 ? '1 byte' : `${bytes} bytes`) : `${value.toFixed(1)} ${units[unit]}`;
}

/** The first of them, and how many more there are. */
export function some(names: readonly string[], most = 5): string {
  const rest = names.length - most;
  return rest > 0 ? `${names.slice(0, most).join(', ')} and ${rest} more` : names.join(', ');
}
