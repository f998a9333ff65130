import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { jetStreamFeed, jetStreamStore, requestsOf } from '@berth/event-store';
import { startFleet, startTestSshd } from '../support/fleet.js';
import { cpuShares, cpuTimes, interleaved, median, ms, percentile, rate, sustained, times, type Row } from './measure.js';

/** Lease latency, lease cycles and replay: lease, allocator and gateway each in a process of its own. */
export async function leases(): Promise<Row[]> {
  const fleet = await startFleet({ services: ['lease', 'allocator', 'host-agent-gateway'] });
  const sshd = await startTestSshd();
  await fleet.addMachine('bench', sshd, { slots: 64 });
  const { connection } = fleet.bus;
  const requests = requestsOf(connection);
  const waiting = new Map<string, () => void>();
  connection.subscribe('berth.status.lease.*', {
    callback: (_, message) => {
      const { data } = message.json<{ data: { id: string; status: string } }>();
      const key = `${data.id} ${data.status}`;
      waiting.get(key)?.();
      waiting.delete(key);
    },
  });
  const until = (id: string, status: string) => new Promise<void>((resolve) => waiting.set(`${id} ${status}`, resolve));
  const send = (type: string, data: object, id: string = randomUUID()) => requests.ask(`berth.cmd.lease.${type}`, JSON.stringify({ id, type, data }), { timeoutMs: 10_000 });
  const grant = async () => {
    const id = randomUUID();
    const active = until(id, 'active');
    void send('RequestLease', { type: 'host', attributes: { remote: 'yes' } }, id);
    await active;
    return id;
  };
  const giveBack = async (id: string) => {
    const gone = until(id, 'destroyed');
    void send('ReleaseLease', { lease: id });
    await gone;
  };
  const cycle = async () => giveBack(await grant());
  const payload = new Uint8Array(200);
  const publish = () => requests.ask(`berth.out.${randomUUID()}`, payload, { timeoutMs: 10_000 });

  const processes = { 'nats-server': fleet.nats.pid, lease: fleet.services.lease.pid, allocator: fleet.services.allocator.pid, gateway: fleet.services['host-agent-gateway'].pid, benchmark: process.pid };

  for (let i = 0; i < 300; i++) await cycle();
  const granted: string[] = [];
  const pure = { ours: [] as number[], floor: [] as number[] };
  for (let batch = 0; batch < 10; batch++) {
    const round = await interleaved(50, async () => granted.push(await grant()), publish);
    pure.ours.push(...round.ours);
    pure.floor.push(...round.floor);
    await Promise.all(granted.splice(0).map(giveBack));
  }

  const raw = await sustained(50, 2000, publish);
  const before = cpuTimes(processes);
  const begun = performance.now();
  const cycles = await sustained(50, 5000, cycle);
  const shares = cpuShares(before, cpuTimes(processes), performance.now() - begun);
  const WRITES = 8;

  const store = jetStreamStore(connection);
  const replayOnce = async () => {
    let count = 0;
    const start = performance.now();
    const feed = await store.feed(0, () => void count++, (error) => {
      throw error;
    });
    await feed.live;
    const spent = performance.now() - start;
    await feed.stop();
    return count / (spent / 1000);
  };
  const rawReplay = async () => {
    let count = 0;
    const start = performance.now();
    const feed = await jetStreamFeed(connection, 'BERTH_EVENTS', 0, () => void count++, (error) => {
      throw error;
    });
    await feed.live;
    const spent = performance.now() - start;
    await feed.stop();
    return count / (spent / 1000);
  };
  const clientReplay = async () => {
    const js = connection.jetstream();
    const consumer = await js.consumers.get('BERTH_EVENTS');
    const total = (await (await connection.jetstreamManager()).streams.info('BERTH_EVENTS')).state.messages;
    let count = 0;
    const start = performance.now();
    const messages = await consumer.consume({ max_messages: 2000 });
    for await (const message of messages) {
      void message.data;
      if (++count >= total) break;
    }
    const spent = performance.now() - start;
    await messages.close();
    return count / (spent / 1000);
  };
  const rates = { ours: [] as number[], raw: [] as number[], client: [] as number[] };
  for (let i = 0; i < 5; i++) {
    rates.client.push(await clientReplay());
    rates.raw.push(await rawReplay());
    rates.ours.push(await replayOnce());
  }

  const p50 = median(pure.ours) / median(pure.floor);
  const floorRate = raw.perSecond / WRITES;
  return [
    { what: 'lease request -> active, free host, p50', ours: ms(median(pure.ours)), floor: `${ms(median(pure.floor))} acknowledged publish`, ratio: times(p50), aim: '<= 10x', met: p50 <= 10 },
    { what: 'lease request -> active, free host, p99', ours: ms(percentile(pure.ours, 0.99)), floor: ms(percentile(pure.floor, 0.99)), ratio: times(percentile(pure.ours, 0.99) / percentile(pure.floor, 0.99)), aim: '', met: undefined },
    { what: 'lease cycles, 50 at once', ours: rate(cycles.perSecond), floor: `${rate(floorRate)} (${WRITES} raw writes each)`, ratio: times(cycles.perSecond / floorRate), aim: '>= 2,000/s', met: cycles.perSecond >= 2000 },
    { what: 'what limits it: cores busy during the cycles', ours: shares, floor: `${availableParallelism()} cores`, ratio: '', aim: '', met: undefined },
    { what: 'lease cycle, 50 at once, p50 / p99', ours: `${ms(median(cycles.times))} / ${ms(percentile(cycles.times, 0.99))}`, floor: '', ratio: '', aim: '', met: undefined },
    { what: 'replay', ours: rate(median(rates.ours), ' events'), floor: `${rate(median(rates.client))} client's consumer, ${rate(median(rates.raw))} our feed undecoded`, ratio: times(median(rates.ours) / median(rates.client)), aim: '>= 0.5x', met: median(rates.ours) >= 0.5 * median(rates.client) },
  ];
}
