import { expect, test } from 'vitest';
import type { AnyRecorded, ImageEvent } from '@berth/contracts';
import { Images } from './images.js';
import { channel, saved } from './spec/image.testing.js';

test('an image has its schedule since it was saved with it, whatever else was saved of it later', () => {
  // What is read in the feed alone: nothing is asked of the others.
  const images = new Images(...([{}, () => ({}), {}, {}, {}, {}] as unknown as ConstructorParameters<typeof Images>));
  let position = 0;
  const happens = (day: number, ...events: ImageEvent[]) =>
    images.apply({ kind: 'image', id: 'web', position: ++position, revision: position, commit: { id: `c${position}`, at: `2030-01-0${day}T00:00:00.000Z`, events } } as unknown as AnyRecorded);
  const since = () => new Date(images.scheduledSince('web')).getUTCDate();
  const nightly = { rebuild: { schedule: '0 3 * * *', onParent: false } };

  expect(images.scheduledSince('web')).toBe(Infinity);
  happens(1, saved(1), channel());
  happens(2, saved(2, nightly));
  expect(since()).toBe(2);
  happens(3, saved(3, { ...nightly, environment: 'prod' }));
  expect(since()).toBe(2);
  happens(4, saved(4, { rebuild: { schedule: '0 4 * * *', onParent: false } }));
  expect(since()).toBe(4);
  happens(5, { type: 'ImageRemoved', data: {} });
  happens(6, saved(5, { rebuild: { schedule: '0 4 * * *', onParent: false } }), channel());
  expect(since()).toBe(6);
});
