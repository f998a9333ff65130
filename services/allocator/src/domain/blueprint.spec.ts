import { describe, expect, test } from 'vitest';
import { blueprintSpec, builtInBlueprints, derivedId, type BlueprintEvent, type BlueprintSpec } from '@berth/contracts';
import { blueprintDecider, decide, evolve, refusedOf, type Blueprint, type BlueprintCommand } from './blueprint.js';

const cloud = (over: Record<string, unknown> = {}): BlueprintSpec =>
  blueprintSpec.parse({ name: 'cloud', kind: 'ec2', region: 'eu-central-1', image: { ami: 'ami-0123456789abcdef0' }, types: [{ type: 'c7i.large' }], user: 'admin', credential: 'agent', ...over });
const save = (spec = cloud(), used = { resources: 0, leases: 0 }): BlueprintCommand => ({ type: 'Save', spec, used });
const resource = (n: number) => derivedId('resource', String(n));
const fails = (n: number, fault = 'timeout', now = '2030-01-01T00:00:00.000Z'): BlueprintCommand => ({ type: 'LaunchFailed', resource: resource(n), fault: fault as 'timeout', error: `failed ${n}`, now });

function run(...commands: BlueprintCommand[]) {
  let state: Blueprint = blueprintDecider.initial;
  const events: BlueprintEvent[] = [];
  let refusal: string | undefined;
  for (const command of commands) {
    const decision = decide(command, state);
    if ('accepted' in decision) refusal = `${decision.code}: ${decision.message}`;
    else {
      events.push(...decision);
      state = decision.reduce(evolve, state);
    }
  }
  return { state, events, types: events.map(({ type }) => type), refusal };
}

describe('a blueprint', () => {
  test('is saved in versions; the same again is none', () => {
    const { events } = run(save(), save(), save(cloud({ rank: 7 })));
    expect(events.map((e) => e.type === 'BlueprintSaved' && [e.data.version, e.data.spec.rank])).toEqual([[1, 100], [2, 7]]);
  });

  test('keeps its kind', () => {
    expect(run(save(), save(blueprintSpec.parse({ name: 'cloud', kind: 'preallocated' }))).refusal).toBe("invalid-data: cloud is of kind ec2: that can't be changed.");
  });

  test('is not limited to less than is in use', () => {
    expect(run(save(), save(cloud({ limits: { resources: 2 } }), { resources: 3, leases: 0 })).refusal).toBe('limit-in-use: cloud is not saved: 3 resources are in use, more than the new limit of 2.');
    expect(run(save(), save(cloud({ limits: { resources: 3 } }), { resources: 3, leases: 0 })).types).toHaveLength(2);
  });

  test('is enabled, disabled and removed', () => {
    expect(run(save(), { type: 'Enable' }, { type: 'Disable', reason: 'too dear' }, { type: 'Disable', reason: 'too dear' }, { type: 'Enable' }, { type: 'Remove', resources: 0 }).types).toEqual(['BlueprintSaved', 'BlueprintDisabled', 'BlueprintEnabled', 'BlueprintRemoved']);
    expect(run(save(), { type: 'Remove', resources: 2 }).refusal).toBe('blueprint-in-use: cloud has 2 resources: disable it, and remove it when they are gone.');
    expect(run({ type: 'Enable' }).refusal).toBe('unknown-blueprint: There is no such blueprint.');
    expect(run(save(), { type: 'Remove', resources: 0 }, save()).events.at(-1)).toMatchObject({ type: 'BlueprintSaved', data: { version: 2 } });
  });

  test('that is built in is written down with its first change, and never removed', () => {
    const builtIn = builtInBlueprints.local;
    expect(run({ type: 'Disable', reason: 'x', builtIn }).types).toEqual(['BlueprintSaved', 'BlueprintDisabled']);
    expect(run({ type: 'Enable', builtIn }).types).toEqual([]);
    expect(run({ type: 'Remove', resources: 0, builtIn }).refusal).toContain('built-in');
    expect(run({ ...save({ ...builtIn, slots: 2 }), builtIn }).events.map((e) => e.type === 'BlueprintSaved' && e.data.version)).toEqual([1, 2]);
  });
});

