import { randomUUID } from 'node:crypto';
import { requestsOf } from '@berth/event-store';
import { startFleet, startTestSshd } from '../support/fleet.js';
import { ms, percentile, rate, sustained, times, type Row } from './measure.js';

/**
 * Four exclusive working copies on one host with four slots; 4 and then 20 requesters take and give back as fast as they can.
 * What more requesters must not do is make it slower.
 */
export async function contention(): Promise<Row[]> {
  const fleet = await startFleet({ services: ['lease', 'allocator', 'host-agent-gateway'] });
  await fleet.addMachine('bench', await startTestSshd(), { slots: 4 });
  const requests = requestsOf(fleet.bus.connection);
  const waiting = new Map<string, (data: Record<string, unknown>) => void>();
  fleet.bus.connection.subscribe('berth.status.lease.*', {
    callback: (_, message) => {
      const { data } = message.json<{ data: { id: string; status: string; error: string | null } }>();
      // Thrown in here it would only end the subscription, and the benchmark would wait for ever.
      if (data.status === 'broken') process.emit('uncaughtException', new Error(`lease ${data.id}: ${data.error}`));
      const key = `${data.id} ${data.status}`;
      waiting.get(key)?.(data);
      waiting.delete(key);
    },
  });
  const until = (id: string, status: string) => new Promise<Record<string, unknown>>((resolve) => waiting.set(`${id} ${status}`, resolve));
  const send = async (type: string, data: object, id: string = randomUUID(), after?: number) => {
    const answer = (await requests.ask(`berth.cmd.lease.${type}`, JSON.stringify({ id, type, data, after }), { timeoutMs: 60_000 })).json<{ accepted: boolean; message?: string }>();
    if (!answer.accepted) throw new Error(answer.message);
  };
  /** The wait is that for the host: the slot is what requesters compete for. */
  const waits: number[] = [];
  const cycle = async () => {
    const host = randomUUID();
    const granted = until(host, 'active');
    const start = performance.now();
    await send('RequestLease', { type: 'host', attributes: { remote: 'yes' } }, host);
    await granted;
    waits.push(performance.now() - start);
    const copy = randomUUID();
    const ready = until(copy, 'active');
    await send('RequestLease', { type: 'working-copy', host: { lease: host } }, copy);
    await ready;
    const gone = until(host, 'destroyed');
    await send('ReleaseLease', { lease: copy });
    await send('ReleaseLease', { lease: host });
    await gone;
  };
  await sustained(4, 1000, cycle);
  const four: number[] = [];
  const twenty: number[] = [];
  const p90s: number[] = [];
  for (let i = 0; i < 3; i++) {
    four.push((await sustained(4, 2500, cycle)).perSecond);
    waits.length = 0;
    twenty.push((await sustained(20, 2500, cycle)).perSecond);
    p90s.push(percentile(waits, 0.9));
  }
  const rates = { four: percentile(four, 0.5), twenty: percentile(twenty, 0.5), p90: percentile(p90s, 0.5) };
  // In an ideal queue each of 20 waits for the 16 before it, who leave at the rate that four requesters reach.
  const ideal = (16 / rates.four) * 1000;
  return [
    { what: '4 working copies, 4 requesters', ours: rate(rates.four, ' leases'), floor: '', ratio: '', aim: '(other: 4.8/s)', met: undefined },
    { what: '4 working copies, 20 requesters', ours: rate(rates.twenty, ' leases'), floor: `${rate(rates.four)} with 4 requesters`, ratio: times(rates.twenty / rates.four), aim: 'not fewer (other: 1.1/s)', met: rates.twenty >= 0.95 * rates.four },
    { what: 'wait for a slot, 20 requesters, p90', ours: ms(rates.p90), floor: `${ms(ideal)} ideal queue`, ratio: times(rates.p90 / ideal), aim: '<= 1.5x (other: 33 s)', met: rates.p90 <= 1.5 * ideal },
  ];
}
