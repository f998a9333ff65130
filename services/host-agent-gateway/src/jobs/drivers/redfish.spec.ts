import { managementInterfaces } from '@berth/contracts';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { atEndOfFile, tempFolder } from '../../../../../test/support/cleanup.js';
import { eventually } from '../../../../../test/support/wait.js';
import { callWith, faultOf, toldBy } from './call.testing.js';
import { redfish } from './redfish.js';
import { startRedfish, type RedfishOptions, type TestRedfish } from './redfish.testing.js';
import { startWeb } from './web.testing.js';

let service: TestRedfish;
const start = async (options?: RedfishOptions): Promise<TestRedfish> => (service = await startRedfish(options));
afterEach(() => service.stop());
const right = () => callWith({ 'redfish-password': service.login.password });
const driver = (changes = {}) => redfish(service.at(changes));

it('does each thing once', async () => {
  await start();
  expect(await driver().power!(right())).toBe('on');
  await driver().off!(right(), false);
  await eventually(async () => (await driver().power!(right())) === 'off');
  await driver().on!(right());
  await driver().reset!(right());
  expect(await driver().power!(right())).toBe('on');
  await driver().off!(right(), true);
  expect(await driver().power!(right())).toBe('off');
  await driver().bootFromNetwork!(right());
  expect(service.done).toEqual(['GracefulShutdown 1', 'On 1', 'ForceRestart 1', 'ForceOff 1', 'boot 1 Pxe Once']);
});

it('waits for no shutdown that it has asked for', async () => {
  await start({ ignoresShutdown: true });
  await driver().off!(right(), false);
  expect(await driver().power!(right())).toBe('on');
});

it.each(['inline', 'action info'] as const)('asks for no reset that the system does not offer (%s)', async (told) => {
  await start({ told, resetTypes: ['On', 'ForceOff'] });
  const fault = await faultOf(driver().reset!(right()));
  expect([fault.fault, fault.message]).toEqual(['refused', `The Redfish service at ${new URL(service.url).host} does not offer ForceRestart, but On, ForceOff.`]);
  expect(service.asked.map(({ method }) => method)).not.toContain('POST');
});

it('tries what the system does not tell of, and says why it was refused', async () => {
  await start({ told: 'nowhere', resetTypes: ['On', 'ForceOff'] });
  const fault = await faultOf(driver().reset!(right()));
  expect([fault.fault, fault.message]).toEqual(['refused', `The Redfish service at ${new URL(service.url).host} refused POST /redfish/v1/Systems/1/Actions/ComputerSystem.Reset with HTTP 400 (The value ForceRestart is not allowed).`]);
});

it('lets no system start from the network that cannot', async () => {
  await start({ bootTargets: ['None', 'Hdd'] });
  expect((await faultOf(driver().bootFromNetwork!(right()))).message).toContain('but from None, Hdd');
});

it('finds the system that is named, or the only one', async () => {
  await start({ systems: ['left', 'right'] });
  await driver({ system: 'right' }).reset!(right());
  expect(service.done).toEqual(['ForceRestart right']);
  expect((await faultOf(driver().reset!(right()))).message).toContain('has 2 systems, and none is named: set system to one of left, right.');
  expect((await faultOf(driver({ system: 'up' }).reset!(right()))).message).toContain('has no system up: set system to one of left, right.');
});

it.each(['system', 'manager'] as const)('reads the newest of the log of the %s, the newest last', async (logs) => {
  await start({ logs });
  expect(await driver().log!(right(), 3)).toEqual([2, 3, 4].map((day) => `2026-01-0${day}T00:00:00Z | OK | Entry ${day}.`));
});

it('has nothing to tell of a machine without a log', async () => {
  await start({ logs: 'none' });
  expect(await driver().log!(right(), 3)).toEqual([]);
});

it('says nothing to a service that is not the one whose certificate is pinned, or that nobody vouches for', async () => {
  await start();
  for (const certificate of ['0'.repeat(64), undefined]) {
    expect((await faultOf(driver({ certificate }).power!(right()))).fault).toBe('key-changed');
  }
  expect(service.asked).toEqual([]);
});

