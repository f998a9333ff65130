import { expect, test } from 'vitest';
import type { EventStore } from '@berth/event-store';
import type { DataSource } from 'typeorm';
import { Reads } from './reads.js';

test('a list waits for what was written here, and for what the feed has told, whichever is later', async () => {
  const waited: number[] = [];
  const reached = (position: number): Promise<boolean> => Promise.resolve(waited.push(position) > 0);
  const hub = { position: 0, latest: () => 0, covers: () => true };
  const reads = new Reads({} as EventStore, {} as DataSource, { position: 0, reached }, hub);
  reads.noteWrite(5);
  await reads.caughtUp();
  hub.position = 9;
  await reads.caughtUp();
  reads.noteWrite(12);
  await reads.caughtUp();
  expect(waited).toEqual([5, 9, 12]);
});
