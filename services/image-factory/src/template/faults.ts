import type { ImageTemplate } from '@berth/contracts';
import type { Path } from '@berth/yaml';

/** What is wrong with a value of a template: where, and what to do. */
export interface TemplateFault {
  path: Path;
  message: string;
}

/** What no schema of one value sees, whatever the image is built as. */
export function templateFaults(template: ImageTemplate): TemplateFault[] {
  return [
    ...[...textsIn(template, [])].flatMap(([text, path]) => {
      const message = textFault(text);
      return message === undefined ? [] : [{ path, message }];
    }),
    ...repeated(template.files.map(({ path }) => path), (i) => ['files', i, 'path'], 'a file of this path stands there twice: remove one'),
    ...repeated(template.repositories.map(({ name }) => name), (i) => ['repositories', i, 'name'], 'a repository of this name stands there twice: remove one'),
    ...urlFaults(template.os.install?.url, ['os', 'install', 'url']),
    ...template.repositories.flatMap(({ url }, i) => urlFaults(url, ['repositories', i, 'url'])),
  ];
}

/** What could not be written to a file as it stands. */
export function textFault(text: string): string | undefined {
  if (text.includes('\0')) return 'has a NUL: remove it';
  if (/\p{Surrogate}/u.test(text)) return 'has half a character of Unicode: write the whole one';
  return undefined;
}

function* textsIn(value: unknown, path: Path): Generator<[string, Path]> {
  if (typeof value === 'string') yield [value, path];
  else if (Array.isArray(value)) for (const [i, inner] of value.entries()) yield* textsIn(inner, [...path, i]);
  else if (typeof value === 'object' && value !== null) for (const [key, inner] of Object.entries(value)) yield* textsIn(inner, [...path, key]);
}

function repeated(values: readonly string[], path: (i: number) => Path, message: string): TemplateFault[] {
  const seen = new Set<string>();
  return values.flatMap((value, i) => {
    const again = seen.has(value);
    seen.add(value);
    return again ? [{ path: path(i), message }] : [];
  });
}

/** A template is read by many, and kept for ever. */
function urlFaults(text: string | undefined, path: Path): TemplateFault[] {
  if (text === undefined) return [];
  const { username, password } = new URL(text);
  return username === '' && password === '' ? [] : [{ path, message: 'has a login in it, and a template is no place for secrets: use a mirror that asks for none' }];
}
