import { randomUUID } from 'node:crypto';
import { connect, type NatsConnection } from 'nats';
import { jetStreamStore } from '@berth/event-store';
import { applyStreams } from '@berth/nats';
import { atEndOfFile } from '../support/cleanup.js';
import { startTestNats } from '../support/nats.js';
import { startChild } from './child.js';
import { newEnvironment, startConsole } from './console-process.js';
import { between, ms, percentile, times, type Row } from './measure.js';
import { sentNow, type Order, type Told } from './subscribers.js';

const SUBSCRIBERS = 1000;
const PER_SECOND = 20;
const EVENTS = 300;
const AIM_MS = 250;

/** One live feed for very many: from the commit on the bus to each of them, through a console in a process of its own. */
export async function sse(): Promise<Row[]> {
  const nats = await startTestNats();
  const connection = await connect({ servers: nats.url });
  atEndOfFile(() => connection.close());
  await applyStreams(await connection.jetstreamManager());
  const { url, token } = await startConsole(await newEnvironment(nats.url));

  const server = child();
  const own = server.next<{ url: string }>('url');
  server.order({ serve: true });
  const floor = await heard((await own).url, token, async () => void server.order({ emit: frame(sentNow()) }));
  server.end();
  const ours = await heard(`${url}/api/v1/events?kinds=lease`, token, committing(connection));

  const [p50, p99] = [percentile(ours, 0.5), percentile(ours, 0.99)];
  const [floor50, floor99] = [percentile(floor, 0.5), percentile(floor, 0.99)];
  return [
    { what: `an event at ${SUBSCRIBERS} subscribers of the live feed, ${PER_SECOND} a second: median`, ours: ms(p50), floor: `${ms(floor50)} a plain server, from memory`, ratio: times(p50 / floor50), aim: '', met: undefined },
    { what: '... p99, from the commit on', ours: ms(p99), floor: ms(floor99), ratio: times(p99 / floor99), aim: `< ${AIM_MS} ms`, met: p99 < AIM_MS },
  ];
}

const data = { type: 'host', owner: 'bench', attributes: { pool: 'bench' }, blueprints: [], priority: 100 };
/** The bytes that the console sends for the same event. */
const frame = (actor: string): string => `id: 100000\nevent: LeaseRequested\ndata: ${JSON.stringify({ kind: 'lease', id: randomUUID(), type: 'LeaseRequested', data, at: new Date().toISOString(), actor })}\n\n`;

function committing(connection: NatsConnection): () => Promise<void> {
  const store = jetStreamStore(connection);
  return async () => {
    await store.append('lease', randomUUID(), 0, { id: randomUUID(), at: new Date().toISOString(), actor: sentNow(), cause: 'bench', events: [{ type: 'LeaseRequested', data }] });
  };
}

/** Delays of all events at all subscribers of a feed. */
async function heard(url: string, token: string, send: () => Promise<void>): Promise<number[]> {
  const subscribers = child();
  const [listening, delays] = [subscribers.next('listening'), subscribers.next<{ delays: number[] }>('delays')];
  subscribers.order({ listen: { url, token, connections: SUBSCRIBERS, events: EVENTS } });
  await listening;
  const start = performance.now();
  for (let i = 0; i < EVENTS; i++) {
    await between(Math.max(0, start + (i * 1000) / PER_SECOND - performance.now()));
    await send();
  }
  const found = (await delays).delays;
  subscribers.end();
  return found;
}

const child = () => startChild<Order, Told>('subscribers.js');