it('trusts whom the operating system trusts', async () => {
  await start();
  const before = process.env['SSL_CERT_FILE'];
  const file = join(await tempFolder('trust'), 'ca.pem');
  await writeFile(file, service.authority);
  process.env['SSL_CERT_FILE'] = file;
  try {
    expect(await driver({ certificate: undefined }).power!(right())).toBe('on');
  } finally {
    if (before === undefined) delete process.env['SSL_CERT_FILE'];
    else process.env['SSL_CERT_FILE'] = before;
  }
});

it('speaks to a controller that has nothing newer than TLS 1.1, if its certificate is pinned', async () => {
  await start();
  const old = await startWeb(() => ({ status: 401 }), true, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
  expect((await faultOf(driver({ url: old.url, certificate: old.certificate }).power!(right()))).fault).toBe('not-authorised');
  expect((await faultOf(driver({ url: old.url, certificate: undefined }).power!(right()))).fault).toBe('unreachable');
  expect(old.asked.length).toBe(1);
});

it('tells the password to nobody, and takes it nowhere else', async () => {
  await start();
  const wrong = callWith({ 'redfish-password': 'wr0ng-one' });
  const fault = await faultOf(driver().power!(wrong));
  expect(fault.fault).toBe('not-authorised');
  const login = Buffer.from('Administrator:wr0ng-one').toString('base64');
  for (const secret of ['wr0ng-one', login]) expect(toldBy(fault) + wrong.said.join('')).not.toContain(secret);

  const other = await startWeb(() => ({ status: 200, body: '{}' }), false);
  for (const location of [`${other.url}/redfish/v1/`, '/elsewhere']) {
    const sending = await startWeb(() => ({ status: 302, headers: { Location: location } }), false);
    expect((await faultOf(driver({ url: sending.url, certificate: undefined }).power!(right()))).fault).toBe('refused');
    expect(sending.asked.length).toBe(1);
  }
  for (const link of [`${other.url}/x`, `//${new URL(other.url).host}/x`, '/x y']) {
    const linking = await startWeb(() => ({ status: 200, body: JSON.stringify({ Systems: { '@odata.id': link } }) }), false);
    expect((await faultOf(driver({ url: linking.url, certificate: undefined }).power!(right()))).fault).toBe('unknown-answer');
  }
  // One that says back what it was told.
  const echo = await startWeb(({ headers }) => ({ status: 400, body: JSON.stringify({ error: { message: `bad ${headers.authorization ?? ''}` } }) }), false);
  const call = callWith({ 'redfish-password': 'wr0ng-one' });
  const echoed = await faultOf(driver({ url: echo.url, certificate: undefined }).power!(call));
  expect(toldBy(echoed) + call.said.join('')).not.toContain(login);
  expect(other.asked).toEqual([]);
});

it('reads no more than a controller can have to say, and nothing that is no JSON', async () => {
  await start();
  const long = await startWeb(() => ({ status: 200, body: 'x'.repeat(5 * 1024 * 1024) }), false);
  expect((await faultOf(driver({ url: long.url, certificate: undefined }).power!(right()))).message).toContain('more than 4 MiB');
  const html = await startWeb(() => ({ status: 200, body: '<html>' }), false);
  expect((await faultOf(driver({ url: html.url, certificate: undefined }).power!(right()))).fault).toBe('unknown-answer');
});

it('ends when it is told to, while it connects and while it waits', async () => {
  await start();
  const silent = createServer(() => undefined);
  const sockets = new Set<import('node:net').Socket>();
  silent.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  atEndOfFile(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const { port } = silent.address() as { port: number };
  for (const scheme of ['https', 'http']) {
    sockets.clear();
    const call = right();
    const asked = faultOf(driver({ url: `${scheme}://127.0.0.1:${port}` }).power!(call));
    await eventually(() => sockets.size === 1);
    call.end();
    expect((await asked).fault).toBe('cancelled');
  }
  expect((await faultOf(driver({ url: 'http://127.0.0.1:1' }).power!(right()))).fault).toBe('unreachable');
});

it('takes no parameter that is more than a word', () => {
  for (const [name, value] of Object.entries({ url: '; echo foo', system: '; echo foo', user: '; echo foo', password: '; echo foo', certificate: '; echo foo' })) {
    const read = managementInterfaces.safeParse({ redfish: { url: 'https://10.0.0.7', user: 'admin', password: 'p', [name]: value } });
    expect(read.error?.issues.map((issue) => issue.path.join('.'))).toContain(`redfish.${name}`);
  }
});
