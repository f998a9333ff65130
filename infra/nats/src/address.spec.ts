import { expect, test } from 'vitest';
import { addressOptions, shownAddress } from './address.js';

test.each([
  ['nats://127.0.0.1:4222', { servers: '127.0.0.1:4222' }],
  ['nats://ada:s%40cret@bus:4222', { servers: 'bus:4222', user: 'ada', pass: 's@cret' }],
  ['nats://token@bus:4222', { servers: 'bus:4222', token: 'token' }],
  ['tls://bus:4222', { servers: 'bus:4222', tls: {} }],
])('%s', (url, options) => {
  expect(addressOptions(url)).toEqual(options);
});

test.each([
  ['nats://127.0.0.1:4222', 'nats://127.0.0.1:4222'],
  ['nats://ada:secret@bus:4222', 'nats://ada:***@bus:4222'],
  ['nats://token@bus:4222', 'nats://***@bus:4222'],
  ['postgres://ada:secret@db/x', 'postgres://ada:***@db/x'],
])('%s is shown without its secret', (url, shown) => {
  expect(shownAddress(url)).toBe(shown);
});
