import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEc2, type Ec2Image, type Ec2StandIn } from '../../../../../test/support/ec2/ec2.js';
import type { Provided } from '../provider.js';
import { accountOf, aws, clock, count, crashes, grow, imagesOf, MINUTE, quickly, Rehearsal, snapshotsOf } from '../provider.testing.js';

let home: Ec2StandIn;
/** the same AWS account in another region */
let far: Ec2StandIn;
/** another AWS account, in the same region and in the other one */
let other: Ec2StandIn;
let otherFar: Ec2StandIn;
beforeAll(async () => {
  home = await startEc2();
  far = await startEc2({ beside: home, region: 'us-east-1' });
  other = await startEc2({ beside: home, accountId: '999999999999' });
  otherFar = await startEc2({ beside: other, region: 'us-east-1' });
});
afterAll(async () => {
  for (const cloud of [otherFar, other, far, home]) await cloud.stop();
});

/** An image with two snapshots, as a seal leaves it. */
function sealed(on = home): Ec2Image {
  const mappings = ['/dev/xvda', '/dev/sdf'].map((device) => ({ device, snapshotId: on.addSnapshot(), sizeGiB: 8, type: 'gp3', deleteOnTermination: true }));
  return on.addImage({ mappings });
}

const provided = (image: Ec2Image, on = home, given: Partial<Provided> = {}): Provided => ({ account: accountOf(on), provider: aws(on), id: image.id, ...given });

type Pushes = Rehearsal<ReturnType<typeof quickly>>;

function pushing(from: Provided | undefined, to: Ec2StandIn, given: Parameters<typeof accountOf>[1] = {}, provider = aws(to)): Pushes {
  return new Rehearsal((by, call) => by.push({ ...call, ...(from !== undefined && { from }), os: undefined }), { account: accountOf(to, given), provider });
}

describe('a push to the same account and region', () => {
  it('is the image itself, with the tags of the push', async () => {
    const image = sealed();
    const one = pushing(provided(image), home, { name: 'called-otherwise' });
    expect(await one.until(quickly)).toEqual({ is: 'done', id: image.id });
    expect(home.images().find(({ id }) => id === image.id)?.tags).toMatchObject({ 'berth:image': 'web', 'berth:version': one.call.version, team: 'blue' });
    expect(count(home, 'CopyImage')).toBe(0);
  });

  it('is found out where the credentials are others', async () => {
    const image = sealed();
    process.env['BERTH_IMAGE_SAME_ACCESS_KEY_ID'] = home.accessKeyId;
    process.env['BERTH_IMAGE_SAME_SECRET_ACCESS_KEY'] = home.secretAccessKey;
    expect(await pushing(provided(image), home, { credentials: 'env:BERTH_IMAGE_SAME' }).until(quickly)).toEqual({ is: 'done', id: image.id });
  });
});

describe('a push to another region', () => {
  it.each(crashes)('makes one copy when the process dies: %s', async (crash) => {
    const image = sealed();
    const one = pushing(provided(image), far);
    const step = await one.until(quickly, { crash });
    const [copied, ...more] = imagesOf(far, one);
    expect(more).toEqual([]);
    expect(step).toEqual({ is: 'done', id: copied?.id });
    expect(copied).toMatchObject({ state: 'available', source: { id: image.id, region: 'eu-central-1' }, tags: { 'berth:number': String(one.call.number), team: 'blue' } });
    expect(snapshotsOf(far, one)).toHaveLength(2);
    expect(grow(one.percents())).toBe(true);
    expect(home.images().find(({ id }) => id === image.id)?.sharedWith).toEqual([]);
  });

  it('adopts the copy whose token EC2 has forgotten, or knows with other tags', async () => {
    const one = pushing(provided(sealed()), far);
    await one.next(quickly());
    await quickly().push({ ...one.now, tags: { team: 'red' }, from: provided(home.images().at(-1)!), os: undefined });
    expect(await one.until(quickly)).toMatchObject({ is: 'done' });
    expect(far.calls.some(({ error }) => error === 'IdempotentParameterMismatch')).toBe(true);
    expect(imagesOf(far, one)).toHaveLength(1);

    const two = pushing(provided(sealed()), far);
    await two.next(quickly());
    const { id } = far.addImage({ name: two.facts['name']!, tags: { 'berth:version': two.call.version } });
    expect(await two.until(quickly)).toEqual({ is: 'done', id });
  });

  it('asks for the same again when the answer was lost', async () => {
    const one = pushing(provided(sealed()), far);
    far.dropAnswer('CopyImage', 2);
    expect(await one.until(quickly)).toMatchObject({ is: 'done' });
    expect(imagesOf(far, one)).toHaveLength(1);
  });

  it.each(crashes)('that fails has failed with the reason, and leaves nothing when the process dies: %s', async (crash) => {
    const one = pushing(provided(sealed()), far);
    far.spoilImage({ by: 'CopyImage', fault: 'fails', code: 'Client.InternalError', message: 'Snapshot copy failed', times: 1 });
    expect(await one.until(quickly, { crash })).toEqual({ is: 'failed', error: expect.stringContaining('is failed: Snapshot copy failed (Client.InternalError)') });
    expect(imagesOf(far, one)).toEqual([]);
    expect(snapshotsOf(far, one)).toEqual([]);
  });

  it('that never comes to an end has failed after two hours', async () => {
    const time = clock();
    const one = pushing(provided(sealed()), far);
    far.spoilImage({ by: 'CopyImage', fault: 'never', times: 1 });
    await one.until(() => quickly(time), { enough: ({ is }) => is === 'wait' });
    time.forward(121 * MINUTE);
    expect(await one.until(() => quickly(time))).toEqual({ is: 'failed', error: expect.stringContaining('was not available after 120 minutes: it is still pending') });
    expect(imagesOf(far, one)).toEqual([]);
  });

  it('of what is gone is refused', async () => {
    const image = sealed();
    home.removeImage(image.id);
    expect(await pushing(provided(image), far).until(quickly)).toEqual({ is: 'failed', error: expect.stringMatching(/^EC2 refuses CopyImage for account on-us-east-1-123456789012 in us-east-1: .*InvalidAMIID\.NotFound/) });
  });
});

