import { describe, expect, it } from 'vitest';
import { createTurns, type Turn } from './turns.js';

const KIB = 1024;
const never = new AbortController().signal;
/** Whether it is settled once everything that can go on now has. */
async function settled(turn: Promise<Turn>): Promise<boolean> {
  let done = false;
  void turn.then(() => (done = true));
  for (let rounds = 0; rounds < 20; rounds++) await Promise.resolve();
  return done;
}

describe('turns of reading', () => {
  it('let one that is alone read all there is, until somebody comes', async () => {
    const turns = createTurns();
    const alone = await turns.enter('host').turn(never);
    expect([alone.bytes, alone.crowded()]).toEqual([Infinity, false]);
    turns.enter('other host');
    expect(alone.crowded()).toBe(true);
  });

  it('let one that reads little never wait, also behind floods', async () => {
    let now = 0;
    const turns = createTurns({ now: () => now });
    const [flood, quiet] = [turns.enter('host'), turns.enter('host')];
    (await flood.turn(never)).end(10_000 * KIB);
    const held = await flood.turn(never);
    expect(held.bytes).toBe(256 * KIB);
    for (let second = 0; second < 5; second++) {
      now += 1_000;
      const turn = quiet.turn(never);
      expect(await settled(turn)).toBe(true);
      (await turn).end(200 * KIB);
    }
  });

  it('go round among floods on one host, and not between hosts', async () => {
    let now = 0;
    const turns = createTurns({ now: () => now, sharedBytes: Infinity });
    const [one, two, elsewhere] = [turns.enter('host'), turns.enter('host'), turns.enter('elsewhere')];
    for (const reader of [one, two, elsewhere]) (await reader.turn(never)).end(1_000 * KIB);
    const first = await one.turn(never);
    const [second, third, other] = [two.turn(never), one.turn(never), elsewhere.turn(never)];
    expect([await settled(second), await settled(other)]).toEqual([false, true]);
    now += 10;
    first.end(256 * KIB);
    expect([await settled(second), await settled(third)]).toEqual([true, false]);
    (await second).end(256 * KIB);
    expect(await settled(third)).toBe(true);
  });

  it('share out what is read in a second while there are others', async () => {
    const turns = createTurns({ sharedBytes: 1024 * KIB });
    const [flood] = [turns.enter('host'), turns.enter('host')];
    const start = performance.now();
    for (let turn = 0; turn < 5; turn++) (await flood.turn(never)).end(256 * KIB);
    expect(performance.now() - start).toBeGreaterThan(400);
  });

  it('do not count those that came one after another as a crowd', async () => {
    const now = 0;
    const turns = createTurns({ now: () => now });
    turns.enter('host').leave();
    const flood = turns.enter('host');
    expect((await flood.turn(never)).bytes).toBe(Infinity);
    turns.enter('host').leave();
    expect((await flood.turn(never)).bytes).toBe(256 * KIB);
  });
});
