import { expect, test } from 'vitest';
import { serverConf, supportsSyncAlways } from './server-conf.js';

test('a free port, a folder with a blank, nothing that was not asked for', () => {
  expect(serverConf({ host: '127.0.0.1', port: 0, storeDir: '/a b/"store"' })).toBe(
    ['host: "127.0.0.1"', 'port: -1', 'max_payload: 1048576', 'jetstream {', '  store_dir: "/a b/\\"store\\""', '}', ''].join('\n'),
  );
});

test('everything asked for', () => {
  const text = serverConf({
    host: '0.0.0.0',
    port: 4222,
    storeDir: '/store',
    maxFileStore: 1e9,
    maxPayload: 65536,
    pidFile: '/pid',
    logFile: '/log',
    portsDir: '/ports',
    serverName: 'one',
    sync: 'always',
    websocketPort: 0,
    authorization: 'authorization {\n}\n',
  });
  expect(text).toMatch(/\nwebsocket \{\n {2}host: "0\.0\.0\.0"\n {2}port: -1\n {2}no_tls: true\n\}\nauthorization \{\n\}\n$/);
  for (const line of ['port: 4222', 'max_payload: 65536', 'pid_file: "/pid"', 'log_file: "/log"', 'ports_file_dir: "/ports"', 'server_name: "one"']) {
    expect(text).toContain(line);
  }
  expect(text).toMatch(/jetstream \{\n {2}store_dir: "\/store"\n {2}max_file_store: 1000000000\n {2}sync_interval: always\n\}/);
});

test.each([
  ['2.9.10', false],
  ['v2.9.25', false],
  ['2.10.0', true],
  ['v2.12.1', true],
  ['3.0.0', true],
  ['unknown', false],
])('nats-server %s can sync on every write: %s', (version, can) => {
  expect(supportsSyncAlways(version)).toBe(can);
});
