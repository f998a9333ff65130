import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { AccessEvent } from '@berth/contracts';
import { tempFolder } from '../../../../test/support/cleanup.js';
import { Audit, type Refusal } from './audit.js';
import { Open } from './open.js';
import { Rates } from './rates.js';
import { openSeal, Seal } from './seal.js';

describe('rates', () => {
  test('a minute\'s worth at once, then as it comes', () => {
    let now = 0;
    const rates = new Rates(60, () => now);
    for (let i = 0; i < 60; i++) expect(rates.take('a')).toBe(0);
    expect(rates.take('a')).toBe(1000);
    expect(rates.take('b')).toBe(0);
    now = 1000;
    expect(rates.take('a')).toBe(0);
    expect(rates.take('a')).toBe(1000);
    now = 3_600_000;
    for (let i = 0; i < 60; i++) expect(rates.take('a')).toBe(0);
    expect(rates.take('a')).toBe(1000);
  });

  test('none, and many askers', () => {
    const none = new Rates(0);
    for (let i = 0; i < 1000; i++) expect(none.take('a')).toBe(0);
    const now = 0;
    const rates = new Rates(1, () => now);
    for (let i = 0; i < 30_000; i++) expect(rates.take(String(i))).toBe(0);
    expect(rates.take('29999')).toBeGreaterThan(0);
  });
});

describe('the seal', () => {
  test('opens what it closed, for what it was closed, unchanged', () => {
    const seal = new Seal(new Uint8Array(32).fill(7));
    const text = seal.close({ who: 'ada' }, 'session');
    expect(seal.open(text, 'session')).toEqual({ who: 'ada' });
    expect(seal.close({ who: 'ada' }, 'session')).not.toBe(text);
    expect(seal.open(text, 'other')).toBeUndefined();
    expect(new Seal(new Uint8Array(32).fill(8)).open(text, 'session')).toBeUndefined();
    const bytes = Buffer.from(text, 'base64url');
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1;
      expect(seal.open(changed.toString('base64url'), 'session')).toBeUndefined();
    }
    for (let length = 0; length < bytes.length; length++) expect(seal.open(bytes.subarray(0, length).toString('base64url'), 'session')).toBeUndefined();
  });

  test('its key is made once, for its owner alone, by whoever comes first', async () => {
    const home = join(await tempFolder('seal'), 'deep', 'home');
    const opened = await Promise.all([openSeal(home), openSeal(home), openSeal(home)]);
    expect(opened.filter(({ first }) => first)).toHaveLength(1);
    const text = opened[0]!.seal.close('x', 'y');
    for (const { seal } of opened) expect(seal.open(text, 'y')).toBe('x');
    const file = join(home, 'session.key');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file)).toHaveLength(32);
    expect((await openSeal(home)).first).toBe(false);
    await chmod(file, 0o600);
    await writeFile(file, 'short');
    await expect(openSeal(home)).rejects.toThrow('session.key is damaged: remove it');
  });
});

describe('the audit of refusals', () => {
  const refusal = (more: Partial<Refusal> = {}): Refusal => ({ actor: 'token:ada', code: 'forbidden', asked: 'POST /x', reason: 'no', address: '::1', ...more });
  const start = (everyMs = 60_000) => {
    const told: [string, number, string][] = [];
    const note = (actor: string, event: AccessEvent) => {
      if (event.type === 'AccessRefused') told.push([actor, event.data.count, event.data.asked]);
      return Promise.resolve(told.length);
    };
    return { told, audit: new Audit({ tell: (actor, event) => void note(actor, event), told: note }, everyMs) };
  };

  test('the first at once, the others together, and each asker and route apart', async () => {
    vi.useFakeTimers();
    try {
      const { told, audit } = start();
      for (let i = 0; i < 1000; i++) audit.refused(refusal());
      audit.refused(refusal({ asked: 'GET /y' }));
      audit.refused(refusal({ actor: 'token:bob' }));
      expect(told).toEqual([['token:ada', 1, 'POST /x'], ['token:ada', 1, 'GET /y'], ['token:bob', 1, 'POST /x']]);
      vi.advanceTimersByTime(60_000);
      expect(told.slice(3)).toEqual([['token:ada', 999, 'POST /x']]);
      // It goes on knocking: still one a minute.
      for (let i = 0; i < 10; i++) audit.refused(refusal());
      expect(told).toHaveLength(4);
      vi.advanceTimersByTime(60_000);
      expect(told.slice(4)).toEqual([['token:ada', 10, 'POST /x']]);
      vi.advanceTimersByTime(120_000);
      audit.refused(refusal());
      expect(told).toHaveLength(6);
      await audit.close();
    } finally {
      vi.useRealTimers();
    }
  });

  test('whoever comes from ever other addresses is told of together; what was counted is stored at the end', async () => {
    const { told, audit } = start();
    for (let i = 0; i < 5000; i++) audit.refused(refusal({ actor: 'anonymous', code: 'unauthorized', address: `10.0.${i >> 8}.${i & 255}` }));
    expect(told).toHaveLength(1001);
    await audit.close();
    expect(told).toHaveLength(1002);
    expect(told.reduce((sum, [, count]) => sum + count, 0)).toBe(5000);
    expect(told.at(-1)).toEqual(['anonymous', 3999, 'several']);
  });
});

test('what is open ends when it may not go on, once', () => {
  const open = new Open();
  let may = true;
  const ends: string[] = [];
  open.add({ mayGoOn: () => may, end: () => ends.push('a') > 1 });
  const done = open.add({ mayGoOn: () => may, end: () => ends.push('b') > 0 });
  open.add({ mayGoOn: () => true, end: () => ends.push('c') > 0 });
  open.look();
  done();
  may = false;
  // It had not begun at first.
  open.look();
  open.look();
  open.look();
  expect(ends).toEqual(['a', 'a']);
  open.stop();
});
