import { beforeAll, describe, expect, test } from 'vitest';
import type { ResourceEvent } from '@berth/contracts';
import { startCloud, type Cloud } from '../support/cloud.js';
import { eventually } from '../support/wait.js';

/** The allocator is killed at each point of a launch. Whatever it knew, nothing is launched twice and nothing is left. */
describe('an allocator that is killed while it launches', () => {
  let cloud: Cloud;
  beforeAll(async () => {
    cloud = await startCloud({ ec2: { describeLagMs: 400, consoleDelayMs: 200, bootMs: 300 } });
    await cloud.save({ ready: { command: 'true' } });
  });

  const allocator = () => cloud.fleet.services.allocator;
  const created = async () => (await cloud.fleet.events('resource')).filter((r) => r.commit.events.some((e) => e.type === 'ResourceCreated' && (e as ResourceEvent & { type: 'ResourceCreated' }).data.blueprint === 'cloud')).map((r) => r.id);

  async function launchWith(kill: (before: number) => Promise<void>): Promise<void> {
    const before = cloud.ec2.instances().length;
    const known = new Set(await created());
    const lease = await cloud.lease();
    await kill(before);
    await cloud.active(lease, 45_000);
    const mine = (await created()).filter((id) => !known.has(id));
    const launched = cloud.ec2.instances().slice(before);
    for (const id of mine) expect(launched.filter((i) => i.tags['berth:resource'] === id).length).toBeLessThanOrEqual(1);
    expect(launched).toHaveLength(1);
    await cloud.release(lease);
    await cloud.destroyed(lease);
    await cloud.nothingLeft();
  }

  // created, for whom, offer, instance, addresses, host key, connecting, readying, neither any more, active
  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])('after commit %i of the resource', async (nth) => {
    const known = new Set(await created());
    await launchWith(async () => {
      // Where there are fewer commits than that, the last one does.
      await eventually(async () => {
        const commits = (await cloud.fleet.events('resource')).filter((r) => !known.has(r.id));
        return commits.length >= nth || commits.some((r) => r.commit.events.some((e) => e.type === 'ResourceActivated'));
      }, { timeoutMs: 30_000 });
      await allocator().kill9();
      await allocator().start();
    });
  });

  test('between the launch and its answer', async () => {
    await launchWith(async (before) => {
      cloud.ec2.dropAnswer('RunInstances', 1);
      await eventually(() => cloud.ec2.instances().length > before, { timeoutMs: 20_000 });
      await allocator().kill9();
      await allocator().start();
    });
  });

  test('while the launch is on its way, and carried out after its death', async () => {
    const release = cloud.ec2.hang('RunInstances');
    await launchWith(async (before) => {
      const asked = cloud.ec2.calls.filter((c) => c.action === 'RunInstances').length;
      await eventually(() => cloud.ec2.calls.filter((c) => c.action === 'RunInstances').length > asked, { timeoutMs: 20_000 });
      await allocator().kill9();
      release();
      await eventually(() => cloud.ec2.instances().length > before, { timeoutMs: 20_000 });
      await allocator().start();
    });
  });

  test('with the request given up meanwhile', async () => {
    const lease = await cloud.lease();
    await eventually(() => cloud.ec2.alive().length > 0, { timeoutMs: 20_000 });
    await allocator().kill9();
    await cloud.release(lease);
    await allocator().start();
    await cloud.destroyed(lease);
    await cloud.nothingLeft();
  });
});
