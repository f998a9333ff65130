/** What a controller says in JSON is looked at field by field: each maker leaves out others. */
type Step = string | number;

/** The JSON of a text, or undefined. */
export function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined; // The caller says what was expected of whom.
  }
}

/** The value at the end of the steps, or undefined. */
export function at(value: unknown, ...steps: Step[]): unknown {
  let here = value;
  for (const step of steps) {
    if (here === null || typeof here !== 'object' || !Object.hasOwn(here, step)) return undefined;
    here = (here as Record<Step, unknown>)[step];
  }
  return here;
}

export function text(value: unknown, ...steps: Step[]): string | undefined {
  const found = at(value, ...steps);
  return typeof found === 'string' ? found : undefined;
}

export function list(value: unknown, ...steps: Step[]): unknown[] | undefined {
  const found = at(value, ...steps);
  return Array.isArray(found) ? found : undefined;
}

/** The addresses of a list of links. */
export function links(value: unknown, ...steps: Step[]): string[] {
  return (list(value, ...steps) ?? []).flatMap((member) => text(member, '@odata.id') ?? []);
}
