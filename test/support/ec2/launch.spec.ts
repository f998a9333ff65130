import {
  DescribeInstancesCommand,
  EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
  type EC2ClientConfig,
  type RunInstancesCommandInput,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../wait.js';
import { startEc2, type Ec2Options, type Ec2StandIn } from './ec2.js';

let ec2: Ec2StandIn;
let client: EC2Client;
let image: string;
const clients: EC2Client[] = [];

function connect({ endpoint, region, accessKeyId, secretAccessKey }: Ec2StandIn, more: Partial<EC2ClientConfig> = {}): EC2Client {
  const made = new EC2Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1, ...more });
  clients.push(made);
  return made;
}

async function another(options: Ec2Options) {
  const own = await startEc2({ bootMs: 60_000, ...options });
  const ask = connect(own);
  const { id } = own.addImage();
  return { own, launch: (more: Partial<RunInstancesCommandInput> = {}) => launch(more, ask, id) };
}

beforeAll(async () => {
  ec2 = await startEc2({ bootMs: 60_000, pendingMs: 5, terminateMs: 5 });
  client = connect(ec2);
  image = ec2.addImage().id;
});

afterAll(() => {
  for (const one of clients) one.destroy();
});

async function launch(more: Partial<RunInstancesCommandInput> = {}, by = client, ImageId = image) {
  const { Instances } = await by.send(new RunInstancesCommand({ ImageId, InstanceType: 'm7i.large', MinCount: 1, MaxCount: 1, ...more }));
  return (Instances ?? []) as { InstanceId: string; State: { Name: string }; Placement: { AvailabilityZone: string } }[];
}

const withToken = (token: string) => ec2.instances().filter(({ clientToken }) => clientToken === token);
const refusal = (name: string, status = 400) => expect.objectContaining({ name, $metadata: expect.objectContaining({ httpStatusCode: status }) });
const inZone = (AvailabilityZone: string) => ({ Placement: { AvailabilityZone } });

test('ten launches with one token at the same time make one instance', async () => {
  const all = await Promise.all(Array.from({ length: 10 }, () => launch({ ClientToken: 'ten' })));
  expect(new Set(all.flat().map(({ InstanceId }) => InstanceId)).size).toBe(1);
  expect(withToken('ten')).toHaveLength(1);
});

test('a token with other parameters is a mismatch', async () => {
  await launch({ ClientToken: 'mismatch' });
  await expect(launch({ ClientToken: 'mismatch', InstanceType: 'm7i.xlarge' })).rejects.toEqual(refusal('IdempotentParameterMismatch'));
  await expect(launch({ ClientToken: 'mismatch', TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'a', Value: 'b' }] }] })).rejects.toEqual(refusal('IdempotentParameterMismatch'));
  expect(withToken('mismatch')).toHaveLength(1);
});

