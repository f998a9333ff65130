import { expect, it, vi } from 'vitest';
import type { Runtime } from '@berth/runtime';
import type { Grants } from './domain/grants.js';
import { Links } from './links.js';
import { HostError } from './transports/errors.js';
import type { HostPool, HostListener } from './transports/pool.js';

const DOWN = new HostError('unreachable', 'connection refused');

/** One host in service, whose link and whose record the test changes. */
function oneHost() {
  const told: { reachable: boolean; answer: () => void }[] = [];
  const host: { problem?: string } & Record<string, unknown> = { name: 'north', active: true, access: { transport: 'ssh', address: '127.0.0.1', port: 22, user: 'root', credential: 'file:/key', folder: '/berth' } };
  const bus = { command: (_service: string, _type: string, { reachable }: { reachable: boolean }) => new Promise<void>((resolve) => told.push({ reachable, answer: resolve })) };
  let link!: HostListener;
  const pool = { watch: (_host: unknown, watcher: HostListener) => ((link = watcher), () => undefined), release: () => Promise.resolve() };
  const runtime = { bus, log: { warn: vi.fn() } } as unknown as Runtime;
  const links = new Links(runtime, { hosts: new Map([['1', host]]) } as unknown as Grants, pool as unknown as HostPool, () => 7, { up: () => undefined, over: () => undefined });
  links.mind('1');
  return { told, host, links, link, settled: () => new Promise((resolve) => setImmediate(resolve)) };
}

it('tells of a host that came up while it was being told that it is down, also when that is on record before the answer', async () => {
  const { told, host, links, link, settled } = oneHost();
  link.down(DOWN);
  link.up(undefined as never);
  host.problem = DOWN.message;
  links.mind('1');
  told[0]!.answer();
  await settled();
  expect(told.map(({ reachable }) => reachable)).toEqual([false, true]);
  delete host.problem;
  links.mind('1');
  told[1]!.answer();
  await settled();
  expect(told).toHaveLength(2);
});

it('tells a thing once, however often it is looked at', async () => {
  const { told, host, links, link, settled } = oneHost();
  link.down(DOWN);
  links.mind('1');
  told[0]!.answer();
  host.problem = DOWN.message;
  await settled();
  links.mind('1');
  expect(told).toHaveLength(1);
});
