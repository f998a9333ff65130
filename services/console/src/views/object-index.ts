import type { Needed } from '@berth/contracts';

/** Binds a value; answers with its place in the statement. */
type Bind = (value: unknown) => string;

/** What the warehouse says of an object itself: the same of most of them, or made of several rows. */
const facts: ReadonlySet<string> = new Set(['target', 'kind', 'os.name', 'os.version', 'arch', 'bytes', 'status', 'revoked']);

/**
 * What rows of versions are, whose objects a query can hold for: in SQL, of what has an index. Objects of such versions are asked
 * all the same, since the query may want more.
 *
 * @returns undefined when that can be any version
 */
export function conditionOf(needs: Needed, bind: Bind): string | undefined {
  if ('all' in needs) return joined(needs.all.map((one) => conditionOf(one, bind)).filter((one) => one !== undefined), 'AND');
  if ('any' in needs) {
    const any = needs.any.map((one) => conditionOf(one, bind));
    return any.includes(undefined) ? undefined : joined(any.filter((one) => one !== undefined), 'OR');
  }
  const { name, value, is } = needs;
  // One version of each image has a number: as good as any.
  if (name === 'version') return /^[1-9]\d{0,8}$/.test(value) ? `row.number = ${bind(Number(value))}` : undefined;
  // As a number it is equal to other texts too.
  if (facts.has(name) || is === 'number') return undefined;
  if (name === 'image') return `row.image = ${bind(value)}`;
  const given = contains('attributes', name, value, bind);
  return name.startsWith('label.') ? `(${contains('labels', name.slice('label.'.length), value, bind)} OR ${given})` : given;
}

const contains = (column: 'labels' | 'attributes', name: string, value: string, bind: Bind): string => `row.${column} @> CAST(${bind(JSON.stringify({ [name]: value }))} AS jsonb)`;
const joined = (parts: readonly string[], by: 'AND' | 'OR'): string | undefined => (parts.length === 0 ? undefined : `(${parts.join(` ${by} `)})`);