test('a token gives the present state, also after the end', async () => {
  const [made] = await launch({ ClientToken: 'ended' });
  const InstanceIds = [made?.InstanceId ?? ''];
  expect(made?.State.Name).toBe('pending');
  expect((await client.send(new TerminateInstancesCommand({ InstanceIds }))).TerminatingInstances).toMatchObject([{ CurrentState: { Code: 32, Name: 'shutting-down' } }]);
  await eventually(() => withToken('ended')[0]?.state === 'terminated');
  expect(await launch({ ClientToken: 'ended' })).toMatchObject([{ InstanceId: made?.InstanceId, State: { Name: 'terminated' } }]);
  // Ending it again changes nothing, and it is still described, without an address.
  expect((await client.send(new TerminateInstancesCommand({ InstanceIds }))).TerminatingInstances).toMatchObject([{ CurrentState: { Name: 'terminated' }, PreviousState: { Name: 'terminated' } }]);
  const seen = (await client.send(new DescribeInstancesCommand({ InstanceIds }))).Reservations?.[0]?.Instances?.[0];
  expect(seen).toMatchObject({ StateReason: { Code: 'Client.UserInitiatedShutdown' }, StateTransitionReason: expect.stringMatching(/^User initiated \(/) });
  expect([seen?.PublicIpAddress, seen?.PrivateIpAddress]).toEqual([undefined, undefined]);
});

test('or it is refused then, if so configured', async () => {
  const { own, launch: start } = await another({ endedToken: 'refuses', pendingMs: 5 });
  const [made] = await start({ ClientToken: 'ended' });
  await own.vanish(made?.InstanceId ?? '');
  await expect(start({ ClientToken: 'ended' })).rejects.toEqual(refusal('IdempotentInstanceTerminated'));
});

test('a token is unique in its zone only, when a zone is named', async () => {
  const [first] = await launch({ ClientToken: 'zonal', ...inZone('eu-central-1a') });
  const [second] = await launch({ ClientToken: 'zonal', ...inZone('eu-central-1b') });
  expect(second?.InstanceId).not.toBe(first?.InstanceId);
  expect(withToken('zonal').map(({ zone }) => zone)).toEqual(['eu-central-1a', 'eu-central-1b']);
});

test('a refused launch does not use its token up', async () => {
  ec2.refuse({ type: 'm7i.large', code: 'InsufficientInstanceCapacity', times: 1 });
  // A server error in the documents of the service: the SDK repeats it when it may.
  await expect(launch({ ClientToken: 'again' })).rejects.toEqual(refusal('InsufficientInstanceCapacity', 500));
  expect(await launch({ ClientToken: 'again' })).toHaveLength(1);
});

test('capacity by type, zone and market', async () => {
  const spot = { InstanceMarketOptions: { MarketType: 'spot' as const } };
  const again = [ec2.refuse({ zone: 'eu-central-1a', code: 'InsufficientInstanceCapacity' }), ec2.refuse({ market: 'spot', code: 'SpotMaxPriceTooLow' }), ec2.refuse({ type: 'c7i.large', code: 'InstanceLimitExceeded' })];
  await expect(launch(inZone('eu-central-1a'))).rejects.toEqual(refusal('InsufficientInstanceCapacity', 500));
  expect((await launch(inZone('eu-central-1b')))[0]?.Placement.AvailabilityZone).toBe('eu-central-1b');
  // Whoever names no zone gets one that has something left.
  expect((await launch())[0]?.Placement.AvailabilityZone).toBe('eu-central-1b');
  await expect(launch(spot)).rejects.toEqual(refusal('SpotMaxPriceTooLow'));
  await expect(launch({ InstanceType: 'c7i.large' })).rejects.toEqual(refusal('InstanceLimitExceeded'));
  for (const undo of again) undo();
  expect(await launch({ ...spot, ...inZone('eu-central-1a') })).toHaveLength(1);
});

test('limits of processors, of on-demand and of spot', async () => {
  const { own, launch: start } = await another({ quota: { vcpus: 8, spotVcpus: 4 }, terminateMs: 0 });
  const spot = { InstanceMarketOptions: { MarketType: 'spot' as const } };
  const [first] = await start({ InstanceType: 'm7i.xlarge' });
  // Between the least and the most, as many as the limit leaves.
  expect(await start({ MinCount: 1, MaxCount: 5 })).toHaveLength(2);
  await expect(start()).rejects.toEqual(refusal('VcpuLimitExceeded'));
  await start({ ...spot, InstanceType: 'm7i.xlarge' });
  await expect(start(spot)).rejects.toEqual(refusal('MaxSpotInstanceCountExceeded'));
  await own.vanish(first?.InstanceId ?? '');
  expect(await start()).toHaveLength(1);
});

test('an answer that gets lost: the launch has happened', async () => {
  ec2.dropAnswer('RunInstances');
  await expect(launch({ ClientToken: 'lost' })).rejects.toThrow(/socket hang up|ECONNRESET/);
  expect(withToken('lost')).toHaveLength(1);
  expect(ec2.calls.at(-1)).toMatchObject({ action: 'RunInstances', lost: true });
  expect((await launch({ ClientToken: 'lost' }))[0]?.InstanceId).toBe(withToken('lost')[0]?.id);
});

test('an answer that does not come: the launch happens when nobody waits any more', async () => {
  const release = ec2.hang('RunInstances');
  const controller = new AbortController();
  const asked = client.send(new RunInstancesCommand({ ImageId: image, InstanceType: 'm7i.large', MinCount: 1, MaxCount: 1, ClientToken: 'late' }), { abortSignal: controller.signal });
  await eventually(() => ec2.calls.some(({ parameters }) => parameters['ClientToken'] === 'late'));
  await client.send(new DescribeInstancesCommand({}));
  controller.abort();
  await expect(asked).rejects.toMatchObject({ name: 'AbortError' });
  expect(withToken('late')).toEqual([]);
  release();
  await eventually(() => withToken('late').length === 1);
});

test('an unknown id among several ends none of them', async () => {
  const [made] = await launch();
  await expect(client.send(new TerminateInstancesCommand({ InstanceIds: [made?.InstanceId ?? '', 'i-0123456789abcdef0'] }))).rejects.toEqual(refusal('InvalidInstanceID.NotFound'));
  expect(ec2.alive().map(({ id }) => id)).toContain(made?.InstanceId);
});
