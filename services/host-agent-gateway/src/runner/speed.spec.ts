import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import ssh2, { type Client } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareScript } from '../git/working-copy.js';
import { createPool, type HostPool } from '../transports/pool.js';
import { startSshd, type TestSshd } from '../transports/sshd.testing.js';
import type { HostSpec } from '../transports/transport.js';
import { createRunner, type Runner } from './run.js';

/** Figures beside their floor, interleaved in one run: BERTH_SPEED=1 npx vitest run speed. Printed and not asserted, because a busy machine is no fault. */
describe.runIf(process.env['BERTH_SPEED'])('speed over ssh', () => {
  let sshd: TestSshd;
  let pool: HostPool;
  let runner: Runner;
  let host: HostSpec;
  let plain: Client;
  beforeAll(async () => {
    sshd = await startSshd();
    pool = createPool();
    runner = createRunner(pool);
    host = sshd.spec('speed', { port: sshd.directPort });
    plain = new ssh2.Client();
    const privateKey = await readFile(`${sshd.home}/user`);
    await new Promise<void>((resolve, reject) => {
      plain.once('ready', resolve).once('error', reject).connect({ host: host.address, port: host.port, username: host.user, privateKey });
    });
    plain.setNoDelay(true);
    await pool.connect(host);
  });
  afterAll(async () => {
    plain.end();
    await pool.closeAll();
    await sshd.stop();
  });

  /** A plain ssh2 exec on the open connection; the number of bytes of output. */
  const exec = (command: string): Promise<number> =>
    new Promise((resolve, reject) => {
      plain.exec(command, (error, stream) => {
        if (error) return reject(error);
        let bytes = 0;
        stream.on('data', (chunk: Buffer) => (bytes += chunk.length));
        stream.stderr.resume();
        stream.on('close', () => resolve(bytes));
      });
    });
  let next = 0;
  const run = async (script: string): Promise<number> => {
    let bytes = 0;
    const id = `speed-${(next += 1)}`;
    const outcome = await runner.run(host, { id, script, cwd: '/' }, { onChunk: async (_, __, chunk) => void (bytes += chunk.length) });
    expect(outcome).toEqual({ kind: 'exited', code: 0 });
    return bytes;
  };
  const timed = async (action: () => Promise<unknown>): Promise<number> => {
    const started = performance.now();
    await action();
    return performance.now() - started;
  };
  const interleaved = async (rounds: number, floor: () => Promise<unknown>, ours: () => Promise<unknown>): Promise<[number, number]> => {
    const times: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
      times[0].push(await timed(floor));
      times[1].push(await timed(ours));
      // Gone before the next round, or writing out the old output to the disk would be measured as well.
      await runner.forget(host, await runner.list(host));
    }
    const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;
    return [median(times[0]), median(times[1])];
  };

  it('runs true', async () => {
    await interleaved(20, () => exec('true'), () => run('true'));
    const [floor, ours] = await interleaved(200, () => exec('true'), () => run('true'));
    console.log(`remote true: plain ssh2 exec ${floor.toFixed(2)} ms, through the runner ${ours.toFixed(2)} ms, ${(ours / floor).toFixed(2)}x`);
  });

  it('hands on 100 MB of output', async () => {
    const big = `${sshd.home}/big`;
    const size = 100 * 2 ** 20;
    writeFileSync(big, Buffer.alloc(size, 'some line of output\n'));
    const [floor, ours] = await interleaved(5, async () => expect(await exec(`cat ${big}`)).toBe(size), async () => expect(await run(`cat ${big}`)).toBe(size));
    console.log(`100 MB of output: raw ssh2 ${floor.toFixed(0)} ms, through the runner ${ours.toFixed(0)} ms, ${(floor / ours).toFixed(2)}x its speed`);
  });

  it('prepares a working copy', async () => {
    const repository = `${sshd.home}/repository`;
    await exec(`git init -q -b main ${repository} && cd ${repository} && echo x >f && git add . && git -c user.name=n -c user.email=e@x commit -qm x`);
    const { folder } = await pool.connect(host);
    const [floor, ours] = await interleaved(
      20,
      () => exec(`git clone -q -- ${repository} ${sshd.home}/clone-${(next += 1)}`),
      () => run(prepareScript(folder, { copyId: `copy-${(next += 1)}`, repository, ref: 'main' })),
    );
    console.log(`small working copy: plain git clone over ssh2 ${floor.toFixed(1)} ms, ours ${ours.toFixed(1)} ms`);
  });
});
