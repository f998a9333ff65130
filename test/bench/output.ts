import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, consumerOpts, headers as natsHeaders, type NatsConnection } from 'nats';
import { outputHeaders, subjects, type Commit } from '@berth/contracts';
import { jetStreamStore } from '@berth/event-store';
import { addressOptions, streams } from '@berth/nats';
import { atEndOfFile } from '../support/cleanup.js';
import { startTestNats } from '../support/nats.js';
import { startChild } from './child.js';
import { newEnvironment, startConsole, type Console } from './console-process.js';
import { cpuTimes, timed, times, type Row } from './measure.js';
import type { Order, Told } from './pouring.js';

const MIB = 1024 * 1024;
const CHUNK = 64 * 1024;
const FOLLOWERS = 1000;
const FOLLOWED_MIB = 20;
const LONG_MIB = 1024;
/** Followers of the long log that take nothing. */
const STALLED = 100;
/** Chunks on their way to the server, as many as the gateway has. */
const WINDOW = 64;

/** One log for very many, and one very long log: through the console, with the console in a process of its own. */
export async function output(): Promise<Row[]> {
  const nats = await startTestNats({ users: true });
  const connection = await connect(addressOptions(nats.urlOf('admin')));
  atEndOfFile(() => connection.close());
  const console = await startConsole(await newEnvironment(nats.urlOf('console')));
  return [...(await followers(connection, console)), ...(await longLog(connection, console))];
}

async function followers(connection: NatsConnection, { url, token, pid }: Console): Promise<Row[]> {
  const bytes = FOLLOWED_MIB * MIB;
  const all = (FOLLOWERS * bytes) / MIB;

  const server = child();
  const own = server.next<{ url: string }>('url');
  server.order({ serve: { mib: FOLLOWED_MIB } });
  const plain = child();
  const plainWaiting = plain.next('waiting');
  plain.order({ drink: { url: (await own).url, token, connections: FOLLOWERS, bytes } });
  await plainWaiting;
  const floorWork = cpu(server.pid);
  const floor = await timed(async () => {
    const drunk = plain.next('drunk');
    server.order({ pour: true });
    await drunk;
  });
  const floorCpu = floorWork();
  server.end();
  plain.end();

  const action = await begin(connection);
  const before = rss(pid);
  const drinker = child();
  const waiting = drinker.next('waiting');
  drinker.order({ drink: { url: `${url}/api/v1/actions/${action.id}/log?follow=true`, token, connections: FOLLOWERS, bytes } });
  await waiting;
  const work = cpu(pid);
  const ours = await timed(async () => {
    const drunk = drinker.next('drunk');
    await action.print(FOLLOWED_MIB);
    await action.end();
    await drunk;
  });
  const ownCpu = work();
  drinker.end();
  const speed = (spent: number) => `${(all / (spent / 1000)).toFixed(0)} MiB/s`;
  const share = floor / ours;
  return [
    { what: `${FOLLOWERS} followers of one log of ${FOLLOWED_MIB} MiB, in all`, ours: speed(ours), floor: `${speed(floor)} a plain server, from memory`, ratio: times(share), aim: '>= 0.5x', met: share >= 0.5 },
    { what: '... CPU of the console for each GiB', ours: `${((ownCpu / all) * 1.024).toFixed(2)} s`, floor: `${((floorCpu / all) * 1.024).toFixed(2)} s of the plain server`, ratio: times(ownCpu / floorCpu), aim: '<= 2x', met: ownCpu <= 2 * floorCpu },
    { what: '... memory of the console, before, highest', ours: `${before}, ${peak(pid)} MiB`, floor: '', ratio: '', aim: '<= 600 MiB', met: peak(pid) <= 600 },
  ];
}

