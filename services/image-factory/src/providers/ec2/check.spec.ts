import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEc2, type Ec2StandIn } from '../../../../../test/support/ec2/ec2.js';
import { startS3, type S3StandIn } from '../../../../../test/support/s3/s3.js';
import type { AccountSpec } from '@berth/contracts';
import { account, accountOf, aws, clock, kept, MINUTE, provider, quickly, Rehearsal } from '../provider.testing.js';

const { signal } = new AbortController();
let s3: S3StandIn;
let cloud: Ec2StandIn;
let other: Ec2StandIn;
beforeAll(async () => {
  s3 = await startS3();
  s3.addBucket('disks');
  cloud = await startEc2({ s3 });
  other = await startEc2({ beside: cloud, accountId: '999999999999' });
});
afterAll(async () => {
  await other.stop();
  await cloud.stop();
  await s3.stop();
});

const disks = (bucket = 'disks') => aws(cloud, { target: 'raw', bucket: { name: bucket, endpoint: s3.endpoint } });

describe('checking', () => {
  it('takes an account that answers, and changes nothing', async () => {
    const before = cloud.calls.length;
    expect(await quickly().check(accountOf(cloud), aws(cloud), signal)).toBeUndefined();
    expect(await quickly().check(accountOf(cloud), disks(), signal)).toBeUndefined();
    expect(cloud.calls.slice(before).map(({ action }) => action)).toEqual(['DescribeImages', 'DescribeImages']);
  });

  it.each<[string, string]>([
    ['AuthFailure', 'do not work: .*AuthFailure.*Set BERTH_IMAGE_SPEC_123456789012_ACCESS_KEY_ID'],
    ['SignatureDoesNotMatch', 'do not work: .*Set BERTH_IMAGE_SPEC_123456789012_ACCESS_KEY_ID'],
    ['UnauthorizedOperation', 'may not do this: .*Allow its credentials \\(env:BERTH_IMAGE_SPEC_123456789012\\) ec2:DescribeImages$'],
    ['OptInRequired', 'see to the account$'],
    ['RequestExpired', 'set the clock of the machine that Berth runs on$'],
    ['InternalError', 'EC2 did not answer account'],
    ['RequestLimitExceeded', 'EC2 asks to be asked less often for account'],
  ])('tells %s in one sentence with the account and the way out', async (code, sentence) => {
    const takeBack = cloud.refuse({ code, action: 'DescribeImages' });
    const told = await quickly().check(accountOf(cloud), aws(cloud), signal);
    expect(told).toMatch(new RegExp(sentence));
    expect(told).toContain('account on-eu-central-1-123456789012 in eu-central-1');
    expect(told).not.toContain('\n');
    takeBack();
  });

  it.each<[Partial<AccountSpec>, string]>([
    [{ region: undefined as never }, 'has no region'],
    [{ credentials: 'env:BERTH_IMAGE_NOBODY' }, 'BERTH_IMAGE_NOBODY_ACCESS_KEY_ID is not set'],
    [{ credentials: 'profile:berth-has-no-such' }, 'Correct the profile berth-has-no-such'],
    [{ region: 'us-east-1' }, 'Credential should be scoped to a valid region'],
  ])('of %j is refused', async (given, sentence) => {
    const { region, ...rest } = { ...accountOf(cloud), ...given };
    expect(await quickly().check(account({ ...rest, ...(region !== undefined && { region }) }), aws(cloud), signal)).toContain(sentence);
  });

  it('tells that nobody is there', async () => {
    expect(await quickly().check(accountOf(cloud), provider({ name: 'aws', kind: 'ec2', endpoint: 'http://127.0.0.1:9' }), signal)).toMatch(/EC2 did not answer account .*ECONNREFUSED.*Berth must be able to reach it$/);
  });

  it('looks at the bucket that disks are uploaded to', async () => {
    expect(await quickly().check(accountOf(cloud), disks('nowhere'), signal)).toMatch(/^the bucket nowhere can't be used by account \S+ in eu-central-1: there is none of this name/);
    expect(await quickly().check(accountOf(cloud), aws(cloud, { target: 'raw' }), signal)).toMatch(/^the provider aws takes disks and has no bucket/);
    const allow = s3.forbidLists();
    expect(await quickly().check(accountOf(cloud), disks(), signal)).toMatch(/^the bucket disks can't be used by .*Let its credentials/);
    allow();
    const takeBack = s3.fault({ action: 'HeadBucket', refuse: 'InternalError' });
    expect(await quickly().check(accountOf(cloud), disks(), signal)).toMatch(/S3 did not answer/);
    takeBack();
  });
});

describe('finding', () => {
  it('tells what an image is', async () => {
    const { id } = cloud.addImage({ name: 'golden', architecture: 'arm64' });
    const { id: open } = other.addImage({ name: 'open', sharedWith: ['all'] });
    const find = (ami: string) => quickly().find(accountOf(cloud), aws(cloud), ami, signal);
    expect(await find(id)).toEqual({ os: 'linux', arch: 'aarch64', name: 'golden' });
    expect(await find(open)).toEqual({ os: 'linux', arch: 'x86_64', name: 'open' });
    expect(await find(other.addImage().id)).toBeUndefined();
    expect(await find('ami-0123456789abcdef0')).toBeUndefined();
    expect(await find('golden')).toBeUndefined();
    await expect(find(cloud.addImage({ state: 'pending' }).id)).rejects.toThrow(/^the image ami-\w+ in account \S+ is pending: it can be used once it is available$/);
  });

  it('throws when it can not be found out', async () => {
    const takeBack = cloud.refuse({ code: 'UnauthorizedOperation', action: 'DescribeImages' });
    await expect(quickly().find(accountOf(cloud), aws(cloud), 'ami-0123456789abcdef0', signal)).rejects.toThrow('ec2:DescribeImages');
    takeBack();
  });
});

describe('credentials', () => {
  const values = (): string[] => Object.entries(process.env).flatMap(([name, value]) => (/^BERTH_IMAGE_SPEC_.*_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)$/.test(name) && value !== undefined ? [value] : []));
  const disk = kept('disk.raw', Buffer.alloc(1000));

  it.each(['none', 'AuthFailure', 'SignatureDoesNotMatch', 'UnauthorizedOperation', 'InternalError', 'never heard of'])('are in no fact, no error and no line of the log: %s', async (code) => {
    const lines: string[] = [];
    const time = clock();
    const session = { ...accountOf(cloud) };
    process.env['BERTH_IMAGE_SPEC_123456789012_SESSION_TOKEN'] = 'a-token-of-a-session';
    const takeBack = code === 'none' ? () => undefined : cloud.refuse({ code, message: `${code}: ${cloud.accessKeyId} was used` });
    const by = () => quickly({ ...time, log: (line) => void lines.push(line) });
    const push = new Rehearsal<ReturnType<typeof quickly>>((p, call) => p.push({ ...call, object: disk.file, os: undefined }), { account: session, provider: disks(), read: disk.read });
    const seal = new Rehearsal<ReturnType<typeof quickly>>((p, call) => p.seal({ ...call, instance: 'i-0123456789abcdef0' }), { account: session, provider: aws(cloud) });
    const remove = new Rehearsal<ReturnType<typeof quickly>>((p, call) => p.remove({ ...call, id: 'ami-0123456789abcdef0' }), { account: session, provider: aws(cloud) });
    for (const one of [push, seal, remove]) {
      for (let hour = 0; hour < 3; hour++) {
        const step = await one.until(by, { enough: ({ is }) => is !== 'keep' });
        if (step.is !== 'wait') break;
        time.forward(31 * MINUTE);
      }
    }
    const said = JSON.stringify([push, seal, remove].map(({ steps, facts }) => [steps, facts])) + lines.join('\n') + String(await by().check(session, disks(), signal));
    takeBack();
    delete process.env['BERTH_IMAGE_SPEC_123456789012_SESSION_TOKEN'];
    expect(values().length).toBeGreaterThan(1);
    for (const value of [...values(), 'a-token-of-a-session']) expect(said).not.toContain(value);
    if (code !== 'none') expect(said).toContain(code);
  });
});
