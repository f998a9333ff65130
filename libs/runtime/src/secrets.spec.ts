import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readEnvironment } from './config.js';
import { readSecret, SecretFault, secretsFolder } from './secrets.js';

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

describe('reading a secret', () => {
  it.each([
    ['token', 'hunter22'],
    ['crlf', 'hunter22'],
    ['lines', 'one two\nthree\n'],
    ['within', 'hunter22'],
  ])('gives %s without the line break at its end', async (name, value) => {
    expect((await readSecret({ home }, name)).toString()).toBe(value);
  });

  it('keeps bytes as they are', async () => {
    expect(await readSecret({ home }, 'bytes')).toEqual(Buffer.from([0, 255, 1, 254]));
  });

  it.each([
    ['none', /there is none of this name; write its value to .*\/none with mode 0600/],
    ['dangling', /there is none/],
    ['open', /others may use its file; .*chmod 600/],
    ['short', /shorter than 4 bytes/],
    ['large', /larger than 65536 bytes/],
    ['away', /leads out of the folder/],
    ['inner', /not a file|others may use/],
    ['../outside', /a name that no secret can have/],
    ['', /a name that no secret can have/],
  ])('refuses %j in a sentence that names it and not its value', async (name, why) => {
    const fault: unknown = await readSecret({ home }, name).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(SecretFault);
    expect((fault as SecretFault).message).toMatch(why);
    expect((fault as SecretFault).message).toContain(`The secret ${/^[a-z]+$/.test(name) ? name : '"'}`);
    expect((fault as SecretFault).message).not.toContain('hunter22');
  });

  it('looks where it is told to', async () => {
    expect(secretsFolder({ home: '/h' })).toBe('/h/secrets');
    expect((await readSecret({ home: '/none', secretsFolder: folder }, 'token')).toString()).toBe('hunter22');
    await expect(readSecret({ home: join(home, 'elsewhere') }, 'token')).rejects.toThrow('there is none');
  });
});

describe('what the environment says of commands', () => {
  it('is read, with a limit of output of 1 GiB unless it says otherwise', () => {
    expect(readEnvironment({})).toMatchObject({ BERTH_OUTPUT_LIMIT: 1024 ** 3 });
    expect(readEnvironment({ BERTH_SECRETS: '/s', BERTH_OUTPUT_LIMIT: '70000' })).toMatchObject({ BERTH_SECRETS: '/s', BERTH_OUTPUT_LIMIT: 70_000 });
    expect(() => readEnvironment({ BERTH_OUTPUT_LIMIT: '1' })).toThrow('at least 65536 bytes');
  });
});
