import { randomUUID } from 'node:crypto';
import { httpClient, type BerthHttp, type Problem } from '@berth/client';
import { savedPlan, type Role } from '@berth/contracts';
import type { Scripted } from '../scripted.testing.js';

/** Somebody with a token. */
export interface Asker {
  name: string;
  secret: string;
  berth: BerthHttp;
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
}

/** Makes a token, and what asks with it. */
export async function asker(berth: Scripted, name: string, role: Role, projects: string[] | null = null): Promise<Asker> {
  const { secret } = await berth.berth.tokens.create({ name, role, projects });
  return asking(berth, name, secret);
}

export function asking(berth: Scripted, name: string, secret: string): Asker {
  return {
    name,
    secret,
    berth: httpClient({ url: berth.console.url, token: secret }),
    ask: (method, path, body, headers = {}) =>
      fetch(`${berth.console.url}/api/v1/${path}`, {
        method,
        ...(body !== undefined && { body: JSON.stringify(body) }),
        headers: { Authorization: `Bearer ${secret}`, ...(body !== undefined && { 'Content-Type': 'application/json' }), ...headers },
      }),
  };
}

export const problemOf = async (response: Response | Promise<Response>): Promise<Problem> => (await (await response).json()) as Problem;
export const statusAndCode = async (response: Response | Promise<Response>): Promise<[number, string]> => {
  const answer = await response;
  return [answer.status, ((await answer.json()) as Problem).code];
};

const plan = savedPlan.parse({ name: 'p', host: {}, workingCopy: {}, env: {}, steps: [{ name: 'One', run: 'true', env: {} }] });

/** A lease of somebody, for a project or for none. */
export async function leaseOf(berth: Scripted, owner: string, project?: string, id: string = randomUUID()): Promise<string> {
  await berth.happen('lease', id, { type: 'LeaseRequested', data: { type: 'host', owner, ...(project !== undefined && { project }), attributes: {}, blueprints: [], priority: 100 } });
  return id;
}

export async function buildOf(berth: Scripted, initiator: string, project?: string): Promise<string> {
  const id = randomUUID();
  await berth.happen('build', id, { type: 'BuildRequested', data: { plan, planVersion: 1, variables: {}, initiator, ...(project !== undefined && { project }) } });
  return id;
}

export async function actionOf(berth: Scripted, lease: string, kind: 'run-command' | 'terminal' = 'run-command'): Promise<string> {
  const id = randomUUID();
  await berth.happen('action', id, { type: 'ActionRequested', data: { lease, token: 1, spec: kind === 'terminal' ? { kind, tty: true } : { kind, command: 'true' } } });
  return id;
}
