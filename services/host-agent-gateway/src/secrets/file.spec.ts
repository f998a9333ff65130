import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { SecretFault } from './fault.js';
import { readSecretFile } from './file.js';

const home = mkdtempSync(join(tmpdir(), 'berth-secrets-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const folder = join(home, 'secrets');
mkdirSync(join(folder, 'inner'), { recursive: true });
const write = (path: string, value: string | Buffer, mode = 0o600) => {
  writeFileSync(path, value);
  chmodSync(path, mode);
};
write(join(home, 'outside'), 'hunter22');
write(join(folder, 'token'), 'hunter22\n');
write(join(folder, 'crlf'), 'hunter22\r\n');
write(join(folder, 'lines'), 'one two\nthree\n\n');
write(join(folder, 'bytes'), Buffer.from([0, 255, 1, 254, 10]));
write(join(folder, 'open'), 'hunter22', 0o640);
write(join(folder, 'short'), 'abc\n');
write(join(folder, 'large'), 'x'.repeat(65_537));
write(join(folder, 'inner', 'value'), 'hunter22');
symlinkSync('inner/value', join(folder, 'within'));
symlinkSync('../outside', join(folder, 'away'));
symlinkSync('nowhere', join(folder, 'dangling'));

describe('a secret in a file', () => {
  it.each([
    ['token', 'hunter22'],
    ['crlf', 'hunter22'],
    ['lines', 'one two\nthree\n'],
    ['within', 'hunter22'],
  ])('gives %s without the line break at its end', async (name, value) => {
    expect((await readSecretFile(folder, name)).value.toString()).toBe(value);
  });

  it('keeps bytes as they are', async () => {
    expect((await readSecretFile(folder, 'bytes')).value).toEqual(Buffer.from([0, 255, 1, 254]));
  });

  it.each([
    ['none', /leads nowhere/],
    ['dangling', /leads nowhere/],
    ['open', /others may use its file; .*chmod 600/],
    ['short', /shorter than 4 bytes/],
    ['large', /larger than 65536 bytes/],
    ['away', /leads out of the folder/],
    ['inner', /not a file|others may use/],
  ])('refuses %j in a sentence that names it and not its value', async (name, why) => {
    const fault: unknown = await readSecretFile(folder, name).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(SecretFault);
    expect((fault as SecretFault).message).toMatch(why);
    expect((fault as SecretFault).message).toContain(`The secret ${name}`);
    expect((fault as SecretFault).message).not.toContain('hunter22');
  });
});
