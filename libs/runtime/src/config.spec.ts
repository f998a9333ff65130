import { expect, test } from 'vitest';
import { ConfigError, metricsSettings, readEnvironment, tlsFiles } from './config.js';

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

test('what the environment says of commands is read, with a limit of output of 1 GiB unless it says otherwise', () => {
  expect(readEnvironment({})).toMatchObject({ BERTH_OUTPUT_LIMIT: 1024 ** 3 });
  expect(readEnvironment({ BERTH_SECRETS: '/s', BERTH_OUTPUT_LIMIT: '70000' })).toMatchObject({ BERTH_SECRETS: '/s', BERTH_OUTPUT_LIMIT: 70_000 });
  expect(() => readEnvironment({ BERTH_OUTPUT_LIMIT: '1' })).toThrow('at least 65536 bytes');
});

test.each([
  [{ NATS_CA: '/ca' }, { natsTls: { caFile: '/ca' } }],
  [{ NATS_CERT: '/cert', NATS_KEY: '/key' }, { natsTls: { certFile: '/cert', keyFile: '/key' } }],
  [{}, {}],
])('files for TLS to the bus: %j', (env, files) => {
  expect(tlsFiles(readEnvironment(env))).toEqual(files);
});

test.each([['NATS_CERT', 'NATS_KEY'], ['NATS_KEY', 'NATS_CERT']])('%s alone is refused', (given, missing) => {
  expect(() => tlsFiles(readEnvironment({ [given]: '/file' }))).toThrow(`The environment can't be used: ${missing}: must be set too`);
});

test('metrics need a token and have no port of their own unless it is said', () => {
  expect(metricsSettings(readEnvironment({}))).toEqual({ metricsOpen: false });
  expect(metricsSettings(readEnvironment({ BERTH_METRICS_OPEN: 'true', BERTH_METRICS_PORT: '0' }))).toEqual({ metricsOpen: true, metricsPort: 0 });
  expect(() => readEnvironment({ BERTH_METRICS_OPEN: 'yes', BERTH_METRICS_PORT: '70000' })).toThrow(/BERTH_METRICS_OPEN.*true or false.*BERTH_METRICS_PORT.*0 to 65535/);
});
