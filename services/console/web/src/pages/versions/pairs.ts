/** Names and values, one a line: NAME=VALUE. */
export const textOf = (pairs: Readonly<Record<string, string>>): string => Object.entries(pairs).map(([name, value]) => `${name}=${value}`).join('\n');

/** Pure: lines such as os.codename=bookworm. Those that are none of that kind are `wrong`, by their numbers. */
export function pairsIn(text: string): { given: Record<string, string>; wrong: readonly number[] } {
  const given: Record<string, string> = {};
  const wrong: number[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    const match = /^\s*([A-Za-z][A-Za-z0-9._-]*)\s*=\s*(.*?)\s*$/.exec(line);
    if (match) given[match[1]!] = match[2]!;
    else if (line.trim() !== '') wrong.push(i + 1);
  }
  return { given, wrong };
}

/** Pure: what is to be sent so that `after` is what there is: an empty value takes a name away. */
export const changesOf = (before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): Record<string, string> => ({
  ...Object.fromEntries(Object.keys(before).filter((name) => !(name in after)).map((name) => [name, ''])),
  ...Object.fromEntries(Object.entries(after).filter(([name, value]) => before[name] !== value)),
});

/** Pure: what there is once that was done: an empty value takes a name away. */
export const changed = (now: Readonly<Record<string, string>>, changes: Readonly<Record<string, string>>): Record<string, string> => Object.fromEntries(Object.entries({ ...now, ...changes }).filter(([, value]) => value !== ''));
