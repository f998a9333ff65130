import { managementInterfaces } from '@berth/contracts';
import { afterEach, expect, it } from 'vitest';
import { eventually } from '../../../../../test/support/wait.js';
import { callWith, faultOf, toldBy } from './call.testing.js';
import { startWeb } from './web.testing.js';
import { xen } from './xen.js';
import { startXen, type TestXen, type XenOptions } from './xen.testing.js';

let pool: TestXen;
const start = async (options?: XenOptions): Promise<TestXen> => (pool = await startXen(options));
afterEach(() => pool.stop());
const right = () => callWith({ 'xen-password': pool.login.password });
const driver = (changes = {}) => xen(pool.at(changes));

it('does each thing once, in sessions that it ends', async () => {
  await start();
  expect(await driver().power!(right())).toBe('on');
  await driver().on!(right()); // it is already
  await driver().reset!(right());
  await driver().off!(right(), false);
  await eventually(async () => (await driver().power!(right())) === 'off');
  await driver().off!(right(), true); // it is already
  await driver().on!(right());
  await driver().off!(right(), true);
  expect(await driver().power!(right())).toBe('off');
  expect(pool.done).toEqual(['VM.hard_reboot', 'VM.clean_shutdown', 'VM.start', 'VM.hard_shutdown']);
  expect(pool.sessions()).toBe(0);
});

it('ends its session when it is refused, too', async () => {
  await start({ ignoresShutdown: true });
  expect((await faultOf(driver({ vm: '00000000-0000-4000-8000-000000000000' }).reset!(right()))).message).toContain('has no virtual machine 00000000-0000-4000-8000-000000000000');
  expect((await faultOf(driver().off!(right(), false))).message).toContain('refused VM.clean_shutdown: VM_SHUTDOWN_TIMEOUT');
  pool.plant.power(false);
  expect((await faultOf(driver().reset!(right()))).message).toContain('refused VM.hard_reboot: VM_BAD_POWER_STATE');
  expect([pool.done, pool.sessions()]).toEqual([[], 0]);
});

it('ends its session when it is told to end while it works', async () => {
  await start();
  const call = right();
  // The machine is asked for its state by a service that hands on everything, and waits before that.
  const between = await startWeb(async ({ body }) => {
    if (body.includes('VM.hard_reboot')) {
      call.end();
      return new Promise(() => undefined);
    }
    const answer = await relay(pool, body);
    return { status: 200, body: answer };
  }, false);
  expect((await faultOf(driver({ url: between.url, certificate: undefined }).reset!(call))).fault).toBe('cancelled');
  expect([pool.done, pool.sessions()]).toEqual([[], 0]);
});

it('says so when a session could not be ended, and calls what was done done', async () => {
  await start();
  pool.keepSessions(true);
  const call = right();
  await driver().reset!(call);
  expect(pool.done).toEqual(['VM.hard_reboot']);
  expect(call.said.at(-1)).toContain('the session could not be ended');
  expect(call.said.join('')).not.toContain('OpaqueRef');
});

it('tells apart why it is refused', async () => {
  await start({ denied: 'VM.hard_reboot' });
  const wrong = callWith({ 'xen-password': 'wr0ng-one' });
  const fault = await faultOf(driver().power!(wrong));
  expect(fault.fault).toBe('not-authorised');
  expect(toldBy(fault) + wrong.said.join('')).not.toContain('wr0ng-one');
  expect((await faultOf(driver().reset!(right()))).fault).toBe('not-authorised');
  expect((await faultOf(driver({ certificate: '0'.repeat(64) }).power!(right()))).fault).toBe('key-changed');
  expect((await faultOf(driver({ url: 'https://127.0.0.1:1' }).power!(right()))).fault).toBe('unreachable');
  expect((await faultOf(driver({ url: `${pool.url}/elsewhere` }).power!(right()))).fault).toBe('unknown-answer');
  expect(pool.sessions()).toBe(0);
});

it('names the master of a pool', async () => {
  await start({ master: '10.0.0.9' });
  const fault = await faultOf(driver().power!(right()));
  expect([fault.fault, fault.message.includes('set the URL of the master, 10.0.0.9')]).toEqual(['refused', true]);
});

it('takes no parameter that is more than a word', () => {
  for (const [name, value] of Object.entries({ url: '; echo foo', vm: '; echo foo', user: '; echo foo', password: '; echo foo', certificate: '; echo foo' })) {
    const read = managementInterfaces.safeParse({ xen: { url: 'https://10.0.0.7', vm: '4f1c1b9e-7c3c-4a5e-9d43-0a3f6f9b2c11', user: 'root', password: 'p', [name]: value } });
    expect(read.error?.issues.map((issue) => issue.path.join('.'))).toContain(`xen.${name}`);
  }
});

async function relay(to: TestXen, body: string): Promise<string> {
  const { askWeb } = await import('./http.js');
  const reply = await askWeb(callWith(), { what: 'The pool', url: to.url, certificate: to.certificate }, { method: 'POST', path: '/jsonrpc', headers: { 'Content-Type': 'application/json' }, body });
  return reply.body;
}
