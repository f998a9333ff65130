import { expect, test } from 'vitest';
import { rowsOf } from './related';

test('what a version is made of stands before what is made of it, each by how far it is away', () => {
  const of = { outdated: false, revoked: false };
  const rows = rowsOf({
    version: { image: 'web', version: 'w', number: 4 },
    ancestors: [{ image: 'base', version: 'b', number: 2, channel: 'latest', ...of }, { image: 'root', version: 'r', number: 1, channel: 'prod', outdated: true, revoked: true }],
    descendants: [{ image: 'shop', version: 's', number: 3, depth: 1, channels: ['dev', 'latest'], outdated: true, revoked: false }, { image: 'cart', version: 'c', number: 1, depth: 2, channels: [], ...of }],
  });
  expect(rows.map(({ how, image, channels, outdated, revoked }) => [how, image, channels, outdated, revoked])).toEqual([
    ['is made of', 'base', 'latest', false, false],
    ['2 steps up', 'root', 'prod', true, true],
    ['is made of it', 'shop', 'dev, latest', true, false],
    ['2 steps down', 'cart', '', false, false],
  ]);
});
