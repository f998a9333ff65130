import { expect, test } from 'vitest';
import { addressOptions, shownAddress, withLogin } from './address.js';

test.each([
  ['nats://127.0.0.1:4222', { servers: '127.0.0.1:4222' }],
  ['nats://ada:s%40cret@bus:4222', { servers: 'bus:4222', user: 'ada', pass: 's@cret', inboxPrefix: '_INBOX.ada' }],
  ['nats://a.b*:secret@bus:4222', { servers: 'bus:4222', user: 'a.b*', pass: 'secret' }],
  ['nats://token@bus:4222', { servers: 'bus:4222', token: 'token' }],
  ['tls://bus:4222', { servers: 'bus:4222', tls: {} }],
])('%s', (url, options) => {
  expect(addressOptions(url)).toEqual(options);
});

test.each(['nats://bus:4222', 'tls://bus:4222'])('files of a certificate mean TLS at %s', (url) => {
  expect(addressOptions(url, { caFile: '/ca' })).toEqual({ servers: 'bus:4222', tls: { caFile: '/ca' } });
});

test('a login put into a URL is read out of it again', () => {
  const url = withLogin('nats://bus:4222', 'host-agent-gateway', 'a:b@c/d');
  expect(addressOptions(url)).toEqual({ servers: 'bus:4222', user: 'host-agent-gateway', pass: 'a:b@c/d', inboxPrefix: '_INBOX.host-agent-gateway' });
  expect(shownAddress(url)).toBe('nats://host-agent-gateway:***@bus:4222');
});

test.each([
  ['nats://127.0.0.1:4222', 'nats://127.0.0.1:4222'],
  ['nats://ada:secret@bus:4222', 'nats://ada:***@bus:4222'],
  ['nats://token@bus:4222', 'nats://***@bus:4222'],
  ['postgres://ada:secret@db/x', 'postgres://ada:***@db/x'],
])('%s is shown without its secret', (url, shown) => {
  expect(shownAddress(url)).toBe(shown);
});
