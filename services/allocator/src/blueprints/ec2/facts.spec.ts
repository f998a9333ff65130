import { describe, expect, it } from 'vitest';
import { blueprintSpec } from '@berth/contracts';
import type { Spec } from './ec2.testing.js';
import { readyBy } from './facts.js';

const at = (minutes: number): string => new Date(Date.parse('2030-01-01T12:00:00.000Z') + 60_000 * minutes).toISOString();
const spec = (over: object = {}): Spec =>
  blueprintSpec.parse({ name: 'pool', kind: 'ec2', region: 'eu-central-1', image: { ami: 'ami-0123456789abcdef0' }, types: [{ type: 'c7i.large' }], user: 'u', credential: 'agent', timeouts: { boot: '1m', reachable: '2m' }, ready: { command: 'true', timeout: '4m' }, ...over }) as Spec;
const chosen = { offer: 'c7i.large/-/spot', type: 'c7i.large', market: 'spot', image: 'ami-1', token: 't', phase: 'launching', phaseSince: at(0) };
const launched = { ...chosen, instance: 'i-1', launched: at(10), phase: 'booting', phaseSince: at(10) };
const running = { ...launched, phase: 'running', phaseSince: at(20) };
const fixed = { hostKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGaPgMSCxg9RDJyqDRIjdQHFhcYtGJ8RGZGXIQUqMK9i' };

describe('by when a host is ready or given up', () => {
  it.each([
    ['nothing is intended', {}, {}, undefined],
    ['it is being asked for', chosen, {}, undefined],
    ['it boots: then a key on its console, a way in, and its check', launched, {}, at(10 + 1 + 2 + 2 + 4)],
    ['its key is known', launched, fixed, at(10 + 1 + 2 + 4)],
    ['it runs', running, {}, at(20 + 2 + 2 + 4)],
    ['it is being connected to', { ...running, stage: 'connecting', stageSince: at(30) }, {}, at(30 + 2 + 4)],
    ['nothing has to be checked', { ...running, stage: 'connecting', stageSince: at(30) }, { ready: undefined }, at(30 + 2)],
    ['it is being checked', { ...running, stage: 'readying', stageSince: at(40) }, {}, at(40 + 4)],
  ])('%s', (_, facts, over, by) => expect(readyBy(spec(over), facts)).toBe(by));
});
