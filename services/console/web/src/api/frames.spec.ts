import fc from 'fast-check';
import { expect, test } from 'vitest';
import { framesOf, type Frame } from './frames';

async function read(pieces: readonly Uint8Array[]): Promise<(Frame | 'beat')[]> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
  const frames: (Frame | 'beat')[] = [];
  for await (const frame of framesOf(body)) frames.push(frame);
  return frames;
}

test('events are the same however the stream is cut', async () => {
  const bytes = new TextEncoder().encode(': this is the feed of events\n\nid: 7.1\nevent: LeaseRequested\ndata: {"owner":"Zoë"}\n\n: still here\n\nid: 7\nevent: LeaseAcquired\ndata: {}\n\nid: 8\nevent: Half');
  const expected = ['beat', { id: '7.1', event: 'LeaseRequested', data: '{"owner":"Zoë"}' }, 'beat', { id: '7', event: 'LeaseAcquired', data: '{}' }];
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 12 }), async (cuts) => {
      const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      expect(await read(edges.slice(1).map((end, i) => bytes.slice(edges[i], end)))).toEqual(expected);
    }),
  );
});
