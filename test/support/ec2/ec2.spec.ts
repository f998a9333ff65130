import {
  CreateTagsCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeRegionsCommand,
  DescribeSpotInstanceRequestsCommand,
  EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
  type DescribeImagesCommandInput,
  type EC2ClientConfig,
  type Instance,
  type RunInstancesCommandInput,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../wait.js';
import { startEc2, type Ec2Options, type Ec2StandIn } from './ec2.js';

let ec2: Ec2StandIn;
let client: EC2Client;
let image: string;
let calls: number;
const clients: EC2Client[] = [];

function connect(to: Ec2StandIn, more: Partial<EC2ClientConfig> = {}): EC2Client {
  const { endpoint, region, accessKeyId, secretAccessKey } = to;
  const made = new EC2Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, ...more });
  clients.push(made);
  return made;
}

/** A stand-in of one test, with an image and a client that does not repeat anything. */
async function another(options: Ec2Options): Promise<{ own: Ec2StandIn; ask: EC2Client; ami: string }> {
  const own = await startEc2(options);
  return { own, ask: connect(own, { maxAttempts: 1 }), ami: own.addImage().id };
}

beforeAll(async () => {
  // sshd of these never starts: what is looked at here is the API.
  ec2 = await startEc2({ bootMs: 60_000, pendingMs: 5, terminateMs: 5 });
  client = connect(ec2, { maxAttempts: 1 });
  image = ec2.addImage({ name: 'builder-2026.11', tags: { role: 'builder' } }).id;
});

beforeEach(() => {
  calls = ec2.calls.length;
});

afterAll(() => {
  for (const one of clients) one.destroy();
});

function launch(more: Partial<RunInstancesCommandInput> = {}, by = client, ImageId = image) {
  return by.send(new RunInstancesCommand({ ImageId, InstanceType: 'm7i.large', MinCount: 1, MaxCount: 1, ...more }));
}

async function launched(more: Partial<RunInstancesCommandInput> = {}): Promise<Instance & { InstanceId: string }> {
  return (await launch(more)).Instances?.[0] as Instance & { InstanceId: string };
}

async function described(id: string, by = client): Promise<Instance | undefined> {
  return (await by.send(new DescribeInstancesCommand({ InstanceIds: [id] }))).Reservations?.[0]?.Instances?.[0];
}

const errors = (): (string | undefined)[] => ec2.calls.slice(calls).map(({ error }) => error);

/** What an error of the SDK carries. */
const refusal = (name: string, status = 400, message = /./) =>
  expect.objectContaining({ name, message: expect.stringMatching(message), $metadata: expect.objectContaining({ httpStatusCode: status }) });

describe('who asks', () => {
  test('an unknown key, a wrong secret, another region and a wrong clock are refused', async () => {
    const { accessKeyId, secretAccessKey } = ec2;
    const ask = (more: Partial<EC2ClientConfig>) => connect(ec2, { maxAttempts: 1, ...more }).send(new DescribeInstancesCommand({}));
    await expect(ask({ credentials: { accessKeyId: 'AKIAOTHER', secretAccessKey } })).rejects.toEqual(refusal('AuthFailure', 401, /not able to validate/));
    await expect(ask({ credentials: { accessKeyId, secretAccessKey: 'wrong' } })).rejects.toEqual(refusal('SignatureDoesNotMatch', 403));
    await expect(ask({ region: 'us-east-1' })).rejects.toEqual(refusal('SignatureDoesNotMatch', 403, /valid region/));
    await expect(ask({ systemClockOffset: 6 * 60_000 })).rejects.toEqual(refusal('RequestExpired'));
    await ask({ systemClockOffset: -4 * 60_000 });
  });

  test('a body that was changed on its way is refused', async () => {
    const changed = connect(ec2, { maxAttempts: 1 });
    changed.middlewareStack.add((next) => (args) => {
      const request = args.request as { body: string };
      request.body = request.body.replace('MaxResults=5', 'MaxResults=6');
      return next(args);
    }, { step: 'finalizeRequest', priority: 'low' });
    await expect(changed.send(new DescribeInstancesCommand({ MaxResults: 5 }))).rejects.toEqual(refusal('SignatureDoesNotMatch', 403));
    const unsigned = await fetch(ec2.endpoint, { method: 'POST', body: new URLSearchParams({ Action: 'DescribeInstances', Version: '2016-11-15' }) });
    expect(await unsigned.text()).toContain('<Code>MissingAuthenticationToken</Code>');
  });

  test('a missing permission is told, and other actions are none', async () => {
    const allow = ec2.refuse({ action: 'RunInstances', code: 'UnauthorizedOperation' });
    await expect(launch()).rejects.toEqual(refusal('UnauthorizedOperation', 403));
    allow();
    await expect(client.send(new DescribeRegionsCommand({}))).rejects.toEqual(refusal('InvalidAction'));
  });
});

