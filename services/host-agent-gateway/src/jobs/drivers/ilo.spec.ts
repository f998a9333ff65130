import { managementInterfaces } from '@berth/contracts';
import { createServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { X509Certificate } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { newAuthority } from '../../../../../test/support/certificate.js';
import { atEndOfFile } from '../../../../../test/support/cleanup.js';
import { eventually } from '../../../../../test/support/wait.js';
import { callWith, faultOf, toldBy } from './call.testing.js';
import { ilo } from './ilo.js';
import { startIlo, type IloOptions, type TestIlo } from './ilo.testing.js';
import { startWeb } from './web.testing.js';

let board: TestIlo;
const start = async (options?: IloOptions): Promise<TestIlo> => (board = await startIlo(options));
afterEach(() => board.stop());
const right = () => callWith({ 'ilo-password': board.login.password });
const driver = (changes = {}) => ilo(board.at(changes));

it('does each thing once', async () => {
  await start();
  expect(await driver().power!(right())).toBe('on');
  await driver().on!(right()); // it is already
  await driver().reset!(right());
  await driver().off!(right(), false);
  await eventually(async () => (await driver().power!(right())) === 'off');
  await driver().off!(right(), false); // it is already
  await driver().off!(right(), true);
  expect(await driver().power!(right())).toBe('off');
  await driver().on!(right());
  await driver().off!(right(), true);
  expect(await driver().power!(right())).toBe('off');
  expect(board.done).toEqual(['RESET_SERVER', 'SET_HOST_POWER No', 'SET_HOST_POWER Yes', 'HOLD_PWR_BTN']);
});

it('tells apart why it is refused', async () => {
  await start({ readOnly: true });
  const wrong = callWith({ 'ilo-password': `wr0ng<"&'>` });
  const fault = await faultOf(driver().power!(wrong));
  expect(fault.fault).toBe('not-authorised');
  expect(toldBy(fault) + wrong.said.join('')).not.toContain('wr0ng');
  const denied = await faultOf(driver().reset!(right()));
  expect([denied.fault, denied.message.includes('RESET_SERVER_PRIV required')]).toEqual(['not-authorised', true]);
  expect((await faultOf(driver({ certificate: '0'.repeat(64) }).power!(right()))).fault).toBe('key-changed');
  expect((await faultOf(driver({ url: 'https://127.0.0.1:1' }).power!(right()))).fault).toBe('unreachable');
  for (const body of ['<html>', '', '<?xml version="1.0"?><RIBCL VERSION="2.0"/>', '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><RIBCL>&a;</RIBCL>']) {
    const other = await startWeb(() => ({ status: 200, body }), false);
    expect((await faultOf(driver({ url: other.url, certificate: undefined }).power!(right()))).fault, body).toBe('unknown-answer');
  }
  expect(board.done).toEqual([]);
});

it('resets no server that is off', async () => {
  await start();
  board.plant.power(false);
  expect((await faultOf(driver().reset!(right()))).fault).toBe('refused');
});

it('speaks to an iLO 2 without HTTP', async () => {
  await start();
  const { certificate, key } = newAuthority('maker').issue('ilo2');
  const bare: string[] = [];
  const server = createServer({ cert: certificate, key }, (socket) => {
    let said = '';
    socket.on('error', () => undefined).setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
      if (said.startsWith('POST ') && said.includes('\r\n\r\n')) socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      else if (said.includes('</RIBCL>')) {
        bare.push(said);
        socket.end('<?xml version="1.0"?>\r\n<RIBCL VERSION="2.22"/>\r\n<RESPONSE STATUS="0x0000" MESSAGE=\'No error\'/>\r\n</RIBCL>\r\n<?xml version="1.0"?>\r\n<RIBCL VERSION="2.22"/>\r\n<GET_HOST_POWER HOST_POWER="OFF"/>\r\n</RIBCL>\r\n');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEndOfFile(() => void server.close());
  const at = { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, certificate: new X509Certificate(certificate).fingerprint256.replaceAll(':', '') };
  expect(await driver(at).power!(right())).toBe('off');
  expect(bare).toEqual([expect.stringMatching(/^<\?xml version="1.0"\?>\r\n<RIBCL VERSION="2.0"><LOGIN USER_LOGIN="Administrator" PASSWORD="I&lt;1&quot;0&gt;&amp;&apos;2">/)]);
});

it('takes no parameter that is more than a word', () => {
  for (const [name, value] of Object.entries({ url: '; echo foo', user: '; echo foo', password: '; echo foo', certificate: '; echo foo' })) {
    const read = managementInterfaces.safeParse({ ilo: { url: 'https://10.0.0.7', user: 'root', password: 'p', [name]: value } });
    expect(read.error?.issues.map((issue) => issue.path.join('.'))).toContain(`ilo.${name}`);
  }
});
