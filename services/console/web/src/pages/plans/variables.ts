import type { SavedPlan } from '@berth/contracts';

/** What may be given to a build of a plan. */
export type Variable = NonNullable<SavedPlan['variables']>[string];
export type Values = Readonly<Record<string, string>>;

/** Pure: what stands in the form at first. */
export function initialOf(variables: Readonly<Record<string, Variable>>): Values {
  return Object.fromEntries(Object.entries(variables).map(([name, variable]) => [name, variable.default ?? '']));
}

/** Pure: what is asked for. What stands as the plan has it is left to the plan; an empty value is one only where the plan has another. */
export function givenOf(variables: Readonly<Record<string, Variable>>, values: Values): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, variable]) => {
      const value = values[name] ?? '';
      return value === (variable.default ?? '') ? [] : [[name, value]];
    }),
  );
}

/** Pure: lines such as NAME=VALUE, for a plan that names no variables. The lines that are none of that kind are `wrong`. */
export function linesOf(text: string): { given: Record<string, string>; wrong: readonly number[] } {
  const given: Record<string, string> = {};
  const wrong: number[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    const match = /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line);
    if (match) given[match[1]!] = match[2]!;
    else if (line.trim() !== '') wrong.push(i + 1);
  }
  return { given, wrong };
}
