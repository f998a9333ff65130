import { DescribeInstancesCommand, EC2Client, GetConsoleOutputCommand, RunInstancesCommand, type RunInstancesCommandInput } from '@aws-sdk/client-ec2';
import { isAlive } from '@berth/embedded/servers';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { Client } from 'ssh2';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { eventually } from '../wait.js';
import { startEc2, type Ec2Instance, type Ec2Options, type Ec2StandIn } from './ec2.js';

let ec2: Ec2StandIn;
const connections: Client[] = [];
const spot: Partial<RunInstancesCommandInput> = { InstanceMarketOptions: { MarketType: 'spot' } };

beforeAll(async () => {
  ec2 = await startEc2({ bootMs: 0, terminateMs: 20 });
  ec2.addImage();
});

afterEach(() => {
  for (const client of connections.splice(0)) client.destroy();
});

afterAll(() => ec2.stop());

async function ask<T>(of: Ec2StandIn, use: (client: EC2Client) => Promise<T>): Promise<T> {
  const { endpoint, region, accessKeyId, secretAccessKey } = of;
  const client = new EC2Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1 });
  try {
    return await use(client);
  } finally {
    client.destroy();
  }
}

async function launch(more: Partial<RunInstancesCommandInput> = {}, of = ec2): Promise<string> {
  const { id } = of.addImage();
  const { Instances } = await ask(of, (client) => client.send(new RunInstancesCommand({ ImageId: id, InstanceType: 'm7i.large', MinCount: 1, MaxCount: 1, ...more })));
  return Instances?.[0]?.InstanceId ?? '';
}

/** One whose sshd answers. */
async function booted(more: Partial<RunInstancesCommandInput> = {}, of = ec2): Promise<Ec2Instance> {
  const id = await launch(more, of);
  await eventually(() => of.instance(id).sshdPid !== undefined);
  return of.instance(id);
}

async function consoleOf(id: string, of = ec2): Promise<string | undefined> {
  const { Output } = await ask(of, (client) => client.send(new GetConsoleOutputCommand({ InstanceId: id })));
  return Output === undefined ? undefined : Buffer.from(Output, 'base64').toString();
}

/** Logs in and tells the host key it saw, as a public key line. */
function login({ address }: Pick<Ec2Instance, 'address'>, of = ec2, readyTimeout = 10_000): Promise<{ client: Client; hostKey: string }> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    let hostKey = '';
    connections.push(client);
    client.once('ready', () => resolve({ client, hostKey })).on('error', reject).once('close', () => reject(new Error('closed')));
    client.connect({ host: address, port: of.port, username: of.user, privateKey: of.privateKey, readyTimeout, hostVerifier: (key: Buffer) => ((hostKey = `ssh-ed25519 ${key.toString('base64')}`), true) });
  });
}

function run(client: Client, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    client.once('close', () => reject(new Error('the connection ended')));
    client.exec(command, (error, channel) => {
      if (error) return reject(error);
      let said = '';
      channel.on('data', (data: Buffer) => (said += data.toString())).on('close', () => resolve(said.trim()));
      channel.stderr.resume();
    });
  });
}

test('instances are hosts of their own with one login, and the console shows the key that sshd shows', async () => {
  const [one, two] = await Promise.all([booted(), booted()]);
  expect(one.address).not.toBe(two.address);
  expect(one.hostKeyPublic).not.toBe(two.hostKeyPublic);
  for (const instance of [one, two]) {
    const { client, hostKey } = await login(instance);
    expect(hostKey).toBe(instance.hostKeyPublic);
    expect(await run(client, 'echo $HOME')).toBe(instance.home);
    const text = await eventually(async () => (await consoleOf(instance.id)) ?? false);
    expect(text).toMatch(/-----BEGIN SSH HOST KEY KEYS-----\r\n(.*)\r\n-----END SSH HOST KEY KEYS-----/);
    expect(text).toContain(`\r\n${hostKey} root@ip-127-`);
    expect(text).toContain(`256 ${instance.hostFingerprint} `);
  }
});

test('running comes before sshd, and the console later still', async () => {
  const slow = await startEc2({ bootMs: 1_000, pendingMs: 300, consoleDelayMs: 1_000 });
  const id = await launch({}, slow);
  const seen = async () => (await ask(slow, (client) => client.send(new DescribeInstancesCommand({ InstanceIds: [id] })))).Reservations?.[0]?.Instances?.[0];
  expect(await seen()).toMatchObject({ State: { Name: 'pending' }, PublicDnsName: '' });
  await eventually(() => slow.instance(id).state === 'running');
  expect((await seen())?.PublicIpAddress).toBe(slow.instance(id).address);
  await expect(login(slow.instance(id), slow)).rejects.toThrow(/ECONNREFUSED/);
  expect(await consoleOf(id, slow)).toBeUndefined();
  await eventually(() => login(slow.instance(id), slow));
  await eventually(async () => (await consoleOf(id, slow)) ?? false);
});

