import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';

/** The port remembered in a file, or undefined when there is none (or rubbish). */
export async function rememberedPort(file: string): Promise<number | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const port = Number(text.trim());
  return Number.isInteger(port) && port > 0 && port < 65536 ? port : undefined;
}

/** Remembers a port, so that whoever knows the address still finds us after a restart. */
export async function rememberPort(file: string, port: number): Promise<void> {
  await writeFile(file, `${port}\n`, { mode: 0o600 });
}

/** Whether nobody listens on the port now. */
export async function isFree(host: string, port: number): Promise<boolean> {
  return (await listenOnce(host, port)) !== undefined;
}

/**
 * A port that was free a moment ago. Somebody may take it before its user listens: callers try again with another.
 * (nats-server picks its own, see there; this is for servers that cannot.)
 */
export async function freePort(host: string): Promise<number> {
  const port = await listenOnce(host, 0);
  if (port === undefined) throw new Error(`no port can be opened on ${host}: check that the address exists on this machine`);
  return port;
}

function listenOnce(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
}
