import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEc2, type Ec2Image, type Ec2StandIn } from '../../../../../test/support/ec2/ec2.js';
import { accountOf, aws, clock, crashes, MINUTE, quickly, Rehearsal } from '../provider.testing.js';

let cloud: Ec2StandIn;
let other: Ec2StandIn;
beforeAll(async () => {
  cloud = await startEc2();
  other = await startEc2({ beside: cloud, accountId: '999999999999' });
});
afterAll(async () => {
  await other.stop();
  await cloud.stop();
});

function made(snapshots = [cloud.addSnapshot(), cloud.addSnapshot()], given: Partial<Ec2Image> = {}): Ec2Image {
  return cloud.addImage({ mappings: snapshots.map((snapshotId, i) => ({ device: `/dev/sd${i}`, snapshotId, sizeGiB: 8, type: 'gp3', deleteOnTermination: true })), ...given });
}

function removing(id: string, endpoint?: string): Rehearsal<ReturnType<typeof quickly>> {
  return new Rehearsal((by, call) => by.remove({ ...call, id }), { account: accountOf(cloud), provider: aws(cloud, endpoint === undefined ? {} : { endpoint }) });
}

const has = (image: Ec2Image): boolean => cloud.images().some(({ id }) => id === image.id) || cloud.snapshots().some(({ id }) => image.mappings.some(({ snapshotId }) => snapshotId === id));

describe('an image', () => {
  it.each(crashes)('goes with its snapshots when the process dies: %s', async (crash) => {
    const image = made();
    const one = removing(image.id);
    expect(await one.until(quickly, { crash })).toEqual({ is: 'gone', manual: [] });
    expect(has(image)).toBe(false);
    expect(await removing(image.id).until(quickly)).toEqual({ is: 'gone', manual: [] });
  });

  it('goes although its answers are lost', async () => {
    const image = made();
    for (const action of ['DeregisterImage', 'DeleteSnapshot']) cloud.dropAnswer(action, 3);
    expect(await removing(image.id).until(quickly)).toEqual({ is: 'gone', manual: [] });
    expect(has(image)).toBe(false);
  });

  it('that somebody else removed, or that never was, is gone', async () => {
    const image = made();
    const one = removing(image.id);
    await one.next(quickly());
    cloud.removeImage(image.id);
    expect(await one.until(quickly)).toEqual({ is: 'gone', manual: [] });
    expect(has(image)).toBe(false);
    expect(await removing('ami-0123456789abcdef0').until(quickly)).toEqual({ is: 'gone', manual: [] });
  });

  it('takes with it what EC2 has not named in it yet', async () => {
    const image = made([]);
    const snapshot = cloud.addSnapshot({ description: `Created by CreateImage(i-0123456789abcdef0) for ${image.id}` });
    const source = cloud.addSnapshot({ description: `Copied for DestinationAmi ami-0123456789abcdef0 from SourceAmi ${image.id} for SourceSnapshot snap-1.` });
    expect(await removing(image.id).until(quickly)).toEqual({ is: 'gone', manual: [] });
    expect(cloud.snapshots().some(({ id }) => id === snapshot)).toBe(false);
    expect(cloud.snapshots().some(({ id }) => id === source)).toBe(true);
  });

  it('of another account stays, and is told', async () => {
    const image = other.addImage({ sharedWith: ['all'] });
    expect(await removing(image.id).until(quickly)).toEqual({ is: 'gone', manual: [`${image.id} in eu-central-1 belongs to the AWS account 999999999999: it stays`] });
  });
});

describe('a snapshot in use', () => {
  it('by another image is told, and stays', async () => {
    const [shared, own] = [cloud.addSnapshot(), cloud.addSnapshot()];
    const image = made([shared, own]);
    const user = made([shared]);
    expect(await removing(image.id).until(quickly)).toEqual({ is: 'gone', manual: [`${shared} in eu-central-1 (account on-eu-central-1-123456789012) is used by ${user.id}`] });
    expect(cloud.snapshots().map(({ id }) => id)).toEqual(expect.arrayContaining([shared]));
    expect(cloud.snapshots().some(({ id }) => id === own)).toBe(false);
  });

  it('by the image that is gone is waited for, for a while', async () => {
    const image = made([cloud.addSnapshot()]);
    cloud.refuse({ action: 'DeleteSnapshot', code: 'InvalidSnapshot.InUse', times: 2 });
    const one = removing(image.id);
    expect(await one.until(quickly)).toEqual({ is: 'gone', manual: [] });
    expect(one.steps.filter(({ is }) => is === 'wait')).toHaveLength(2);

    const time = clock();
    const stuck = removing(made([cloud.addSnapshot()]).id);
    const takeBack = cloud.refuse({ action: 'DeleteSnapshot', code: 'InvalidSnapshot.InUse' });
    await stuck.until(() => quickly(time), { enough: ({ is }) => is === 'wait' });
    time.forward(MINUTE);
    expect(await stuck.until(() => quickly(time))).toEqual({ is: 'gone', manual: [expect.stringMatching(/^snap-\w+ in eu-central-1 .* is used by something else$/)] });
    takeBack();
  });
});

describe('a removal that fails', () => {
  it.each(['UnauthorizedOperation', 'AuthFailure'])('with %s is told, and can be tried again', async (code) => {
    for (const action of ['DeregisterImage', 'DeleteSnapshot', 'DescribeImages']) {
      const image = made();
      const one = removing(image.id);
      const takeBack = cloud.refuse({ code, action });
      expect(await one.until(quickly)).toEqual({ is: 'failed', error: expect.stringContaining(code) });
      takeBack();
      expect(await one.until(quickly)).toEqual({ is: 'gone', manual: [] });
      expect(has(image)).toBe(false);
    }
  });

  it('for throttling goes on, and after half an hour of silence it has failed', async () => {
    const image = made();
    cloud.throttle(3, 'DeregisterImage');
    expect(await removing(image.id).until(quickly)).toEqual({ is: 'gone', manual: [] });
    const time = clock();
    const one = removing(made().id, 'http://127.0.0.1:9');
    const by = quickly(time);
    expect(await one.next(by)).toMatchObject({ is: 'keep', facts: { troubleSince: expect.any(String) } });
    expect(await one.next(by)).toMatchObject({ is: 'wait' });
    time.forward(31 * MINUTE);
    expect(await one.next(by)).toEqual({ is: 'failed', error: expect.stringMatching(/^given up after 31 minutes: EC2 did not answer account .*ECONNREFUSED/) });
  });
});
