import { connect } from 'nats';
import { expect, test } from 'vitest';
import { startTestNats } from '../../../test/support/nats.js';
import { applyStreams, streams } from './streams.js';

test('on a small disk the bounded streams are smaller, and a second start keeps them so', async () => {
  const nats = await startTestNats({ maxFileStore: 200 * 1024 ** 2 });
  const connection = await connect({ servers: nats.url });
  try {
    const manager = await connection.jetstreamManager();
    await applyStreams(manager);
    const room = async () => (await manager.streams.info(streams.output.name)).config.max_bytes;
    const first = await room();
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(200 * 1024 ** 2);
    await applyStreams(manager);
    expect(await room()).toBe(first);
  } finally {
    await connection.close();
  }
});