async function longLog(connection: NatsConnection, { url, token, berth, pid }: Console): Promise<Row[]> {
  const manager = await connection.jetstreamManager();
  const bare = await begin(connection);
  const floor = await timed(() => bare.print(LONG_MIB));
  const consumed = await timed(() => consume(connection, bare.id));
  await manager.streams.purge(streams.output.name, { filter: subjects.output(bare.id) });

  const action = await begin(connection);
  const before = rss(pid);
  const stalled = child();
  const stalling = stalled.next('waiting');
  stalled.order({ stall: { url: `${url}/api/v1/actions/${action.id}/log?follow=true`, token, connections: STALLED } });
  await stalling;
  const follower = child();
  const waiting = follower.next('waiting');
  const drunk = follower.next('drunk');
  follower.order({ drink: { url: `${url}/api/v1/actions/${action.id}/log?follow=true`, token, connections: 1, bytes: LONG_MIB * MIB } });
  await waiting;
  const ours = await timed(async () => {
    await action.print(LONG_MIB);
    await action.end();
    await drunk;
  });
  const after = rss(pid);
  const reader = child();
  const read = await timed(async () => {
    const over = reader.next('drunk');
    reader.order({ drink: { url: `${url}/api/v1/actions/${action.id}/log`, token, connections: 1, bytes: LONG_MIB * MIB } });
    await over;
  });
  let found = 0;
  const searched = await timed(async () => (found = (await berth.actions.search(action.id, { text: 'not to be found', ignoreCase: false })).items.length));
  if (found !== 0) throw new Error(`${found} lines have a text that none has`);
  const last = await timed(async () => {
    for await (const _ of berth.actions.log(action.id, { tail: 100 }));
  });
  const end = rss(pid);
  stalled.end();
  follower.end();
  reader.end();
  const speed = (spent: number) => `${(LONG_MIB / (spent / 1000)).toFixed(0)} MiB/s`;
  const grown = Math.max(after, end) - before;
  return [
    { what: `a log of ${LONG_MIB} MiB, written and followed, while ${STALLED} others take nothing`, ours: speed(ours), floor: `${speed(floor)} stored, and read by nobody`, ratio: times(floor / ours), aim: '>= 0.5x', met: floor / ours >= 0.5 },
    { what: '... read once it is stored', ours: speed(read), floor: `${speed(consumed)} a bare consumer of the stream`, ratio: times(consumed / read), aim: '>= 0.5x', met: consumed / read >= 0.5 },
    { what: '... searched for what is not there', ours: speed(searched), floor: '', ratio: '', aim: '', met: undefined },
    { what: '... its last 100 lines after that', ours: `${last.toFixed(0)} ms`, floor: '', ratio: '', aim: '<= 200 ms', met: last <= 200 },
    { what: '... memory of the console, before, after', ours: `${before}, ${end} MiB`, floor: '', ratio: '', aim: '<= 200 MiB more', met: grown <= 200 },
  ];
}

/** A running action, and the gateway's side of its output. */
async function begin(connection: NatsConnection) {
  const id = randomUUID();
  const store = jetStreamStore(connection);
  const commit = (...events: Commit['events']): Commit => ({ id: randomUUID(), at: new Date().toISOString(), actor: 'bench', cause: 'bench', events });
  const position = await store.append('action', id, 0, commit({ type: 'ActionRequested', data: { lease: randomUUID(), token: 1, spec: { kind: 'run-command', command: 'true' } } }, { type: 'ActionStarted', data: {} }));
  let offset = 0;
  return {
    id,
    async print(mib: number): Promise<void> {
      const chunk = Buffer.from('2030-01-01 12:00:00 compiling src/some/file/of/the/project.c with flags -O2 -g -Wall\n'.repeat(800)).subarray(0, CHUNK);
      const end = offset + mib * MIB;
      const side = async () => {
        while (offset < end) {
          const headers = natsHeaders();
          headers.set(outputHeaders.stream, 'stdout');
          headers.set(outputHeaders.offset, String(offset));
          headers.set(outputHeaders.time, new Date().toISOString());
          offset += CHUNK;
          await connection.request(subjects.output(id), chunk, { headers, timeout: 60_000 });
        }
      };
      await Promise.all(Array.from({ length: WINDOW }, side));
    },
    end: () => store.append('action', id, position, commit({ type: 'ActionSucceeded', data: { exitCode: 0, stdoutBytes: offset, stderrBytes: 0 } })),
  };
}

/** Reads an output with the client's own ordered consumer. */
async function consume(connection: NatsConnection, action: string): Promise<void> {
  const subscription = await connection.jetstream().subscribe(subjects.output(action), consumerOpts().orderedConsumer());
  let left = (LONG_MIB * MIB) / CHUNK;
  for await (const _ of subscription) if (--left === 0) break;
  subscription.unsubscribe();
}

const child = () => startChild<Order, Told>('pouring.js');

/** Counts the CPU time of a process from now on, in ms. */
function cpu(pid: number): () => number {
  const used = () => cpuTimes({ it: pid }).get('it') ?? Number.NaN;
  const before = used();
  return () => used() - before;
}

/** Memory of a process in MiB, from /proc, where there is one: now, and the most it ever had. */
const memory = (pid: number, key: string): number => Math.round(Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
const rss = (pid: number) => memory(pid, 'VmRSS');
const peak = (pid: number) => memory(pid, 'VmHWM');
