import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tempFolder } from '../../../test/support/cleanup.js';
import { keyFile } from './key-file.js';

describe('a key in a file', () => {
  test('is made once, for its owner alone, by however many ask at once', async () => {
    const path = join(await tempFolder('key'), 'deep', 'a.key');
    const keys = await Promise.all(Array.from({ length: 8 }, () => keyFile(path)));
    expect(new Set(keys.map(String)).size).toBe(1);
    expect(keys[0]!.length).toBe(32);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await keyFile(path)).toEqual(keys[0]);
  });

  test('something else in it is told, and never replaced', async () => {
    const path = join(await tempFolder('key'), 'a.key');
    await writeFile(path, 'hello');
    await expect(keyFile(path)).rejects.toThrow(/does not hold a key \(32 bytes as base64\): put the right one there/);
  });

  test('a file that can not be read is told with its reason', async () => {
    const path = await tempFolder('key');
    await expect(keyFile(path)).rejects.toThrow(/can't be read \(EISDIR\)/);
  });
});