describe('what a launch may ask for', () => {
  const gone = '0123456789abcdef0';
  test.each<[string, Partial<RunInstancesCommandInput>]>([
    ['InvalidAMIID.Malformed', { ImageId: 'builder' }],
    ['InvalidAMIID.NotFound', { ImageId: `ami-${gone}` }],
    ['MissingParameter', { ImageId: undefined }],
    ['InvalidParameterValue', { InstanceType: 'huge' as never }],
    ['InvalidParameterValue', { MinCount: 2 }],
    ['InvalidParameterValue', { Placement: { AvailabilityZone: 'eu-central-1z' } }],
    ['InvalidKeyPair.NotFound', { KeyName: 'nobody' }],
    ['InvalidGroup.NotFound', { SecurityGroupIds: [`sg-${gone}`] }],
    ['InvalidGroupId.Malformed', { SecurityGroupIds: ['default'] }],
    ['InvalidSubnetID.NotFound', { SubnetId: `subnet-${gone}` }],
    ['InvalidParameterValue', { IamInstanceProfile: { Name: 'nobody' } }],
    ['InvalidUserData.Malformed', { UserData: '#!/bin/sh' }],
    ['InvalidParameterValue', { UserData: Buffer.alloc(16_385).toString('base64') }],
    ['InvalidClientToken', { ClientToken: 'x'.repeat(65) }],
    ['InvalidParameterValue', { TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'aws:mine', Value: '' }] }] }],
    ['InvalidParameterValue', { TagSpecifications: [{ ResourceType: 'image', Tags: [{ Key: 'a', Value: '' }] }] }],
    ['InvalidParameterValue', { InstanceMarketOptions: { MarketType: 'spot', SpotOptions: { MaxPrice: 'cheap' } } }],
    ['UnsupportedByStandIn', { NetworkInterfaces: [{ DeviceIndex: 0 }] }],
    ['DryRunOperation', { DryRun: true }],
  ])('%s: %o', async (code, more) => {
    const before = ec2.instances().length;
    await expect(launch(more)).rejects.toEqual(refusal(code, code === 'DryRunOperation' ? 412 : 400));
    expect(ec2.instances()).toHaveLength(before);
  });

  test('an unknown parameter is refused', async () => {
    const misspelt = connect(ec2, { maxAttempts: 1 });
    misspelt.middlewareStack.add((next) => (args) => {
      (args.request as { body: string }).body += '&Monitored=true';
      return next(args);
    }, { step: 'build', priority: 'high' });
    await expect(launch({}, misspelt)).rejects.toEqual(refusal('UnknownParameter', 400, /Monitored/));
  });

  test('an image that is not ready, a type that is not in the zone, a subnet that is not either', async () => {
    const { id } = ec2.addImage({ state: 'pending' });
    await expect(launch({ ImageId: id })).rejects.toEqual(refusal('InvalidAMIID.Unavailable'));
    const SubnetId = ec2.addSubnet('eu-central-1b');
    await expect(launch({ SubnetId, Placement: { AvailabilityZone: 'eu-central-1a' } })).rejects.toEqual(refusal('InvalidParameterCombination'));
    expect((await launched({ SubnetId })).Placement?.AvailabilityZone).toBe('eu-central-1b');
    const { ask, ami } = await another({ offers: { 'c7i.large': ['eu-central-1b'] } });
    await expect(launch({ InstanceType: 'c7i.large', Placement: { AvailabilityZone: 'eu-central-1a' } }, ask, ami)).rejects.toEqual(refusal('Unsupported'));
    await expect(launch({}, ask, ami)).rejects.toEqual(refusal('InvalidParameterValue'));
  });

  test('what was asked for is there', async () => {
    ec2.addKeyPair('builders');
    ec2.addInstanceProfile('builder');
    const group = ec2.addSecurityGroup('ssh');
    const { InstanceId } = await launched({
      KeyName: 'builders',
      SecurityGroupIds: [group],
      IamInstanceProfile: { Name: 'builder' },
      UserData: Buffer.from('#!/bin/sh\n').toString('base64'),
      InstanceInitiatedShutdownBehavior: 'terminate',
      MetadataOptions: { HttpTokens: 'required' },
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 100, VolumeType: 'gp3' } }, { DeviceName: '/dev/sdb', Ebs: { VolumeSize: 20 } }],
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'owner', Value: 'a <b> & "ü"' }] }, { ResourceType: 'volume', Tags: [{ Key: 'disk', Value: '1' }] }],
      InstanceMarketOptions: { MarketType: 'spot', SpotOptions: { MaxPrice: '0.25', SpotInstanceType: 'one-time' } },
    });
    const seen = await eventually(async () => {
      const now = await described(InstanceId);
      return now?.State?.Name === 'running' && now;
    });
    expect(seen).toMatchObject({
      KeyName: 'builders',
      InstanceLifecycle: 'spot',
      SpotInstanceRequestId: expect.stringMatching(/^sir-/),
      Tags: [{ Key: 'owner', Value: 'a <b> & "ü"' }],
      SecurityGroups: [{ GroupId: group, GroupName: 'ssh' }],
      PublicIpAddress: expect.stringMatching(/^127\./),
      PublicDnsName: seen.PublicIpAddress,
    });
    expect(seen.LaunchTime).toEqual(ec2.instance(InstanceId).launchedAt);
    expect(ec2.instance(InstanceId)).toMatchObject({
      userData: '#!/bin/sh\n',
      shutdownBehavior: 'terminate',
      instanceProfile: 'builder',
      volumes: [{ sizeGiB: 100, deleteOnTermination: true, tags: { disk: '1' } }, { sizeGiB: 20, deleteOnTermination: false }],
    });
    const requests = await client.send(new DescribeSpotInstanceRequestsCommand({ Filters: [{ Name: 'instance-id', Values: [InstanceId] }] }));
    expect(requests.SpotInstanceRequests).toMatchObject([{ State: 'active', Status: { Code: 'fulfilled' } }]);
    await client.send(new TerminateInstancesCommand({ InstanceIds: [InstanceId] }));
    await eventually(() => ec2.instance(InstanceId).state === 'terminated');
    // The root volume went, the other one was not to go.
    expect(ec2.instance(InstanceId).volumes.map(({ exists }) => exists)).toEqual([false, true]);
  });
});