describe('the breaker of a blueprint', () => {
  const opened = (events: readonly BlueprintEvent[]) => events.flatMap((e) => (e.type === 'BreakerOpened' ? [[(Date.parse(e.data.until) - Date.parse('2030-01-01T00:00:00Z')) / 1000, e.data.reason]] : []));

  test('opens with the third failure in a row, and lasts twice as long each time', () => {
    expect(opened(run(save(), fails(1), fails(2)).events)).toEqual([]);
    expect(opened(run(save(), fails(1), fails(2), fails(3)).events)).toEqual([[30, 'failed 3']]);
    expect(opened(run(save(), ...[1, 2, 3, 4, 5].map((n) => fails(n))).events).map(([s]) => s)).toEqual([30, 60, 120]);
    expect(opened(run(save(), ...Array.from({ length: 14 }, (_, n) => fails(n))).events).at(-1)![0]).toBe(3600);
  });

  test.each(['image', 'credentials', 'configuration'])('opens at once for %s: the next launch would fail as well', (fault) => expect(opened(run(save(), fails(1, fault)).events)).toHaveLength(1));
  test.each(['capacity', 'quota'])('never opens for %s: that says nothing about the blueprint', (fault) => expect(opened(run(save(), ...Array.from({ length: 9 }, (_, n) => fails(n, fault))).events)).toEqual([]));

  test('closes with a launch that works, and with a new version', () => {
    expect(run(save(), fails(1, 'image'), { type: 'Launched', resource: resource(2) }).types.slice(-2)).toEqual(['LaunchSucceeded', 'BreakerClosed']);
    expect(run(save(), fails(1, 'image'), save(cloud({ rank: 1 }))).types.slice(-2)).toEqual(['BlueprintSaved', 'BreakerClosed']);
    expect(opened(run(save(), fails(1), fails(2), { type: 'Launched', resource: resource(3) }, fails(4), fails(5)).events)).toEqual([]);
  });

  test('counts each launch once, however often it is told of it', () => {
    expect(run(save(), fails(1), fails(1), fails(1)).types).toEqual(['BlueprintSaved', 'LaunchFailed']);
    expect(run(save(), { type: 'Launched', resource: resource(1) }, { type: 'Launched', resource: resource(1) }).types).toEqual(['BlueprintSaved', 'LaunchSucceeded']);
  });

  test('an offer whose instance ended for lack of room is left alone for a while, unless it is already', () => {
    const ends = (n: number, fault: 'capacity' | 'quota' | 'timeout', now = '2030-01-01T00:00:00.000Z'): BlueprintCommand => ({ type: 'LaunchFailed', resource: resource(n), fault, error: `ended ${n}`, offer: 'c7i.large/-/spot', now });
    const { events } = run(save(), ends(1, 'capacity'), ends(2, 'quota'), ends(3, 'timeout'), ends(4, 'quota', '2030-01-01T00:05:00.000Z'));
    expect(events.flatMap((e) => (e.type === 'OfferRefused' ? [[e.data.until, e.data.fault, e.data.error]] : []))).toEqual([['2030-01-01T00:05:00.000Z', 'capacity', 'ended 1'], ['2030-01-01T00:10:00.000Z', 'quota', 'ended 4']]);
  });

  test('a refused offer is remembered, and the longer refusal counts', () => {
    const refuse = (until: string): BlueprintCommand => ({ type: 'Refuse', resource: resource(1), offer: 'c7i.large/-/spot', fault: 'capacity', error: 'none left', until });
    const { state, types } = run(save(), refuse('2030-01-01T00:05:00Z'), refuse('2030-01-01T00:04:00Z'), refuse('2030-01-01T00:06:00Z'));
    expect(types.filter((t) => t === 'OfferRefused')).toHaveLength(2);
    expect(state.status === 'there' && state.refused).toEqual([{ offer: 'c7i.large/-/spot', until: '2030-01-01T00:06:00Z', fault: 'capacity', error: 'none left' }]);
  });
});