describe('a push to another AWS account', () => {
  it.each([
    ['in the same region', () => other],
    ['in another one', () => otherFar],
  ])('%s shares the image and its snapshots, and copies it', async (_where, to) => {
    const image = sealed();
    const one = pushing(provided(image), to(), { accountId: '999999999999' });
    expect(await one.until(quickly, { crash: 'before a step is stored' })).toMatchObject({ is: 'done' });
    const [copied, ...more] = imagesOf(to(), one);
    expect(more).toEqual([]);
    expect(copied).toMatchObject({ state: 'available', source: { id: image.id } });
    expect(home.images().find(({ id }) => id === image.id)?.sharedWith).toEqual(['999999999999']);
    for (const { snapshotId } of image.mappings) expect(home.snapshots().find(({ id }) => id === snapshotId)?.sharedWith).toEqual(['999999999999']);
  });

  it('whose number is not known is refused with the way out', async () => {
    expect(await pushing(provided(sealed()), other).until(quickly)).toEqual({ is: 'failed', error: expect.stringMatching(/^account on-eu-central-1-999999999999 does not own ami-\w+, .*save it with its accountId$/) });
    expect(await pushing(provided(sealed()), otherFar).until(quickly)).toEqual({ is: 'failed', error: expect.stringContaining('InvalidAMIID.NotFound') });
  });

  it('waits until EC2 knows everywhere what was shared', async () => {
    const one = pushing(provided(sealed()), other, { accountId: '999999999999' });
    other.refuse({ action: 'CopyImage', code: 'InvalidRequest', message: 'You do not have permission to access the storage of this ami', times: 2 });
    expect(await one.until(quickly)).toMatchObject({ is: 'done' });
    const two = pushing(provided(sealed()), other, { accountId: '999999999999' });
    const takeBack = other.refuse({ action: 'CopyImage', code: 'InvalidRequest', message: 'You do not have permission to access the storage of this ami' });
    expect(await two.until(quickly)).toEqual({ is: 'failed', error: expect.stringMatching(/permission to access the storage.*give the account its accountId/) });
    takeBack();
  });

  it('names the account that may not share', async () => {
    const takeBack = home.refuse({ action: 'ModifySnapshotAttribute', code: 'UnauthorizedOperation' });
    expect(await pushing(provided(sealed()), other, { accountId: '999999999999' }).until(quickly)).toEqual({ is: 'failed', error: expect.stringMatching(/^account on-eu-central-1-123456789012 in eu-central-1 may not do this: .*ec2:ModifySnapshotAttribute$/) });
    takeBack();
    const image = sealed();
    home.removeImage(image.id);
    expect(await pushing(provided(image), other, { accountId: '999999999999' }).until(quickly)).toEqual({ is: 'failed', error: expect.stringContaining(`has no image ${image.id} any more`) });
  });
});

it('nothing is copied from server to server, or from nowhere', async () => {
  expect(await pushing(provided(sealed()), home, {}, aws(home, { name: 'elsewhere', endpoint: 'http://127.0.0.1:9' })).until(quickly)).toEqual({ is: 'failed', error: expect.stringMatching(/from the provider aws to the provider elsewhere/) });
  expect(await pushing(undefined, far).until(quickly)).toEqual({ is: 'failed', error: expect.stringMatching(/^there is no image of web \d+ at a provider to copy/) });
});
