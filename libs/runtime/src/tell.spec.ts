import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { UnavailableError } from '@berth/event-store';
import { pino } from 'pino';
import type { Aggregates } from './aggregate.js';
import { tellUntilStored } from './tell.js';

describe('what follows from an event', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const cause = { id: 'commit', actor: 'spec', cause: 'commit', at: '2030-01-01T00:00:00Z' };
  const command = { type: 'Expire' };
  const log = pino({ level: 'silent' });
  const told = (outcomes: (Error | undefined)[], isClosed = () => false) => {
    const handle = vi.fn(async () => {
      const error = outcomes.shift();
      if (error) throw error;
      return { accepted: true as const, id: 'one' };
    });
    const aggregates = { kind: 'lease', handle } as unknown as Aggregates<unknown, typeof command, never>;
    tellUntilStored({ log, connection: { isClosed } as never }, aggregates, 'one', command, cause);
    return handle;
  };
  const away = () => new UnavailableError('it is away');

  test('is told again, as the same commit, until the store is back', async () => {
    const handle = told([away(), away(), undefined]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(handle.mock.calls).toEqual(Array.from({ length: 3 }, () => ['one', command, cause]));
  });

  test('is not told again when the store took it, or when trying again can not help', async () => {
    const handles = [told([undefined, undefined]), told([new Error('a fault of ours')])];
    await vi.advanceTimersByTimeAsync(60_000);
    for (const handle of handles) expect(handle).toHaveBeenCalledTimes(1);
  });

  test('ends with the connection', async () => {
    const handle = told([away(), away()], () => true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(handle).toHaveBeenCalledTimes(1);
  });
});
