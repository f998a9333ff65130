import { managementInterfaces } from '@berth/contracts';
import { createSocket } from 'node:dgram';
import { expect, it } from 'vitest';
import { atEndOfFile } from '../../../../../test/support/cleanup.js';
import { eventually } from '../../../../../test/support/wait.js';
import { callWith, faultOf } from './call.testing.js';
import { wake } from './wake.js';

it.each(['127.0.0.1', '127.255.255.255'])('sends the magic packet to %s', async (address) => {
  const heard: string[] = [];
  const listener = createSocket('udp4');
  listener.on('message', (packet) => heard.push(packet.toString('hex')));
  await new Promise<void>((resolve) => listener.bind(0, '0.0.0.0', resolve));
  atEndOfFile(() => void listener.close());
  await wake({ mac: '00:1B:21:0a:fe:7f', address, port: listener.address().port }).on!(callWith());
  await eventually(() => heard.length === 3);
  expect(new Set(heard)).toEqual(new Set([`ffffffffffff${'001b210afe7f'.repeat(16)}`]));
});

it('says why no packet could be sent', async () => {
  expect((await faultOf(wake({ mac: '00:1b:21:0a:fe:7f', address: 'none.invalid', port: 9 }).on!(callWith()))).fault).toBe('unreachable');
  const call = callWith();
  call.end();
  expect((await faultOf(wake({ mac: '00:1b:21:0a:fe:7f', address: '127.0.0.1', port: 9 }).on!(call))).fault).toBe('cancelled');
});

it('takes no parameter that is more than a word', () => {
  for (const [name, value] of Object.entries({ mac: '; echo foo', address: '; echo foo', port: '; echo foo' })) {
    const read = managementInterfaces.safeParse({ wake: { mac: '00:1b:21:0a:fe:7f', [name]: value } });
    expect(read.error?.issues.map((issue) => issue.path.join('.'))).toEqual([`wake.${name}`]);
  }
});
