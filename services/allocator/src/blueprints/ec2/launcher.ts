import { filter } from '@berth/ec2';
import type { Condition, Facts, Found, Launcher } from '../blueprint.js';
import { AskedTokens } from './asked.js';
import { check } from './check.js';
import { connectionsWith } from './connections.js';
import { consoleOf, tail } from './console.js';
import { Ending, terminate } from './end.js';
import { progressOf } from './facts.js';
import { tagOf, type Instances } from './instances.js';
import { endOf, takeStep, type Launching } from './launch.js';
import type { Ec2Options } from './index.js';
import { defaultTiming } from './timing.js';
import { troubleOf } from './trouble.js';

/** Of what an instance printed while booting, in bytes. */
const CONSOLE = 16_384;

/** The launcher itself; `index.ts` loads it with the SDK when it is needed. */
export function launcherOf({ now = Date.now, log = () => undefined, timing: given = {} }: Ec2Options = {}): Omit<Launcher, 'offers' | 'readyBy'> {
  const timing = { ...defaultTiming, ...given };
  const connections = connectionsWith(timing);
  const launching: Launching = { connections, timing, now, log, tokens: new AskedTokens(now()) };
  const ending = new Ending(launching);

  const inspectOne = async (instances: Instances, facts: Facts): Promise<Condition> => {
    const progress = progressOf(facts);
    if (progress.at !== 'launched') return { is: 'unknown', error: 'EC2 has not given an instance yet' };
    const { instance: id, launched } = progress;
    const [instance] = await instances.by('instance-id', id);
    if (instance === undefined) return now() - launched > timing.forgotten ? { is: 'gone', error: `EC2 does not know the instance ${id} any more` } : { is: 'unknown', error: `EC2 does not show the instance ${id} yet` };
    const end = endOf(instance);
    return end === undefined ? { is: 'there' } : { is: 'gone', error: end.error };
  };

  return {
    check: (spec, image) => check(spec, image, connections),
    step: (launch) => takeStep(launch, launching),
    async inspect(spec, of) {
      try {
        // All of them are asked for within the time in which questions become one call.
        const { instances } = await connections.of(spec);
        return new Map(await Promise.all(of.map(async ({ resource, facts }) => [resource, await inspectOne(instances, facts)] as const)));
      } catch (error) {
        const { sentence } = troubleOf(error, spec);
        return new Map(of.map(({ resource }) => [resource, { is: 'unknown', error: sentence }]));
      }
    },
    destroy: (launch) => ending.end(launch),
    async console(spec, facts) {
      const progress = progressOf(facts);
      if (progress.at !== 'launched') return undefined;
      try {
        const printed = await consoleOf((await connections.of(spec)).ec2, progress.instance);
        return printed === undefined ? undefined : tail(printed, CONSOLE);
      } catch (error) {
        log(`the console of ${progress.instance} can't be read: ${troubleOf(error, spec).sentence}`);
        return undefined;
      }
    },
    async sweep(spec, installation) {
      try {
        const { instances } = await connections.of(spec);
        const found = await instances.all([filter('tag:berth:owner', [installation]), filter('instance-state-name', ['pending', 'running', 'stopping', 'stopped'])]);
        return found.flatMap((instance): Found[] => {
          const { InstanceId: id, LaunchTime } = instance;
          return id === undefined ? [] : [{ id, resource: tagOf(instance, 'berth:resource') ?? '', launched: (LaunchTime ?? new Date(now())).toISOString() }];
        });
      } catch (error) {
        throw new Error(troubleOf(error, spec).sentence);
      }
    },
    async reap(spec, { id }) {
      try {
        await terminate((await connections.of(spec)).ec2, id);
      } catch (error) {
        throw new Error(troubleOf(error, spec).sentence);
      }
    },
  };
}
