import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { format } from 'node:util';
import ts from 'typescript';
import { expect, test } from 'vitest';
import * as client from '@berth/client';
import { atEndOfFile } from '../../../test/support/cleanup.js';
import { controllers } from './console.module.js';
import { install } from './console.testing.js';
import { apiOf } from './http/api.js';

/** Routes that a program has no use for, or has under another name. */
const NOT_CALLED = [
  'access.signIn', 'access.signOut', 'oidc.begin', 'oidc.finish', // a program shows its token
  'docs.page', 'docs.style', // for people
  'events.live', // `join`: it is no request
  'leaseFiles.write', // `put`
];

/** Every function of a client, however deep. */
function calls(of: object): ((...args: unknown[]) => unknown)[] {
  return Object.entries(of).flatMap(([name, value]: [string, unknown]) => {
    if (typeof value === 'function') return name === 'join' ? [] : [value as (...args: unknown[]) => unknown];
    return typeof value === 'object' && value !== null ? calls(value) : [];
  });
}

test('the client has a call for every route', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url!.split('?')[0]}`);
    request.resume();
    response.setHeader('Content-Type', 'application/json').end('{"items":[],"cursor":null}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEndOfFile(() => server.closeAllConnections());
  atEndOfFile(() => void server.close());
  const use = async (result: unknown, stop: AbortController): Promise<void> => {
    if (typeof result !== 'object' || result === null || !(Symbol.asyncIterator in result)) return void (await result);
    const before = asked.length;
    const first = (result as AsyncGenerator<unknown>).next();
    await expect.poll(() => asked.length).toBeGreaterThan(before);
    stop.abort();
    await first;
  };
  const own = client.httpClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'x' });
  for (const call of calls(own)) {
    const stop = new AbortController();
    // A file where one is sent, words elsewhere, and the verbs of those that have some. What has no end is told when to end.
    const words = /^\(options/.test(call.toString()) ? [[{ signal: stop.signal }]] : /^\(id, .*followEvents/.test(call.toString()) ? [['a', { signal: stop.signal }]] : /body/.test(call.toString()) ? [['a', 'b', Readable.from(['c'])]] : /verb/.test(call.toString()) ? [['a', 'stop'], ['a', 'restart']] : [['a', 'b', { signal: stop.signal }]];
    for (const own of words) await use(call(...own), stop);
  }
  const { routes } = apiOf(controllers).table;
  const pattern = (path: string) => new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+').replace('*', '.+')}$`);
  const missing = routes.filter(({ method, path }) => !asked.some((one) => one.startsWith(`${method} `) && pattern(path).test(one.slice(method.length + 1))));
  expect(missing.map(({ name }) => name).sort()).toEqual([...NOT_CALLED].sort());
  // And nothing that is not there.
  expect(asked.filter((one) => !routes.some(({ method, path }) => one.startsWith(`${method} `) && pattern(path).test(one.slice(method.length + 1))))).toEqual([]);
});

test('the program in the documentation runs', { timeout: 180_000 }, async () => {
  const berth = await install();
  const page = readFileSync(new URL('../../../docs/how-to/use-the-client.md', import.meta.url), 'utf8');
  const blocks = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);
  expect(blocks.length).toBeGreaterThan(6);
  const { outputText } = ts.transpileModule(blocks.join('\n'), { compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext } });
  const imported: Record<string, object> = { '@berth/client': client, 'node:crypto': await import('node:crypto') };
  const code = outputText.replaceAll(/^import (\{[^}]*\}) from '([^']*)';$/gm, 'const $1 = imported["$2"];');
  let said = '';
  const console = { log: (...args: unknown[]) => void (said += `${format(...args)}\n`) };
  const process = { env: { BERTH_URL: berth.berth.access.url, BERTH_TOKEN: berth.token, NATS_URL: berth.config.natsUrl }, stdout: { write: (chunk: Uint8Array) => void (said += Buffer.from(chunk).toString()) } };
  const program = new Function('imported', 'console', 'process', `return (async () => {${code}})();`) as (...args: unknown[]) => Promise<void>;
  await program(imported, console, process);
  expect(said.split('\n')).toEqual([
    'Berth is ok', expect.stringMatching(/^hello from \w+$/), 'it succeeded', '1 lease of ada: active', 'the same: true', 'unservable: No host fits: pool=nowhere is wanted, there is pool=spec.',
    'LeaseRequested', 'LeaseAcquired', 'LeaseActivated', 'LeaseReleased', 'LeaseDestroyed', 'bob has a lease that is active', '',
  ]);
});
