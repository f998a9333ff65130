import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { requestsOf } from '@berth/event-store';
import { startFleet, startTestSshd, type Fleet } from '../support/fleet.js';
import { median, ms, percentile, rate, timed, times, type Row } from './measure.js';

/** Builds of one command: request on the bus to `passed`, every service in a process of its own, over a real sshd. */
export async function builds(): Promise<Row[]> {
  const fleet = await startFleet();
  const sshd = await startTestSshd();
  await fleet.addMachine('bench', sshd, { slots: 4 });
  await fleet.applyPlan('name: one\nsteps:\n  - name: Do\n    run: "true"\n');
  const watch = watchBuilds(fleet);
  for (let i = 0; i < 10; i++) await watch.build('one');

  const single: number[] = [];
  const shell: number[] = [];
  for (let i = 0; i < 40; i++) {
    shell.push(await timed(startShell));
    single.push(await watch.build('one'));
    await watch.quiet();
  }
  const bursts: { p50: number; max: number }[] = [];
  for (let i = 0; i < 3; i++) {
    const burst = await Promise.all(Array.from({ length: 20 }, () => watch.build('one')));
    bursts.push({ p50: median(burst), max: Math.max(...burst) });
    await watch.quiet();
  }
  const start = performance.now();
  await Promise.all(Array.from({ length: 200 }, () => watch.build('one')));
  const perSecond = 200 / ((performance.now() - start) / 1000);
  await watch.quiet();

  const p50 = median(single);
  const floor = median(shell);
  const burst = { p50: median(bursts.map((b) => b.p50)), max: median(bursts.map((b) => b.max)) };
  return [
    { what: 'one build, request -> passed, p50', ours: ms(p50), floor: `${ms(floor)} the host's own shell start`, ratio: times(p50 / floor), aim: '<= 60 ms + shell (others: 824, 129 ms)', met: p50 <= 60 + floor },
    { what: 'one build, p95', ours: ms(percentile(single, 0.95)), floor: '', ratio: '', aim: '', met: undefined },
    { what: '20 builds at once on 4 slots, p50', ours: ms(burst.p50), floor: `${ms(5 * floor)} 5 shells in a row`, ratio: times(burst.p50 / (5 * floor)), aim: '<= 0.5 s (others: 33.9, 1.5 s)', met: burst.p50 <= 500 },
    { what: '20 builds at once on 4 slots, max', ours: ms(burst.max), floor: '', ratio: '', aim: '<= 0.8 s (others: 66.3, 2.5 s)', met: burst.max <= 800 },
    { what: '200 queued builds', ours: rate(perSecond, ' builds'), floor: '', ratio: '', aim: '>= 40/s (other: 8/s)', met: perSecond >= 40 },
  ];
}

const startShell = () => new Promise<void>((resolve, reject) => spawn('sh', ['-c', 'true'], { stdio: 'ignore' }).once('exit', () => resolve()).once('error', reject));

/** Starts builds as a frontend would and times them by the status feed. */
export function watchBuilds(fleet: Fleet) {
  const requests = requestsOf(fleet.bus.connection);
  const passed = new Map<string, { resolve: () => void; reject: (error: Error) => void }>();
  const dirty = new Set<string>();
  let idle: (() => void) | undefined;
  fleet.bus.connection.subscribe('berth.status.build.*', {
    callback: (_, message) => {
      const { data } = message.json<{ data: { id: string; status: string; error: string | null; cleanedUp: boolean } }>();
      if (data.status === 'passed') passed.get(data.id)?.resolve();
      else if (['failed', 'error', 'aborted'].includes(data.status)) passed.get(data.id)?.reject(new Error(`build ${data.status}: ${data.error}`));
      if (data.cleanedUp) {
        dirty.delete(data.id);
        if (dirty.size === 0) idle?.();
      }
    },
  });
  return {
    /** Milliseconds from the request to `passed`; `accepted` is called when it has been taken on. */
    async build(plan: string, accepted?: () => void): Promise<number> {
      const id = randomUUID();
      dirty.add(id);
      const start = performance.now();
      const done = new Promise<void>((resolve, reject) => passed.set(id, { resolve, reject }));
      const answer = (await requests.ask('berth.cmd.build-orchestrator.RequestBuild', JSON.stringify({ id, type: 'RequestBuild', data: { plan } }), { timeoutMs: 20_000 })).json<{ accepted: boolean; message?: string }>();
      if (!answer.accepted) throw new Error(answer.message);
      accepted?.();
      await done;
      passed.delete(id);
      return performance.now() - start;
    },
    /** Resolves when every build has been cleaned up. */
    quiet: () => new Promise<void>((resolve) => (dirty.size === 0 ? resolve() : (idle = resolve))),
  };
}
