import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findNatsServer, resolveHome } from '@berth/embedded/servers';
import { atEndOfFile, tempFolder } from './cleanup.js';
import { eventually } from './wait.js';

/** A nats-server as somebody else would run it: with a configuration of their own, until the end of the spec file. */
export async function startOwnNats(conf: string, env: Readonly<Record<string, string>> = {}): Promise<{ port: number; pid: number }> {
  const folder = await tempFolder('own-nats');
  const file = join(folder, 'server.conf');
  await writeFile(file, [`listen: "127.0.0.1:-1"`, `ports_file_dir: ${JSON.stringify(folder)}`, `jetstream { store_dir: ${JSON.stringify(join(folder, 'store'))} }`, conf, ''].join('\n'), { mode: 0o600 });
  const log = openSync(join(folder, 'log'), 'a');
  const server = spawn(await findNatsServer(resolveHome()), ['-c', file], { stdio: ['ignore', log, log], env: { ...process.env, ...env } });
  const gone = new Promise((resolve) => server.once('exit', resolve));
  atEndOfFile(async () => {
    server.kill('SIGTERM');
    await gone;
  });
  const port = await eventually(async () => {
    if (server.exitCode !== null) throw new Error(`nats-server ended: ${await readFile(join(folder, 'log'), 'utf8')}`);
    const text = await readFile(join(folder, `nats-server_${server.pid}.ports`), 'utf8');
    return Number(/"nats":\s*\[\s*"[a-z]+:\/\/[^"]*:(\d+)"/.exec(text)?.[1]) || false;
  }, { timeoutMs: 15_000 });
  return { port, pid: server.pid! };
}
