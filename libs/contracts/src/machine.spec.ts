import { describe, expect, it } from 'vitest';
import { folder } from './machine.js';

describe('the base folder on a machine', () => {
  it.each(['~/.berth-host', '~', '/var/berth', 'C:\\berth', 'd:/berth/x y'])('may be %s', (path) => {
    expect(folder.safeParse(path).success).toBe(true);
  });

  it.each(['', 'berth', './berth', 'C:', 'C:berth', '\\\\server\\share', 'C:\\a\nb', '/a\0b'])('is not %j', (path) => {
    expect(folder.safeParse(path).success).toBe(false);
  });
});
