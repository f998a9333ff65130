import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { jobTasks } from '@berth/contracts';
import { HttpProblem } from '../http/problem.js';
import { NOBODY } from './audit.js';
import { taskclusterClient, type Principal } from './principal.js';

/** How long the auth service may take: whoever asks waits for it. */
const PATIENCE_MS = 5000;

/** What is asked of the auth service, as it names the fields. */
interface Asked {
  method: string;
  resource: string;
  host: string;
  port: number;
  authorization: string;
}

const answer = z.union([
  z.object({ status: z.literal('auth-success'), scopes: z.array(z.string()), clientId: z.string() }),
  z.object({ status: z.literal('auth-failed'), message: z.string() }),
  // Said of what has no credentials; there were some, so it is no admission.
  z.object({ status: z.literal('no-auth') }),
]);

/** A request as far as its signature covers it. */
export interface Signed {
  headers: IncomingHttpHeaders;
  method: string;
  /** with its query, as it was sent */
  url: string;
}

/** Whether somebody shows credentials of Taskcluster. */
export const isHawk = (authorization: string | undefined): authorization is string => authorization !== undefined && /^hawk /i.test(authorization);

/** Whether scopes permit something; one that ends with `*` permits all that begins as it does. */
export const permits = (scopes: readonly string[], wanted: string): boolean => scopes.some((scope) => scope === wanted || (scope.endsWith('*') && wanted.startsWith(scope.slice(0, -1))));

/** The auth service of a deployment of Taskcluster: it says whose a signature is, and what that client may do. */
export class Taskcluster {
  /**
   * @param root of the deployment, without a slash at its end
   * @param secure whether askers speak TLS: a signature covers the port, and the usual one stands in no header
   */
  constructor(
    private readonly root: string,
    private readonly secure: () => boolean,
    private readonly patienceMs: number = PATIENCE_MS,
  ) {}

  /**
   * Whoever signed a request, with the tasks that its scopes permit: `berth:jobs:<task>`.
   * @throws {HttpProblem} unavailable, when the auth service does not say: that is no refusal
   */
  async admit({ headers, method, url }: Signed): Promise<{ who: Principal; subject: null } | { refusal: HttpProblem; actor: string; wrong: boolean }> {
    const asked: Asked = { method: method.toLowerCase(), resource: url, ...this.place(headers.host ?? ''), authorization: headers.authorization ?? '' };
    const said = await this.ask(asked);
    if (said.status === 'auth-success') {
      const tasks = jobTasks.filter((task) => permits(said.scopes, `berth:jobs:${task}`));
      return { who: taskclusterClient(said.clientId, tasks), subject: null };
    }
    const why = said.status === 'auth-failed' ? said.message.slice(0, 300) : 'there are none';
    return { refusal: new HttpProblem('unauthorized', `Taskcluster does not accept these credentials: ${why}`), actor: NOBODY, wrong: true };
  }

  private place(header: string): { host: string; port: number } {
    const [, host = '', port] = /^(.*?)(?::(\d{1,5}))?$/.exec(header) ?? [];
    return { host, port: port === undefined ? (this.secure() ? 443 : 80) : Number(port) };
  }

  private async ask(asked: Asked): Promise<z.output<typeof answer>> {
    try {
      const response = await fetch(`${this.root}/api/auth/v1/authenticate-hawk`, {
        method: 'POST', headers: { 'Content-Type': 'application/json', Accept: 'application/json' }, body: JSON.stringify(asked), redirect: 'error', signal: AbortSignal.timeout(this.patienceMs),
      });
      if (response.status !== 200) throw new Error(`it answers with ${response.status}`);
      return answer.parse(await response.json());
    } catch (error) {
      throw Object.assign(new HttpProblem('unavailable', 'The auth service of Taskcluster does not say who you are: try again in a moment, or show a token of Berth.'), { cause: error });
    }
  }
}
