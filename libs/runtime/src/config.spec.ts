import { expect, test } from 'vitest';
import { ConfigError, readEnvironment } from './config.js';

test('artifacts are kept on the bus unless BERTH_ARTIFACTS says where', () => {
  expect(readEnvironment({}).BERTH_ARTIFACTS).toEqual({ kind: 'jetstream' });
  expect(readEnvironment({ BERTH_ARTIFACTS: '' }).BERTH_ARTIFACTS).toEqual({ kind: 'jetstream' });
  expect(readEnvironment({ BERTH_ARTIFACTS: 'folder:/srv/artifacts/' }).BERTH_ARTIFACTS).toEqual({ kind: 'folder', path: '/srv/artifacts' });
});

test('a setting that cannot be used is told beside every other fault, and without what it holds', () => {
  const read = () => readEnvironment({ BERTH_ARTIFACTS: 's3://KEY:hush@bucket', BERTH_HTTP_PORT: 'x' });
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(/BERTH_ARTIFACTS.*must not hold credentials.*AWS_ACCESS_KEY_ID/);
  expect(read).toThrow(/BERTH_HTTP_PORT/);
  expect(read).not.toThrow(/hush/);
});
