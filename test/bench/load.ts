import { readFile } from 'node:fs/promises';
import { Client } from 'ssh2';
import { startFleet, startTestSshd, type Fleet } from '../support/fleet.js';
import type { TestSshd } from '../support/sshd.js';
import { watchBuilds } from './builds.js';
import { cpuTimes, interleaved, median, ms, percentile, times, type Row } from './measure.js';

const SLOTS = 20;
const BUILDS = 200;
const STEPS = 5;
const ROUNDS = 3;
const QUEUED = 1000;
/** sshd lets ten sessions into one connection: as many connections as the gateway needs for all slots, and one more. */
const CONNECTIONS = 4;
/** How often the unrelated build is tried alone. */
const UNRELATED = 10;

type Watch = ReturnType<typeof watchBuilds>;

/** Many builds at once, every service in a process of its own, over real sshds: what a step costs, what a build costs, and who waits for whom. */
export async function load(): Promise<Row[]> {
  const fleet = await startFleet();
  const [sshd, other] = [await startTestSshd(), await startTestSshd()];
  await fleet.addMachine('bench', sshd, { slots: SLOTS, attributes: { pool: 'bench' } });
  await fleet.addMachine('other', other, { slots: 1, attributes: { pool: 'other' } });
  const steps = Array.from({ length: STEPS }, (_, at) => `  - { name: S${at}, run: "true" }`).join('\n');
  await fleet.applyPlan(`name: five\nhost: { pool: bench }\nsteps:\n${steps}\n`);
  await fleet.applyPlan('name: one\nhost: { pool: bench }\nsteps:\n  - { name: Do, run: "true" }\n');
  await fleet.applyPlan('name: unrelated\nhost: { pool: other }\nsteps:\n  - { name: Do, run: "true" }\n');
  const watch = watchBuilds(fleet);
  await Promise.all(Array.from({ length: 2 * SLOTS }, () => watch.build('five')));
  for (let i = 0; i < 10; i++) await watch.build('unrelated');
  await watch.quiet();
  return [...(await trivialSteps(watch, sshd)), ...(await queue(fleet, watch))];
}

async function trivialSteps(watch: Watch, sshd: TestSshd): Promise<Row[]> {
  const pool = await Promise.all(Array.from({ length: CONNECTIONS }, () => connected(sshd)));
  const bare = async () => {
    let left = BUILDS;
    const side = async (_: unknown, at: number) => {
      while (left-- > 0) for (let step = 0; step < STEPS; step++) await exec(pool[at % CONNECTIONS]!, 'true');
    };
    await Promise.all(Array.from({ length: SLOTS }, side));
  };
  await bare();
  const spent = await interleaved(ROUNDS, () => Promise.all(Array.from({ length: BUILDS }, () => watch.build('five'))).then(watch.quiet), bare);
  for (const client of pool) client.end();
  const [ours, floor] = [median(spent.ours), median(spent.floor)];
  const each = (all: number) => (all * SLOTS) / (BUILDS * STEPS);
  return [
    { what: `${BUILDS} builds of ${STEPS} steps on ${SLOTS} slots, until cleaned up`, ours: perSecond(BUILDS, ours), floor: `${perSecond(BUILDS, floor)} the commands alone, by ssh2`, ratio: times(ours / floor), aim: '', met: undefined },
    { what: 'a step of these, on its slot', ours: ms(each(ours)), floor: `${ms(each(floor))} the command alone`, ratio: times(ours / floor), aim: '', met: undefined },
    { what: 'what a step takes over its command', ours: ms(each(ours) - each(floor)), floor: '', ratio: '', aim: '', met: undefined },
  ];
}

async function queue(fleet: Fleet, watch: Watch): Promise<Row[]> {
  const alone: number[] = [];
  for (let i = 0; i < UNRELATED; i++) {
    alone.push(await watch.build('unrelated'));
    await watch.quiet();
  }
  const processes = { 'nats-server': fleet.nats.pid, ...Object.fromEntries(Object.entries(fleet.services).map(([name, { pid }]) => [name, pid])) };
  const before = cpuTimes(processes);
  const start = performance.now();
  let over = 0;
  const finished: Promise<void>[] = [];
  const queued = Array.from({ length: QUEUED }, () => new Promise<void>((accepted) => finished.push(watch.build('one', accepted).then(() => void over++))));
  const first = watch.build('unrelated');
  await Promise.all([first, ...queued]);
  const behind: number[] = [];
  // For as long as there is a queue.
  while (over < QUEUED) behind.push(await watch.build('unrelated'));
  await Promise.all(finished);
  const spent = performance.now() - start;
  await watch.quiet();
  const after = cpuTimes(processes);
  const used = [...after].map(([name, time]) => [name, (time - (before.get(name) ?? 0)) / (QUEUED + behind.length + 1)] as const);
  const cpu = used.reduce((sum, [, time]) => sum + time, 0);
  const rate = QUEUED / (spent / 1000);
  const ratio = median(behind) / median(alone);
  return [
    { what: `${QUEUED} queued builds of one step on ${SLOTS} slots`, ours: perSecond(QUEUED, spent), floor: '', ratio: '', aim: '>= 40/s (other: 5.9/s)', met: rate >= 40 },
    { what: 'CPU of all services and the bus, for each', ours: used.length > 0 ? ms(cpu) : 'not known here', floor: used.map(([name, time]) => `${name} ${time.toFixed(1)}`).join(', '), ratio: '', aim: '<= 15 ms (other: 149 ms)', met: used.length > 0 ? cpu <= 15 : undefined },
    { what: `an unrelated build behind them, p50 of ${behind.length}`, ours: ms(median(behind)), floor: `${ms(median(alone))} on an idle fleet`, ratio: times(ratio), aim: '<= 1.5x (other: 0.46 s)', met: ratio <= 1.5 },
    { what: 'the same, p95', ours: ms(percentile(behind, 0.95)), floor: '', ratio: '', aim: '', met: undefined },
    { what: `one asked for in the same moment as all ${QUEUED}`, ours: ms(await first), floor: '', ratio: '', aim: '', met: undefined },
  ];
}

const perSecond = (count: number, spent: number) => `${(count / (spent / 1000)).toFixed(1)} builds/s`;

async function connected({ host, port, user, privateKeyPath }: TestSshd): Promise<Client> {
  const client = new Client();
  const privateKey = await readFile(privateKeyPath);
  await new Promise<void>((resolve, reject) => {
    client.once('ready', resolve).once('error', reject).connect({ host, port, username: user, privateKey });
  });
  // Without this each command waits 40 ms twice for a delayed acknowledgement, and any floor would look good.
  client.setNoDelay(true);
  return client;
}

const exec = (client: Client, command: string) =>
  new Promise<void>((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) return reject(error);
      channel.resume().stderr.resume();
      channel.once('close', () => resolve());
    });
  });
