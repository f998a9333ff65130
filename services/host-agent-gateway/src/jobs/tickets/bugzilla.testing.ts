import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BugzillaError, Bugs, workflows, type Workflow } from './bugzilla-bugs.testing.js';
import { search, shown } from './bugzilla-search.testing.js';

/** What goes wrong with the next request that fits. */
export interface Mishap {
  method: string;
  path: RegExp;
  /** `lost`: it takes effect, and its answer does not come; `silent`: neither; a number: that status, and no effect */
  how: 'lost' | 'silent' | 'away' | number;
}

/** HTTP statuses of errors: REST_STATUS_CODE_MAP of Bugzilla 5.0; the others are 400. */
const statusOf: Record<number, number> = { 51: 404, 101: 404, 102: 401, 106: 401, 109: 401, 115: 401, 410: 401 };

/**
 * A stand-in for Bugzilla: its REST API over HTTP as far as tickets need it, and stricter, because it refuses all that it does not
 * know. Written from https://bugzilla.readthedocs.io/en/5.0/api/core/v1/ and Bugzilla's sources.
 */
export class BugzillaStandIn {
  readonly seen: { method: string; path: string }[] = [];
  readonly mishaps: Mishap[] = [];

  private constructor(
    readonly bugs: Bugs,
    private readonly key: string,
    private readonly server: Server,
  ) {}

  static async start({ key = 'a'.repeat(40), workflow = 'default' as Workflow, leavesOut = [] as string[], needsType = false } = {}): Promise<BugzillaStandIn> {
    const server = createServer();
    const bugs = new Bugs({ Ops: ['Hardware'], Inventory: ['Machines'] }, workflow, leavesOut, needsType);
    const made = new BugzillaStandIn(bugs, key, server);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      let body = '';
      request.setEncoding('utf8').on('data', (part: string) => (body += part)).on('end', () => made.answer(request, body, response));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return made;
  }

  /** With a folder, as many Bugzillas have. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/zilla`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer(request: IncomingMessage, body: string, response: ServerResponse): void {
    const { method = '', url = '' } = request;
    this.seen.push({ method, path: url });
    const at = this.mishaps.findIndex((mishap) => mishap.method === method && mishap.path.test(url));
    const [mishap] = at < 0 ? [] : this.mishaps.splice(at, 1);
    if (mishap?.how === 'silent') return;
    if (mishap?.how === 'away') return void response.writeHead(307, { location: 'http://127.0.0.1:9/' }).end();
    if (typeof mishap?.how === 'number') return void response.writeHead(mishap.how, { 'content-type': 'text/html' }).end('<h1>Not\nnow</h1>');
    const { status, json } = this.carriedOut(request, body);
    if (mishap?.how === 'lost') return void request.socket.destroy();
    response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' }).end(JSON.stringify(json));
  }

  private carriedOut({ method = '', url = '', headers }: IncomingMessage, body: string): { status: number; json: unknown } {
    try {
      const given = headers['x-bugzilla-api-key'];
      if (given === undefined) throw new BugzillaError(410, 'You must log in before using this part of Bugzilla.');
      if (given !== this.key) throw new BugzillaError(306, `The API key you specified, ${String(given)}, is invalid. Please check that you typed it correctly.`);
      if (body !== '' && !headers['content-type']?.startsWith('application/json')) throw new BugzillaError(32_000, 'The content type is not known.');
      return this.routed(method, new URL(url, 'http://here'), body === '' ? {} : (JSON.parse(body) as Record<string, unknown>));
    } catch (error) {
      if (!(error instanceof BugzillaError)) throw error;
      return { status: statusOf[error.code] ?? 400, json: { error: true, code: error.code, message: error.message, documentation: 'https://bugzilla.readthedocs.io/' } };
    }
  }

  private routed(method: string, { pathname, searchParams: query }: URL, body: Record<string, unknown>): { status: number; json: unknown } {
    const [, kind, id, more] = /^\/zilla\/rest\/(bug|field)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(pathname) ?? [];
    const include = query.get('include_fields');
    if (kind === 'field' && method === 'GET' && id === 'bug' && more === 'bug_status') return { status: 200, json: { fields: [{ name: 'bug_status', values: this.statuses() }] } };
    if (kind === 'bug' && id === undefined && method === 'GET') return { status: 200, json: { bugs: search(this.bugs, query).map((bug) => shown(bug, include)) } };
    // 201 is what 5.0 answers here; its documentation shows the id alone.
    if (kind === 'bug' && id === undefined && method === 'POST') return { status: 201, json: { id: this.bugs.create(body) } };
    if (kind === 'bug' && id !== undefined && more === undefined && method === 'GET') return { status: 200, json: { faults: [], bugs: [shown(this.bugs.get(decodeURIComponent(id)), include)] } };
    if (kind === 'bug' && id !== undefined && more === undefined && method === 'PUT') return { status: 200, json: { bugs: [{ id: this.bugs.update(decodeURIComponent(id), body).id, changes: {} }] } };
    if (kind === 'bug' && id !== undefined && more === 'comment' && method === 'GET') {
      const bug = this.bugs.get(decodeURIComponent(id));
      return { status: 200, json: { bugs: { [bug.id]: { comments: bug.comments.map((text) => ({ text })) } }, comments: {} } };
    }
    throw new BugzillaError(32_000, `No API resource for ${method} ${pathname}.`);
  }

  private statuses() {
    const names = (list: readonly string[]) => list.map((name) => ({ name, comment_required: false }));
    const { first, to } = workflows[this.bugs.workflow];
    return [
      { name: null, can_change_to: names([first]) }, // a bug that is new
      ...Object.entries(to).map(([name, next]) => ({ name, is_open: !['RESOLVED', 'VERIFIED'].includes(name), can_change_to: names(next) })),
    ];
  }
}
