import { HttpProblem } from '../http/problem.js';
import { BUILT_IN } from '../domain/token.js';
import { isAtLeast } from './permissions.js';
import type { Principal } from './principal.js';

/**
 * What somebody asks for, made to act for whom it may: for one of its projects, and under its own name. Operators without
 * projects may ask for anybody. The token of the installation is nobody's in particular: what it leaves out stays out.
 *
 * @param label what the owner is called in that request
 * @throws {HttpProblem} it says another project or another name, or wants a machine for itself
 */
export function forAsker(who: Principal | null, body: Record<string, unknown>, label: 'owner' | 'initiator'): Record<string, unknown> {
  if (who === null) return body;
  if (body['exclusive'] !== undefined && !who.permissions.has('fleet:write')) {
    throw new HttpProblem('forbidden', 'The request is refused: a whole machine is had by those alone who may take hosts out of service.', [{ field: 'exclusive', message: 'needs fleet:write: leave it out, or ask for a hardware job' }]);
  }
  return withName(who, withProject(who, body), label);
}

function withProject(who: Principal, body: Record<string, unknown>): Record<string, unknown> {
  if (who.projects === null) return body;
  const { project } = body;
  const own = who.projects.join(', ');
  if (project === undefined) {
    if (who.projects.length === 1) return { ...body, project: who.projects[0] };
    throw new HttpProblem('invalid-data', 'The request is refused: it must say for which project.', [{ field: 'project', message: `must be one of ${own}` }]);
  }
  if (typeof project === 'string' && who.projects.includes(project)) return body;
  throw new HttpProblem('forbidden', 'The request is refused: you may not act for that project.', [{ field: 'project', message: `must be one of ${own}` }]);
}

function withName(who: Principal, body: Record<string, unknown>, label: 'owner' | 'initiator'): Record<string, unknown> {
  const given = body[label];
  if (given === undefined && who.name !== BUILT_IN) return { ...body, [label]: who.name };
  if (given === who.name || isAtLeast(who.role, 'operator')) return body;
  throw new HttpProblem('forbidden', `The request is refused: you may not ask in another's name.`, [{ field: label, message: `must be ${JSON.stringify(who.name)}, or be left out` }]);
}

/**
 * Who says something in a message: the asker, unless an operator says it for somebody else.
 * @throws {HttpProblem} somebody else's name
 */
export function saidBy(who: Principal | null, body: Record<string, unknown>): Record<string, unknown> {
  if (who === null) return body;
  const { by } = body;
  if (by === undefined && who.name !== BUILT_IN) return { ...body, by: who.name };
  if (by === who.name || isAtLeast(who.role, 'operator')) return body;
  throw new HttpProblem('forbidden', `The request is refused: you may not speak in another's name.`, [{ field: 'by', message: `must be ${JSON.stringify(who.name)}, or be left out` }]);
}