test('an interruption ends connections and all that runs on the instance, and nothing elsewhere', async () => {
  const [taken, other] = await Promise.all([booted(spot), booted()]);
  const { client } = await login(taken);
  const detached = Number(await run(client, 'setsid sleep 60 >/dev/null 2>&1 </dev/null & echo $!'));
  const running = run(client, 'sleep 60').catch((error: Error) => error.message);
  const elsewhere = await login(other);
  await ec2.interrupt(taken.id);
  expect(await running).toBe('the connection ended');
  expect([taken.sshdPid ?? 0, detached].map(isAlive)).toEqual([false, false]);
  await expect(login(taken)).rejects.toThrow(/ECONNREFUSED/);
  await eventually(() => ec2.instance(taken.id).state === 'terminated');
  expect(ec2.instance(taken.id).stateReason?.code).toBe('Server.SpotInstanceTermination');
  await eventually(() => !existsSync(taken.home));
  expect(await run(elsewhere.client, 'echo here')).toBe('here');
  expect(await consoleOf(taken.id)).toContain(taken.hostKeyPublic);
  await expect(ec2.interrupt(other.id)).rejects.toThrow(/no spot instance/);
});

test('hardware that fails is terminated at once, or never heard of again', async () => {
  const [one, two] = await Promise.all([booted(), booted()]);
  await Promise.all([ec2.vanish(one.id), ec2.vanish(two.id, { forgotten: true })]);
  expect(ec2.instance(one.id)).toMatchObject({ state: 'terminated', stateReason: { code: 'Server.InternalError' } });
  const { Reservations } = await ask(ec2, (client) => client.send(new DescribeInstancesCommand({ Filters: [{ Name: 'instance-id', Values: [one.id, two.id] }] })));
  expect(Reservations?.flatMap(({ Instances }) => Instances?.map(({ InstanceId }) => InstanceId))).toEqual([one.id]);
  await expect(consoleOf(two.id)).rejects.toMatchObject({ name: 'InvalidInstanceID.NotFound' });
});

test('an instance that switches itself off ends or stops, as its launch said', async () => {
  const [ends, stops] = await Promise.all([booted({ InstanceInitiatedShutdownBehavior: 'terminate' }), booted()]);
  await Promise.all([ec2.shutDown(ends.id), ec2.shutDown(stops.id)]);
  await eventually(() => ec2.instance(ends.id).state === 'terminated' && ec2.instance(stops.id).state === 'stopped');
  expect(ec2.instance(ends.id).stateReason?.code).toBe('Client.InstanceInitiatedShutdown');
  expect(existsSync(stops.home)).toBe(true);
  expect(ec2.alive().map(({ id }) => id)).toContain(stops.id);
});

test('launches that go wrong', async () => {
  const spoilt = async (fault: Parameters<Ec2StandIn['spoil']>[0]['fault']): Promise<() => Ec2Instance> => {
    ec2.spoil({ fault, type: 'c7i.large', times: 1 });
    const id = await launch({ InstanceType: 'c7i.large' });
    return () => ec2.instance(id);
  };
  const [full, never, dies, refused, silent, dumb, wrong] = [await spoilt('no-capacity'), await spoilt('stays-pending'), await spoilt('dies-pending'), await spoilt('no-ssh'), await spoilt('silent-ssh'), await spoilt('no-console'), await spoilt('other-console-key')];
  await eventually(() => dies().state === 'terminated' && full().state === 'terminated');
  await eventually(() => dumb().sshdPid !== undefined && wrong().sshdPid !== undefined && refused().state === 'running' && silent().state === 'running');
  await expect(login(refused())).rejects.toThrow(/ECONNREFUSED/);
  await eventually(() => expect(login(silent(), ec2, 300)).rejects.toThrow(/Timed out while waiting for handshake/));
  expect(await consoleOf(dumb().id)).toBeUndefined();
  expect((await login(wrong())).hostKey).toBe(wrong().hostKeyPublic);
  expect(await eventually(async () => (await consoleOf(wrong().id)) ?? false)).not.toContain(wrong().hostKeyPublic);
  expect([never().state, dies().stateReason?.code, full().stateReason?.code]).toEqual(['pending', 'Server.InternalError', 'Server.InsufficientInstanceCapacity']);
});

test('an address is given to the next one at once, if so configured', async () => {
  const thrifty: Ec2Options = { bootMs: 0, terminateMs: 0, reuseAddresses: true };
  const own = await startEc2(thrifty);
  const first = await booted({}, own);
  await own.vanish(first.id);
  const second = await eventually(async () => {
    const next = await booted({}, own);
    return next.address === first.address && next;
  });
  expect((await login(second, own)).hostKey).toBe(second.hostKeyPublic);
  expect(second.hostKeyPublic).not.toBe(first.hostKeyPublic);
});

test('nothing is left after the end', async () => {
  const own = await startEc2({ bootMs: 0 });
  const all = await Promise.all(Array.from({ length: 5 }, () => booted({}, own)));
  const { client } = await login(all[0] as Ec2Instance, own);
  const detached = Number(await run(client, 'setsid sleep 60 >/dev/null 2>&1 </dev/null & echo $!'));
  // One that is just starting.
  await launch({}, own);
  const folder = dirname(own.privateKeyPath);
  expect(existsSync(folder)).toBe(true);
  await own.stop();
  expect([...all.map(({ sshdPid }) => sshdPid ?? 0), detached].filter(isAlive)).toEqual([]);
  expect(existsSync(folder)).toBe(false);
  await expect(launch({}, own)).rejects.toThrow(/ECONNREFUSED/);
});
