import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { requestsOf } from '@berth/event-store';
import { tempFolder } from '../support/cleanup.js';
import { startFleet, startTestSshd } from '../support/fleet.js';
import { median, timed, times, type Row } from './measure.js';

const MIB = 1024 * 1024;
const ROUNDS = 3;

/**
 * An artifact from a host into the store and back, beside the same file moved by the `sftp` program over a connection of its
 * own. Ours computes its SHA-256 and stores it; both ways are over the same server. `BENCH_BYTES` says how large it is.
 */
export async function transfers(): Promise<Row[]> {
  const bytes = Number(process.env['BENCH_BYTES'] ?? 256 * MIB);
  const fleet = await startFleet({ services: ['lease', 'allocator', 'host-agent-gateway'] });
  const sshd = await startTestSshd();
  const folder = await tempFolder('transfers');
  await fleet.addMachine('bench', sshd, { slots: 1, folder });
  const lease = await fleet.requestLease({ type: 'host', attributes: { remote: 'yes' } });
  const { data } = await fleet.bus.waitForStatus('lease', lease, ['active'], { timeoutMs: 10_000 });
  const root = join(folder, 'copies', lease);
  await mkdir(root, { recursive: true });
  await write(join(root, 'file'), bytes);

  const requests = requestsOf(fleet.bus.connection);
  const act = async (spec: object) => {
    const id = randomUUID();
    await requests.ask('berth.cmd.host-agent-gateway.RunAction', JSON.stringify({ id, type: 'RunAction', data: { lease, token: data['token'], spec } }), { timeoutMs: 10_000 });
    const ended = await fleet.bus.waitForStatus('action', id, ['succeeded', 'failed', 'cancelled', 'lost'], { timeoutMs: 600_000 });
    if (ended.data['status'] !== 'succeeded') throw new Error(`a transfer ${String(ended.data['status'])}: ${String(ended.data['error'])}`);
    return id;
  };
  const kept = async (action: string) => {
    const events = (await fleet.events('action')).filter(({ id }) => id === action).flatMap(({ commit }) => commit.events as { type: string; data: object }[]);
    const [artifact] = (events.at(-1)?.data as { artifacts?: { object: string; sha256: string }[] }).artifacts ?? [];
    if (!artifact) throw new Error('nothing was kept');
    return artifact;
  };
  const sftp = (command: string) => run('sftp', ['-q', '-b', '-', '-i', sshd.privateKeyPath, '-P', String(sshd.port), '-o', 'IdentitiesOnly=yes', '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', `${sshd.user}@${sshd.host}`], command);

  const [up, down] = [{ ours: [] as number[], floor: [] as number[] }, { ours: [] as number[], floor: [] as number[] }];
  for (let round = 0; round < ROUNDS; round++) {
    up.floor.push(await timed(() => sftp(`get ${join(root, 'file')} ${join(folder, 'floor')}`)));
    let action = '';
    up.ours.push(await timed(async () => (action = await act({ kind: 'upload', paths: ['file'], prefix: `bench/${round}`, maxBytes: bytes }))));
    const { object, sha256 } = await kept(action);
    await rm(join(root, 'copy'), { force: true });
    down.floor.push(await timed(() => sftp(`put ${join(folder, 'floor')} ${join(root, 'copy')}`)));
    down.ours.push(await timed(() => act({ kind: 'download', items: [{ object, bytes, sha256, path: 'back' }] })));
  }
  const speed = (spent: number) => `${(bytes / MIB / (spent / 1000)).toFixed(0)} MiB/s`;
  const row = (what: string, all: typeof up): Row => {
    const ratio = median(all.ours) / median(all.floor);
    return { what: `${(bytes / MIB).toFixed(0)} MiB ${what}`, ours: speed(median(all.ours)), floor: `${speed(median(all.floor))} sftp`, ratio: times(ratio), aim: '<= 2x', met: ratio <= 2 };
  };
  return [row('from a host into the store of artifacts', up), row('from the store to a host', down)];
}

async function write(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'w');
  // Not zeros: what a disk or a store might leave out.
  for (let left = bytes; left > 0; left -= MIB) await file.write(randomBytes(Math.min(MIB, left)));
  await file.close();
}

function run(program: string, args: readonly string[], input: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'] });
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`${program} ended with ${code}`))));
    child.stdin.end(`${input}\n`);
  });
}