describe('launches of a version of an image', () => {
  const [one, two] = [derivedId('version', '1'), derivedId('version', '2')];
  /** A failed launch of `version`, while the channel points at `current`. */
  const failsOf = (version: string, n: number, fault = 'not-ready', current = two): BlueprintCommand => ({ ...(fails(n, fault) as Extract<BlueprintCommand, { type: 'LaunchFailed' }>), version, current });
  const worksOf = (version: string, n: number, current = two): BlueprintCommand => ({ type: 'Launched', resource: resource(n), version, current });
  const blames = (...commands: BlueprintCommand[]) => run(save(), ...commands).events.flatMap((e) => (e.type === 'BreakerOpened' ? [e.data.blames] : []));
  const stands = (...commands: BlueprintCommand[]) => {
    const { state } = run(save(), ...commands);
    return state.status === 'there' ? { failures: state.failures, open: state.breaker !== undefined, apart: [...state.apart].map(([version, { failures, again }]) => [version, failures, again.slice(11, 19)]) } : undefined;
  };

  test.each<[string, (string | undefined)[], BlueprintCommand[]]>([
    ['that fail three times for their hosts: it is blamed, and each time again', [two, two], [failsOf(two, 1, 'timeout'), failsOf(two, 2), failsOf(two, 3, 'lost'), failsOf(two, 4)]],
    ['the last of which was not for its host: nobody is', [undefined], [failsOf(two, 1), failsOf(two, 2), failsOf(two, 3, 'outage')]],
    ['some of which were not: nobody is until three in a row were', [undefined, undefined, two], [failsOf(two, 1), failsOf(two, 2, 'outage'), failsOf(two, 3), failsOf(two, 4), failsOf(two, 5)]],
    ['that can not be launched at all: nobody is', [undefined], [failsOf(two, 1, 'image')]],
    ['of no image that Berth knows: nobody is', [undefined], [fails(1), fails(2), fails(3)]],
    ['the first of which was of the version before: only its own count', [two], [failsOf(one, 1, 'timeout', one), failsOf(two, 2), failsOf(two, 3), failsOf(two, 4)]],
  ])('%s', (_, expected, commands) => expect(blames(...commands)).toEqual(expected));

  test('one of another version than its channel points at neither opens nor closes the breaker, and waits for itself', () => {
    expect(stands(failsOf(one, 1), failsOf(one, 2))).toEqual({ failures: 0, open: false, apart: [[one, 2, '00:00:00']] });
    expect(stands(failsOf(one, 1), failsOf(one, 2), failsOf(one, 3), failsOf(one, 4))).toEqual({ failures: 0, open: false, apart: [[one, 4, '00:01:00']] });
    expect(stands(failsOf(one, 1, 'image'))).toEqual({ failures: 0, open: false, apart: [[one, 1, '00:00:30']] });
    expect(stands(failsOf(one, 1), failsOf(one, 2), worksOf(one, 3))).toMatchObject({ apart: [] });
    expect(stands(failsOf(two, 1), failsOf(two, 2), worksOf(one, 3))).toMatchObject({ failures: 2 });
    expect(stands(failsOf(two, 1), failsOf(two, 2), failsOf(two, 3), worksOf(one, 4))).toMatchObject({ open: true });
    expect(stands(failsOf(two, 1), failsOf(two, 2), failsOf(two, 3), worksOf(two, 4))).toMatchObject({ failures: 0, open: false });
  });

  test('the breaker closes when another version is launched, and lasts as short as at first when that fails too', () => {
    const three = [failsOf(one, 1, 'timeout', one), failsOf(one, 2, 'timeout', one), failsOf(one, 3, 'timeout', one)];
    expect(run(save(), { type: 'Moved' }).types).toEqual(['BlueprintSaved']);
    expect(run(save(), ...three, { type: 'Moved' }, { type: 'Moved' }).types.slice(-2)).toEqual(['BreakerOpened', 'BreakerClosed']);
    expect(stands(...three, { type: 'Moved' })).toMatchObject({ failures: 0, open: false });
    expect(run(save(), ...three, failsOf(two, 4)).types.slice(-3)).toEqual(['BreakerOpened', 'BreakerClosed', 'LaunchFailed']);
    const again = run(save(), ...three, failsOf(two, 4, 'image')).events.at(-1);
    expect(again).toMatchObject({ type: 'BreakerOpened', data: { until: '2030-01-01T00:00:30.000Z', failures: 1 } });
  });

  test('what was refused for one version is asked for again for another', () => {
    const refuse = (version: string): BlueprintCommand => ({ type: 'Refuse', resource: resource(1), offer: 'c7i.large/-/spot', fault: 'capacity', error: 'none left', until: '2030-01-01T00:05:00Z', version });
    const { state, types } = run(save(), refuse(one), refuse(one), refuse(two));
    expect(types.filter((type) => type === 'OfferRefused')).toHaveLength(2);
    expect(state.status === 'there' && [one, two, undefined].map((version) => refusedOf(state, version).size)).toEqual([1, 1, 0]);
  });
});
