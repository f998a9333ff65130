import { describe, expect, it } from 'vitest';
import { LogStore, type Line, type Source } from './store.js';

/** An action that has printed so many lines, and what was asked of it. */
function printed(total: number) {
  const asked: string[] = [];
  const state = { total, asked, fails: false };
  const source: Source = {
    lines: (action, from, count) => {
      asked.push(`${action} ${from}+${count}`);
      if (state.fails) return Promise.reject(new Error('away'));
      const length = Math.max(0, Math.min(count, state.total - from + 1));
      return Promise.resolve(Array.from({ length }, (_, i): Line => ({ n: from + i, time: null, stream: 'stdout', text: `line ${from + i}` })));
    },
    count: (action) => {
      asked.push(`${action} count`);
      return Promise.resolve(state.total);
    },
  };
  return Object.assign(state, { store: new LogStore(source) });
}
const settled = () => new Promise((resolve) => setTimeout(resolve));

describe('the lines of a log', () => {
  it('reads the pages that are looked at, each once', async () => {
    const its = printed(100_000);
    its.store.counted('a', 100_000);
    its.store.want('a', 49_990, 50_010);
    its.store.want('a', 49_990, 50_010);
    await settled();
    expect(its.asked).toEqual(['a 49501+500', 'a 50001+500']);
    expect(its.store.line('a', 50_000)?.text).toBe('line 50000');
    expect(its.store.line('a', 50_501)).toBeUndefined();
  });

  it('finds out how many there are, then reads what is new', async () => {
    const its = printed(700);
    await its.store.catchUp('a');
    expect(its.store.countOf('a')).toBe(700);
    its.store.want('a', 680, 700);
    await settled();
    its.total = 705;
    await its.store.catchUp('a');
    expect(its.store.countOf('a')).toBe(705);
    expect(its.store.line('a', 705)?.text).toBe('line 705');
    its.store.want('a', 690, 705);
    await settled();
    expect(its.asked).toEqual(['a count', 'a 501+200', 'a 701+500']);
  });

  it('tells of lines that come when their number is known already', async () => {
    const its = printed(350);
    await its.store.catchUp('a');
    its.store.want('a', 1, 350);
    await settled();
    its.total = 351;
    const reading = its.store.catchUp('a');
    // The action has ended meanwhile, and whoever says so says how many there are.
    its.store.counted('a', 351);
    const shown: (string | undefined)[] = [];
    its.store.watch(() => shown.push(its.store.line('a', 351)?.text));
    await reading;
    expect(shown.at(-1)).toBe('line 351');
  });

  it('does not run after what is printed faster than it can be read', async () => {
    const its = printed(10);
    await its.store.catchUp('a');
    its.total = 1_000_000;
    await its.store.catchUp('a');
    expect(its.store.countOf('a')).toBe(1_000_000);
    expect(its.asked).toEqual(['a count', 'a 11+500', 'a count']);
    its.store.want('a', 999_990, 1_000_000);
    await settled();
    expect(its.store.line('a', 1_000_000)?.text).toBe('line 1000000');
  });

  it('forgets what was not looked at for longest', async () => {
    const its = printed(1_000_000);
    its.store.counted('a', 1_000_000);
    for (let line = 1; line < 60_000; line += 500) {
      its.store.want('a', line, line);
      its.store.want('a', 1, 1);
      await settled();
    }
    expect(its.store.line('a', 1)).toBeDefined();
    expect(its.store.line('a', 501)).toBeUndefined();
    expect(its.store.line('a', 59_000)).toBeDefined();
  });

  it('tells why lines could not be read, and that they can again', async () => {
    const its = printed(10);
    its.store.counted('a', 10);
    its.fails = true;
    its.store.want('a', 1, 10);
    await settled();
    expect(its.store.problem).toEqual(new Error('away'));
    const { version } = its.store;
    its.fails = false;
    await its.store.catchUp('a');
    expect(its.store.problem).toBeUndefined();
    expect(its.store.version).toBeGreaterThan(version);
  });

  it('keeps nothing of what comes after it was stopped', async () => {
    const its = printed(10);
    its.store.counted('a', 10);
    its.store.want('a', 1, 10);
    its.store.stop();
    await settled();
    expect(its.store.line('a', 1)).toBeUndefined();
    its.store.want('a', 1, 10);
    await settled();
    expect(its.store.line('a', 1)).toBeDefined();
  });
});
