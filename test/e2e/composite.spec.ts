import { beforeAll, describe, expect, test } from 'vitest';
import type { CommandInput, ResourceEvent } from '@berth/contracts';
import { derivedId } from '@berth/contracts';
import { nothingLeft } from '../faults/left.js';
import { repository } from '../support/repository.js';
import { eventually } from '../support/wait.js';
import { ANSWERS, freePorts, startYard, webServer, type Yard } from '../support/yard.js';

type Members = Extract<CommandInput<'allocator', 'SaveBlueprint'>['spec'], { kind: 'composite' }>['members'];
type Member = Members[string];

describe('a composite', () => {
  let yard: Yard;
  beforeAll(async () => {
    yard = await startYard();
    await yard.host('quay', { slots: 6, attributes: { quay: 'yes' } });
    for (const name of ['x', 'y', 'z']) {
      await yard.host(name, { attributes: { pier: name } });
      await yard.save({ name: `only-${name}`, kind: 'working-copy', limits: { resources: 1 }, host: { attributes: { quay: 'yes' } } });
    }
  });

  const over = () => nothingLeft(yard.fleet, [...yard.folders.values()], { timeoutMs: 15_000 });
  const save = (name: string, members: Members) => yard.save({ name, kind: 'composite', members });
  const ask = (name: string, more: Partial<Parameters<Yard['lease']>[0]> = {}) => yard.lease({ type: 'composite', blueprints: [name], ...more });
  const member = (lease: string, key: string, round = 1) => derivedId(yard.resourceOf(lease, 'composite'), `member ${key} round ${round}`);
  const host = (pier: string): Member => ({ type: 'host', attributes: { pier } });

  test('is active once all its members are, and ends with all of them, leaf first', async () => {
    const repo = await repository({ page: 'whole' });
    const port = await freePorts(1);
    await yard.save({ name: 'page', kind: 'service', port, start: webServer('require("fs").readFileSync("page")'), ready: { command: ANSWERS }, uri: 'http://{address}:{port}/' });
    // Not in the order in which they stand on each other.
    await save('stack', { web: { type: 'service', on: 'copy', blueprints: ['page'] }, copy: { type: 'working-copy', on: 'ground', blueprints: ['working-copy'], workingCopy: { repository: repo } }, ground: host('x') });
    const lease = await ask('stack');
    await yard.active(lease);
    const members = ['web', 'copy', 'ground'].map((key) => member(lease, key));
    for (const each of members) await yard.active(each, 1000);
    expect(await (await fetch((await yard.madeFor(members[0]!, 'service')).uri!)).text()).toBe('whole');
    await yard.release(lease);
    await yard.destroyed(lease, ...members);
    const order = (await yard.destroyedInOrder()).filter((id) => members.includes(id));
    expect(order).toEqual(members);
    await over();
  });

  test('of which a member is lost breaks, and names it', async () => {
    await save('pair', { left: host('x'), right: host('y') });
    const lease = await ask('pair');
    await yard.active(lease);
    await yard.release(member(lease, 'right'));
    const broken = await yard.fleet.bus.waitForStatus('lease', lease, ['broken', 'destroyed'], { timeoutMs: 5000 });
    expect(broken.data.error).toContain('its member right ended');
    await yard.destroyed(lease, member(lease, 'left'));
    await over();
  });

  test('of which a member is impossible is refused at once, names it, and asks for none', async () => {
    await save('half', { there: host('x'), nowhere: host('w') });
    expect(await yard.considered({ type: 'composite', blueprints: ['half'] })).toMatchObject({ verdict: 'never', considered: expect.arrayContaining([expect.objectContaining({ name: 'x', code: 'attributes' })]) });
    const lease = await ask('half');
    const [gone] = await yard.destroyed(lease);
    expect(gone!.data.error).toMatch(/^member nowhere: .*pier=w is wanted/);
    expect((await yard.eventsOf(lease)).map(({ type }) => type)).toEqual(['LeaseRequested', 'LeaseRefused', 'LeaseDestroyed']);
    expect(await yard.eventsOf(yard.resourceOf(lease, 'composite'))).toEqual([]);
    await over();
  });

  test('that is not to wait gives up when a member has to, names it, and gives back the others', async () => {
    await save('both', { left: host('x'), right: host('y') });
    const other = await yard.lease({ type: 'host', attributes: { pier: 'y' } });
    await yard.active(other);
    expect(await yard.considered({ type: 'composite', blueprints: ['both'] })).toMatchObject({ verdict: 'wait', reason: expect.stringMatching(/member right: the one slot .*y \(1\)/) });
    const lease = await ask('both', { wait: 'no' });
    const [gone] = await yard.destroyed(lease);
    expect(gone!.data.error).toMatch(/its member right can't be had: .*y \(1\)/);
    await yard.destroyed(member(lease, 'left'));
    await yard.release(other);
    await yard.destroyed(other);
    const served = await ask('both', { wait: 'no' });
    await yard.active(served);
    await yard.release(served);
    await yard.destroyed(served, member(served, 'left'), member(served, 'right'));
    await over();
  });

  test('that may be leased once at a time has its turn when the other is over', async () => {
    await yard.save({ name: 'single', kind: 'composite', limits: { leases: 1, resources: 1 }, members: { one: host('x') } });
    const first = await ask('single');
    await yard.active(first);
    const second = await ask('single');
    await yard.fleet.bus.waitForStatus('lease', second, ({ data }) => String(data.activity).startsWith('waiting'), { timeoutMs: 5000 });
    await yard.release(first);
    await yard.active(second);
    await yard.release(second);
    await yard.destroyed(first, second);
    await over();
  });

  const kinds: [string, (pier: string) => Member][] = [
    ['hosts', host],
    ['working copies on hosts of their own', (pier) => ({ type: 'working-copy', attributes: { pier }, blueprints: ['working-copy'] })],
    ['what there may be one of', (pier) => ({ type: 'working-copy', blueprints: [`only-${pier}`] })],
  ];

  test.each(kinds)('gives %s back for an older one, and asks again when that has all of its own', async (_, make) => {
    await save('older', { x: make('x'), y: make('y') });
    await save('younger', { y: make('y'), z: make('z') });
    const { type, attributes = {}, blueprints = [] } = make('y');
    const [y, z] = await Promise.all(['y', 'z'].map((pier) => yard.lease({ type, attributes: { ...attributes, ...('pier' in attributes && { pier }) }, blueprints: blueprints.map((name) => name.replace('only-y', `only-${pier}`)) })));
    await Promise.all([y!, z!].map((lease) => yard.active(lease)));
    const older = await ask('older');
    await yard.active(member(older, 'x'));
    // Of higher priority, so that it is the one that gets what comes free.
    const younger = await ask('younger', { priority: 200 });
    await eventually(async () => (await yard.eventsOf(member(younger, 'z'))).length > 0);
    await yard.release(y!);
    await yard.active(member(younger, 'y'));
    await yard.active(older);
    await eventually(async () => (await yard.eventsOf(member(younger, 'z', 2))).length > 0, { timeoutMs: 2000 });
    await yard.release(z!);
    await yard.active(member(younger, 'z', 2));
    expect((await yard.eventsOf(younger)).map((event) => event.type)).not.toContain('LeaseActivated');
    await yard.release(older);
    await yard.active(younger);
    await yard.release(younger);
    await yard.destroyed(older, younger, y!, z!);
    await over();
  });

  /** The longest time for which each of two hosts was held for another composite, and neither of these was whole. */
  async function longestHalf(composites: readonly string[]): Promise<number> {
    const leases = new Map(composites.flatMap((lease) => [1, 2, 3, 4, 5, 6, 7, 8].flatMap((round) => ['x', 'y'].map((key) => [member(lease, key, round), lease] as const))));
    const holds = new Map<string, Set<string>>(composites.map((lease) => [lease, new Set()]));
    const resources = new Map(composites.map((lease) => [yard.resourceOf(lease, 'composite'), lease]));
    const whole = new Set<string>();
    let [since, longest] = [Number.NaN, 0];
    for (const { id, commit } of await yard.fleet.events('resource')) {
      for (const event of commit.events as ResourceEvent[]) {
        if (event.type === 'ResourceActivated' && resources.has(id)) whole.add(resources.get(id)!);
        if (event.type !== 'SlotClaimed' && event.type !== 'SlotFreed') continue;
        const mine = holds.get(leases.get(event.data.lease) ?? '');
        if (event.type === 'SlotClaimed') mine?.add(id);
        else mine?.delete(id);
      }
      const at = Date.parse(commit.at);
      const stuck = [...holds].filter(([lease, held]) => held.size === 1 && !whole.has(lease)).length > 1;
      if (stuck && Number.isNaN(since)) since = at;
      else if (!stuck && !Number.isNaN(since)) {
        longest = Math.max(longest, at - since);
        since = Number.NaN;
      }
    }
    return longest;
  }

  test('that needs the same two hosts as five others, in another order, has its turn like each of them', async () => {
    await save('there', { x: host('x'), y: host('y') });
    await save('back', { y: host('y'), x: host('x') });
    const blocker = await yard.lease(host('y') as Parameters<Yard['lease']>[0]);
    await yard.active(blocker);
    const first = await ask('there', { priority: 0 });
    await yard.active(member(first, 'x'));
    // Each goes before those that were asked for earlier, so what comes free is not had by who has the other half.
    const others = await Promise.all([1, 2, 3, 4, 5].map((i) => ask(i % 2 === 0 ? 'there' : 'back', { priority: 100 + i })));
    await Promise.all(others.map((lease) => eventually(async () => (await yard.eventsOf(member(lease, 'y'))).length > 0)));
    const leases = [first, ...others];
    const at = Date.now();
    await yard.release(blocker);
    await Promise.all(leases.map(async (lease) => {
      await yard.active(lease, 20_000);
      await yard.release(lease);
    }));
    await yard.destroyed(...leases, blocker);
    const half = await longestHalf(leases);
    console.log(`six composites on two hosts: ${Date.now() - at} ms; two held a half each for ${half} ms at most`);
    expect(half).toBeGreaterThan(0);
    expect(half).toBeLessThan(4000);
    await over();
  });

  test('is whole or gone, whenever the allocator is killed', async () => {
    const { allocator } = yard.fleet.services;
    await save('pair', { left: host('x'), right: host('y') });
    const blocker = await yard.lease(host('y') as Parameters<Yard['lease']>[0]);
    await yard.active(blocker);
    const [served, given] = [await ask('pair'), await ask('pair')];
    await yard.active(member(served, 'left'));
    await allocator.kill9();
    await yard.release(blocker);
    await yard.release(given);
    await allocator.start();
    await yard.active(served);
    await yard.release(served);
    await allocator.kill9();
    await allocator.start();
    await yard.destroyed(served, given);
    await over();
  });
});
