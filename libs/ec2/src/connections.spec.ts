import { DescribeImagesCommand } from '@aws-sdk/client-ec2';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startEc2, type Ec2StandIn } from '../../../test/support/ec2/ec2.js';
import { Connections, type Clients } from './connections.js';
import { callTiming } from './timing.js';

let cloud: Ec2StandIn;
let open: Connections<Clients>[] = [];
beforeAll(async () => {
  cloud = await startEc2();
});
afterEach(() => {
  for (const connections of open) connections.close();
  open = [];
  delete process.env['BERTH_CONNECTIONS_ACCESS_KEY_ID'];
  delete process.env['BERTH_CONNECTIONS_SECRET_ACCESS_KEY'];
});

function connections(): Connections<Clients> {
  const made = new Connections(callTiming, (clients) => clients);
  open.push(made);
  return made;
}

function set(secret: string): void {
  process.env['BERTH_CONNECTIONS_ACCESS_KEY_ID'] = cloud.accessKeyId;
  process.env['BERTH_CONNECTIONS_SECRET_ACCESS_KEY'] = secret;
}

const place = () => ({ region: cloud.region, endpoint: cloud.endpoint, credentials: 'env:BERTH_CONNECTIONS' });
const ask = async ({ ec2 }: Clients) => ec2.send(new DescribeImagesCommand({ Owners: ['self'] }));

describe('connections', () => {
  it('are one for each place, whoever asks', async () => {
    set(cloud.secretAccessKey);
    const all = connections();
    const [one, same, other] = await Promise.all([all.of(place()), all.of(place()), all.of({ ...place(), region: 'us-east-1' })]);
    expect(same).toBe(one);
    expect(other).not.toBe(one);
    expect((await ask(one)).Images).toEqual([]);
  });

  it('are new when other credentials are there under the same reference', async () => {
    set('wrong at first');
    const all = connections();
    await expect(ask(await all.of(place()))).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
    set(cloud.secretAccessKey);
    expect((await ask(await all.of(place()))).Images).toEqual([]);
  });

  it('name what is missing, and are tried anew', async () => {
    const all = connections();
    await expect(all.of(place())).rejects.toThrow('BERTH_CONNECTIONS_ACCESS_KEY_ID is not set');
    await expect(all.of({ ...place(), credentials: 'profile:berth-has-no-such' })).rejects.toThrow('no profile berth-has-no-such');
    set(cloud.secretAccessKey);
    expect(await all.of(place())).toBeDefined();
  });

  it('that are closed are opened again when somebody asks', async () => {
    set(cloud.secretAccessKey);
    const all = connections();
    const before = await all.of(place());
    all.close();
    const after = await all.of(place());
    expect(after).not.toBe(before);
    expect((await ask(after)).Images).toEqual([]);
  });
});
