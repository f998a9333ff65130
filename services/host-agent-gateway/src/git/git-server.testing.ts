import { execFileSync, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export interface GitServer {
  url: string;
  token: string;
  /** Of all processes, each time that somebody who has the token asks. */
  commandLines: string[];
  close(): Promise<void>;
}

/** Repositories of a folder over HTTP; `/closed/` wants a token, `/forbidden/` lets nobody in, `/broken/` fails. */
export async function gitServer(folder: string): Promise<GitServer> {
  const backend = join(execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim(), 'git-http-backend');
  const self = { token: '', commandLines: [] as string[] };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://x');
    const refuse = (status: number) => void response.writeHead(status, status === 401 ? { 'www-authenticate': 'Basic realm="x"' } : {}).end();
    if (url.pathname.startsWith('/forbidden/')) return refuse(403);
    if (url.pathname.startsWith('/broken/')) return refuse(503);
    const closed = url.pathname.startsWith('/closed/');
    if (closed) {
      if (request.headers.authorization !== `Basic ${Buffer.from(`x-access-token:${self.token}`).toString('base64')}`) return refuse(401);
      self.commandLines.push(execFileSync('ps', ['-A', '-ww', '-o', 'args='], { encoding: 'utf8' }));
    }
    const child = spawn(backend, {
      env: { ...process.env, GIT_PROJECT_ROOT: folder, GIT_HTTP_EXPORT_ALL: '1', PATH_INFO: url.pathname.replace(/^\/closed/, ''), QUERY_STRING: url.search.slice(1), REQUEST_METHOD: request.method, CONTENT_TYPE: request.headers['content-type'] ?? '', GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''), HTTP_CONTENT_ENCODING: String(request.headers['content-encoding'] ?? '') },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    request.pipe(child.stdin);
    let said = Buffer.alloc(0);
    child.stdout.on('data', (part: Buffer) => (said = Buffer.concat([said, part])));
    child.on('close', () => {
      const end = said.indexOf('\r\n\r\n');
      const headers = said.subarray(0, end).toString().split('\r\n').map((line) => line.split(': ') as [string, string]);
      const status = headers.find(([name]) => name === 'Status')?.[1];
      response.writeHead(status === undefined ? 200 : Number.parseInt(status), Object.fromEntries(headers.filter(([name]) => name !== 'Status'))).end(said.subarray(end + 4));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(self, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  });
}
