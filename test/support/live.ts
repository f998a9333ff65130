import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { httpClient, type BerthHttp } from '@berth/client';
import { startBerth, type BerthAddresses } from './berth.js';
import { atEndOfFile, tempFolder } from './cleanup.js';
import { startTestSshd, type TestSshd } from './sshd.js';
import { eventually } from './wait.js';

const SOON = { timeoutMs: 30_000, everyMs: 50 };

/** A whole Berth in which something is going on. */
export interface Live extends BerthAddresses {
  berth: BerthHttp;
  sshd: TestSshd;
  /** an active lease of a host, owner ada */
  held: string;
  /** a lease that waits for what no host has now, owner grace */
  waiting: string;
  /** builds by how they are */
  builds: { running: string; passed: string; failed: string };
}

/** Starts it: machines in and out of service, leases that hold and that wait, builds that run, passed and failed. */
export async function startLive(settings: Readonly<Record<string, string>> = {}): Promise<Live> {
  const [home, sshd] = await Promise.all([tempFolder('berth'), startTestSshd()]);
  const addresses = await startBerth(home, settings);
  const { url, token } = addresses;
  const berth = httpClient({ url, token });
  const machine = (name: string, slots: number, attributes: Record<string, string>) =>
    berth.machines.add({ name, address: sshd.host, port: sshd.port, user: sshd.user, credential: `file:${sshd.privateKeyPath}`, platform: 'linux', slots, attributes, folder: join(home, name) });
  await machine('anvil', 4, { pool: 'day' });
  await machine('bellows', 2, { pool: 'night' });
  await machine('crucible', 2, { pool: 'night', gpu: 'yes' });
  for (const name of ['anvil', 'bellows', 'crucible']) await eventually(async () => (await berth.machines.get(name)).state === 'active', SOON);
  await berth.machines.service('bellows', 'quarantine', { for: '45m', reason: 'the disk is full' });
  await berth.machines.service('crucible', 'hold', { for: '3h', reason: 'a crash is looked into' });
  await berth.blueprints.save('postgres', { kind: 'service', description: 'a PostgreSQL of one\'s own', start: 'true', on: { attributes: { os: 'linux' } }, allow: { projects: ['widgets'], owners: [] } });
  await berth.blueprints.disable('postgres', 'its image is being renewed');

  const until = new Date(Date.now() + 7_200_000).toISOString();
  const { id: held } = await berth.leases.request({ type: 'host', owner: 'ada', project: 'widgets', attributes: { pool: 'day' }, until });
  await berth.leases.request({ type: 'host', owner: 'brian', attributes: { pool: 'day' }, until });
  const { id: waiting } = await berth.leases.request({ type: 'host', owner: 'grace', attributes: { gpu: 'yes' }, priority: 120 });
  await eventually(async () => (await berth.leases.get(held)).status === 'active' && (await berth.leases.get(waiting)).reason !== null, SOON);

  const go = join(home, 'go');
  await berth.plans.apply(`name: nightly\nhost: { pool: day }\nsteps:\n  - { name: Compile, run: "echo compiling" }\n  - { name: Test, run: "until test -e ${go}; do sleep 0.2; done" }\n`);
  await berth.plans.apply('name: lint\nhost: { pool: day }\nsteps:\n  - { name: Check, run: "echo fine" }\n');
  await berth.plans.apply('name: release\nhost: { pool: day }\nsteps:\n  - { name: Sign, run: "echo no key >&2; exit 3" }\n');
  const build = async (plan: string) => (await berth.builds.request({ plan })).id;
  const passed = await build('lint');
  await eventually(async () => (await berth.builds.get(passed)).cleanedUp, SOON);
  const failed = await build('release');
  await eventually(async () => (await berth.builds.get(failed)).cleanedUp, SOON);
  const running = await build('nightly');
  await eventually(async () => (await berth.builds.get(running)).steps[1]?.outcome === 'running', SOON);
  // So that it ends with the file, and not only by force.
  atEndOfFile(() => writeFile(go, ''));
  return { ...addresses, berth, sshd, held, waiting, builds: { running, passed, failed } };
}