describe('looking', () => {
  test('by filters, a page at a time; ids that are unknown or no ids are refused', async () => {
    const tagged = { TagSpecifications: [{ ResourceType: 'instance' as const, Tags: [{ Key: 'batch', Value: 'a*1' }] }] };
    const made = (await launch({ ...tagged, MinCount: 7, MaxCount: 7 })).Instances?.map(({ InstanceId }) => InstanceId);
    const Filters = [{ Name: 'tag:batch', Values: ['a\\*?'] }, { Name: 'instance-state-name', Values: ['pending', 'running'] }];
    const first = await client.send(new DescribeInstancesCommand({ Filters, MaxResults: 5 }));
    const second = await client.send(new DescribeInstancesCommand({ Filters, MaxResults: 5, NextToken: first.NextToken }));
    expect([first, second].map(({ Reservations }) => Reservations?.flatMap(({ Instances }) => Instances?.map(({ InstanceId }) => InstanceId)))).toEqual([made?.slice(0, 5), made?.slice(5)]);
    expect(second.NextToken).toBeUndefined();
    await expect(client.send(new DescribeInstancesCommand({ MaxResults: 5, NextToken: first.NextToken }))).rejects.toEqual(refusal('InvalidNextToken'));
    await expect(client.send(new DescribeInstancesCommand({ MaxResults: 4 }))).rejects.toEqual(refusal('InvalidParameterValue'));
    await expect(client.send(new DescribeInstancesCommand({ MaxResults: 5, InstanceIds: made as string[] }))).rejects.toEqual(refusal('InvalidParameterCombination'));
    await expect(client.send(new DescribeInstancesCommand({ Filters: [{ Name: 'color', Values: ['red'] }] }))).rejects.toEqual(refusal('InvalidParameterValue'));
    await expect(described('i-0123456789abcdef0')).rejects.toEqual(refusal('InvalidInstanceID.NotFound', 400, /'i-0123456789abcdef0' does not exist/));
    await expect(described('i-1')).rejects.toEqual(refusal('InvalidInstanceID.Malformed'));
  });

  test('images by owner, name and tag', async () => {
    ec2.addImage({ name: 'builder-2026.10' });
    ec2.addImage({ name: 'al2023', owner: 'amazon' });
    const names = async (input: DescribeImagesCommandInput) => (await client.send(new DescribeImagesCommand(input))).Images?.map(({ Name }) => Name);
    expect(await names({ Owners: ['self'], Filters: [{ Name: 'name', Values: ['builder-*'] }, { Name: 'state', Values: ['available'] }] })).toEqual(['builder-2026.11', 'builder-2026.10']);
    expect(await names({ Filters: [{ Name: 'tag:role', Values: ['builder'] }] })).toEqual(['builder-2026.11']);
    expect(await names({ Owners: ['amazon'] })).toEqual(['al2023']);
    await expect(names({ ImageIds: ['ami-0123456789abcdef0'] })).rejects.toEqual(refusal('InvalidAMIID.NotFound'));
  });

  test('a new instance is unknown for a while, also to changes, but not to its token', async () => {
    const { own, ask, ami } = await another({ bootMs: 60_000, describeLagMs: 300 });
    const first = (await launch({ ClientToken: 'lag' }, ask, ami)).Instances?.[0]?.InstanceId as string;
    await expect(described(first, ask)).rejects.toEqual(refusal('InvalidInstanceID.NotFound'));
    await expect(ask.send(new TerminateInstancesCommand({ InstanceIds: [first] }))).rejects.toEqual(refusal('InvalidInstanceID.NotFound'));
    expect((await ask.send(new DescribeInstancesCommand({ Filters: [{ Name: 'client-token', Values: ['lag'] }] }))).Reservations).toEqual([]);
    expect((await launch({ ClientToken: 'lag' }, ask, ami)).Instances?.[0]?.InstanceId).toBe(first);
    await eventually(() => described(first, ask));
    await ask.send(new CreateTagsCommand({ Resources: [first], Tags: [{ Key: 'late', Value: 'yes' }] }));
    expect(own.instance(first).tags).toEqual({ late: 'yes' });
    await expect(ask.send(new CreateTagsCommand({ Resources: [first, 'x-1'], Tags: [{ Key: 'a', Value: 'b' }] }))).rejects.toEqual(refusal('InvalidID'));
  });
});

test('what the SDK repeats by itself is counted', async () => {
  const patient = connect(ec2);
  ec2.throttle(2);
  await patient.send(new DescribeInstancesCommand({}));
  expect(errors()).toEqual(['RequestLimitExceeded', 'RequestLimitExceeded', undefined]);
});
