import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Client, type ClientChannel } from 'ssh2';
import { requestsOf } from '@berth/event-store';
import { startFleet, startTestSshd } from '../support/fleet.js';
import { between, interleaved, median, ms, percentile, timed, times, type Row } from './measure.js';

const MIB = 1024 * 1024;
const OUTPUT_MIB = 100;
/** Prints for ten seconds and more, on a machine that is quick: faster than anybody reads, and not without end. */
const FLOOD = `yes | for i in $(seq 1000); do head -c ${MIB}; sleep 0.01; done`;

/** A command through a lease beside the same over a bare ssh2 connection that is open already. */
export async function hosts(): Promise<Row[]> {
  const fleet = await startFleet({ services: ['lease', 'allocator', 'host-agent-gateway'] });
  const sshd = await startTestSshd();
  await fleet.addMachine('bench', sshd, { slots: 1 });
  const lease = await fleet.requestLease({ type: 'host', attributes: { remote: 'yes' } });
  const { data } = await fleet.bus.waitForStatus('lease', lease, ['active'], { timeoutMs: 10_000 });
  const requests = requestsOf(fleet.bus.connection);
  const ended = new Map<string, () => void>();
  fleet.bus.connection.subscribe('berth.status.action.*', {
    callback: (_, message) => {
      const status = message.json<{ data: { id: string; status: string; error: string | null } }>().data;
      if (status.status === 'succeeded' || status.status === 'cancelled') ended.get(status.id)?.();
    },
  });
  const begin = async (command: string) => {
    const id = randomUUID();
    const done = new Promise<void>((resolve) => ended.set(id, resolve)).finally(() => ended.delete(id));
    await requests.ask('berth.cmd.host-agent-gateway.RunAction', JSON.stringify({ id, type: 'RunAction', data: { lease, token: data['token'], spec: { kind: 'run-command', command } } }), { timeoutMs: 10_000 });
    return { id, done };
  };
  const run = async (command: string) => (await begin(command)).done;

  const client = new Client();
  const privateKey = await readFile(sshd.privateKeyPath);
  await new Promise<void>((resolve, reject) => {
    client.once('ready', resolve).once('error', reject).connect({ host: sshd.host, port: sshd.port, username: sshd.user, privateKey });
  });
  // Without this each command waits 40 ms twice for a delayed acknowledgement, and any floor would look good.
  client.setNoDelay(true);
  const plain = (command: string) =>
    new Promise<number>((resolve, reject) => {
      let bytes = 0;
      client.exec(command, (error, channel) => {
        if (error) return reject(error);
        channel.on('data', (part: Buffer) => void (bytes += part.length)).stderr.resume();
        channel.on('close', () => resolve(bytes));
      });
    });

  for (let i = 0; i < 20; i++) await Promise.all([run('true'), plain('true')]);
  const short = await interleaved(150, () => run('true'), () => plain('true'));

  // The same bytes for both: printed by the same program, nothing of it on a disk beforehand.
  const print = `head -c ${OUTPUT_MIB * MIB} /dev/zero | tr '\\0' 'x'`;
  const long = { ours: [] as number[], floor: [] as number[] };
  for (let i = 0; i < 3; i++) {
    long.floor.push(await timed(() => plain(print)));
    long.ours.push(await timed(() => run(print)));
  }
  // Memory is looked at while the gateway has read a few hundred MiB and more are waiting.
  const gateway = fleet.services['host-agent-gateway'].pid;
  const before = residentMiB(gateway);
  const flood = await begin(FLOOD);
  await between(2000);
  const beside = { ours: [] as number[], floor: [] as number[] };
  for (let i = 0; i < 100; i++) beside.ours.push(await timed(() => run('true')));
  const after = residentMiB(gateway);
  await requests.ask('berth.cmd.host-agent-gateway.CancelAction', JSON.stringify({ id: randomUUID(), type: 'CancelAction', data: { action: flood.id, graceMs: 0 } }), { timeoutMs: 10_000 });
  await flood.done;
  const plainFlood = await new Promise<ClientChannel>((resolve, reject) => client.exec(FLOOD, (error, channel) => (error ? reject(error) : resolve(channel))));
  plainFlood.resume();
  await between(2000);
  for (let i = 0; i < 100; i++) beside.floor.push(await timed(() => plain('true')));
  plainFlood.close();
  client.end();
  const slowed = median(beside.ours) / median(beside.floor);
  const speed = (spent: number) => `${(OUTPUT_MIB / (spent / 1000)).toFixed(0)} MiB/s`;
  const ratio = median(short.ours) / median(short.floor);
  const share = median(long.floor) / median(long.ours);
  return [
    { what: 'remote `true` through a lease, p50', ours: ms(median(short.ours)), floor: `${ms(median(short.floor))} plain ssh2 exec`, ratio: times(ratio), aim: '<= 1.5x', met: ratio <= 1.5 },
    { what: 'remote `true` through a lease, p99', ours: ms(percentile(short.ours, 0.99)), floor: ms(percentile(short.floor, 0.99)), ratio: times(percentile(short.ours, 0.99) / percentile(short.floor, 0.99)), aim: '', met: undefined },
    { what: `${OUTPUT_MIB} MiB of output, stored on the bus`, ours: speed(median(long.ours)), floor: `${speed(median(long.floor))} plain ssh2 exec, thrown away`, ratio: times(share), aim: '>= 0.5x', met: share >= 0.5 },
    { what: 'remote `true` beside a command that floods, p50', ours: ms(median(beside.ours)), floor: `${ms(median(beside.floor))} plain ssh2 exec beside the same`, ratio: times(slowed), aim: '<= 1.5x', met: slowed <= 1.5 },
    { what: 'remote `true` beside a command that floods, p99', ours: ms(percentile(beside.ours, 0.99)), floor: ms(percentile(beside.floor, 0.99)), ratio: times(percentile(beside.ours, 0.99) / percentile(beside.floor, 0.99)), aim: '', met: undefined },
    { what: 'memory that the gateway takes on for the flood', ours: after === undefined || before === undefined ? 'not known here' : `${after - before} MiB`, floor: '', ratio: '', aim: '< 100 MiB', met: after === undefined || before === undefined ? undefined : after - before < 100 },
  ];
}

/** What a process holds in memory now; from /proc, where there is one. */
function residentMiB(pid: number): number | undefined {
  const file = `/proc/${pid}/status`;
  const kib = existsSync(file) ? /^VmRSS:\s+(\d+)/m.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
  return kib === undefined ? undefined : Math.round(Number(kib) / 1024);
}
