import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { checkedBodies, LiveEnd, type ActionSpec, type LiveEnding } from '@berth/contracts';
import { relayLive } from '@berth/runtime';
import { startFleet, startTestSshd, type Fleet } from '../support/fleet.js';
import { eventually } from '../support/wait.js';
import { nothingLeft } from './left.js';

const SOON = { timeoutMs: 15_000, everyMs: 50 };

describe('a terminal whose way is cut', () => {
  let fleet: Fleet;
  let folder: string;
  beforeAll(async () => {
    fleet = await startFleet();
    folder = await fleet.addMachine('box', await startTestSshd(), { slots: 2 });
  });

  const leased = async () => {
    const lease = await fleet.requestLease({ type: 'host', owner: 'ada', attributes: { machine: 'box' } });
    await fleet.bus.waitForStatus('lease', lease, ['active'], { timeoutMs: 15_000 });
    const claim = (await fleet.events('resource')).find((r) => r.commit.events.some((event) => event.type === 'SlotClaimed' && (event.data as { lease: string }).lease === lease));
    return { lease, token: claim!.sequence };
  };
  const action = async (lease: string, token: number, spec: Partial<Extract<ActionSpec, { kind: 'terminal' }>>) => (await fleet.command('host-agent-gateway', 'RunAction', { lease, token, spec: { kind: 'terminal', ...spec } })).id;
  /** Somebody at it, who notices within a second when the other end is silent. */
  const person = (session: string) => {
    const self = { said: '', ended: undefined as LiveEnding | undefined };
    const relay = relayLive(fleet.bus.connection, session, randomUUID(), (message) => end.receive(message));
    const end: LiveEnd = new LiveEnd(relay.up, { data: (_stream, bytes) => void (self.said += Buffer.from(bytes).toString()), ended: (ending) => (relay.close(), void (self.ended = ending)) }, checkedBodies, { beatMs: 200, silenceMs: 8000 });
    end.begin();
    return self;
  };
  const released = async (lease: string) => {
    await fleet.command('lease', 'ReleaseLease', { lease });
    await fleet.bus.waitForStatus('lease', lease, ['destroyed'], { timeoutMs: 20_000 });
    await nothingLeft(fleet, [folder]);
  };

  test('the gateway is killed: whoever is there is told, the next gateway begins nothing again, and nothing is left', async () => {
    const { lease, token } = await leased();
    const session = await action(lease, token, { command: 'echo here; exec sleep 8123' });
    const one = person(session);
    await eventually(() => expect(one.said).toContain('here'), SOON);
    await fleet.services['host-agent-gateway'].kill9();
    await fleet.services['host-agent-gateway'].start();
    expect((await fleet.bus.waitForStatus('action', session, undefined, { timeoutMs: 15_000 })).data).toMatchObject({ status: 'lost', error: expect.stringContaining('the gateway was started again') });
    expect((await eventually(() => one.ended ?? false, SOON)).code).toBe('gone');
    expect(one.said.match(/here/g)).toHaveLength(1);
    await released(lease);
  });

  test('nats-server is killed: no byte is missing in the middle, and where one would be it ends and says so', async () => {
    const { lease, token } = await leased();
    const session = await action(lease, token, { tty: false, command: 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done' });
    const one = person(session);
    await eventually(() => expect(one.said).toContain('\n20\n'), SOON);
    await fleet.nats.kill9();
    await fleet.nats.restart();
    const before = one.said.length;
    // Either nothing got lost and it goes on, or it ends at both ends.
    await eventually(() => expect(one.ended !== undefined || one.said.length > before + 200).toBe(true), SOON);
    const lines = one.said.split('\n').slice(0, -1).map(Number);
    expect(lines).toEqual(lines.map((_, i) => i + 1));
    if (one.ended) {
      expect(['lost-message', 'gone']).toContain(one.ended.code);
      expect((await fleet.bus.waitForStatus('action', session, undefined, { timeoutMs: 30_000 })).data['status']).toBe('failed');
    }
    await released(lease);
  }, 60_000);
});
