import { some } from './fault.js';

/** The longest name that is compared in full. */
const COMPARED = 64;
/** Names that are looked at. */
const MOST = 2000;

/** Those of the names that are most like what was wanted, in words; special characters of a pattern count as nothing. */
export function closest(wanted: string, names: readonly string[]): string {
  const text = wanted.replace(/[*?]|\[.*?\]/g, '').toLowerCase();
  const ranked = names
    .slice(0, MOST)
    .map((name) => ({ name, apart: distance(text, name.replace(/\/$/, '').toLowerCase()) }))
    .sort((a, b) => a.apart - b.apart || (a.name < b.name ? -1 : 1));
  return some([...ranked.map(({ name }) => name), ...names.slice(MOST)]);
}

/** How many characters have to be put in, taken out or changed. */
export function distance(a: string, b: string): number {
  const [from, to] = [[...a].slice(0, COMPARED), [...b].slice(0, COMPARED)];
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, char] of from.entries()) {
    const next = [i + 1];
    for (const [j, other] of to.entries()) next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (char === other ? 0 : 1)));
    row = next;
  }
  return row.at(-1) ?? 0;
}
