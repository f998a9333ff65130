import type { ImportedView } from '@berth/client';

/** What has to be done so that one name is as it is wanted. */
export interface Change extends Pick<ImportedView, 'name' | 'change' | 'paths'> {
  /** as it is to be; null when it is to go */
  spec: { name: string } | null;
}

/** Pure: what differs between what is said and what is wanted, by name. What is not wanted stays, unless `prune`. */
export function changesOf(now: readonly { name: string }[], wanted: readonly { name: string }[], prune: boolean): Change[] {
  const said = new Map(now.map((spec) => [spec.name, spec]));
  const names = new Set(wanted.map(({ name }) => name));
  const kept = wanted.map((spec): Change => {
    const before = said.get(spec.name);
    if (!before) return { name: spec.name, change: 'added', paths: [], spec };
    const paths = differing(before, spec);
    return { name: spec.name, change: paths.length === 0 ? 'same' : 'changed', paths, spec };
  });
  const gone = prune ? now.filter(({ name }) => !names.has(name)).map(({ name }): Change => ({ name, change: 'removed', paths: [], spec: null })) : [];
  return [...kept, ...gone].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Paths of what is not the same, such as `interfaces.ipmi.port` and `workers[0].group`; a list that grew or shrank is one path. */
export function differing(one: unknown, other: unknown, path = ''): string[] {
  if (Array.isArray(one) && Array.isArray(other) && one.length === other.length) return one.flatMap((item, index) => differing(item, other[index], `${path}[${index}]`));
  if (isObject(one) && isObject(other)) {
    const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])].sort();
    return keys.flatMap((key) => differing(one[key], other[key], path === '' ? key : `${path}.${key}`));
  }
  return one === other ? [] : [path];
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
