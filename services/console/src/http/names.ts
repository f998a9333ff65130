import { name as nameSchema } from '@berth/contracts';
import { HttpProblem } from './problem.js';

/**
 * A body with the name that the path says.
 * @throws {HttpProblem} the body says another one
 */
export function named(body: Record<string, unknown>, name: string, what: string): Record<string, unknown> {
  if (body['name'] === undefined || body['name'] === name) return { ...body, name };
  const message = `is ${JSON.stringify(body['name'])}, but the path says ${JSON.stringify(name)}: leave it out or make them agree`;
  throw new HttpProblem('invalid-data', `The ${what} is refused: name ${message}.`, [{ field: 'name', message }]);
}

/** A name as it may be; nothing has any other. */
export function nameIn(name: string, unknown: (name: string) => HttpProblem): string {
  if (!nameSchema.safeParse(name).success) throw unknown(name);
  return name;
}
