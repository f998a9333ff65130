import { randomBytes } from 'node:crypto';
import { chmod, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { tempFolder } from '../../../../test/support/cleanup.js';
import { Keyring } from './keyring.js';
import { Vault } from './vault.js';

let home: string;
let file: string;
let folder: string;
beforeEach(async () => {
  home = await tempFolder('vault');
  [file, folder] = [join(home, 'secrets.key'), join(home, 'vault')];
});

const text = async (vault: Vault, name: string) => (await vault.read(name)).toString();

describe('the vault', () => {
  it('gives back what was put in, and nothing of it can be read in its files', async () => {
    const vault = new Vault(folder, await Keyring.fromFile(file, true));
    await vault.write('npm.token', Buffer.from('hunter22'));
    const bytes = randomBytes(65_536);
    await vault.write('large', bytes);
    const again = new Vault(folder, await Keyring.fromFile(file, false));
    expect(await text(again, 'npm.token')).toBe('hunter22');
    expect((await again.read('large')).equals(bytes)).toBe(true);
    expect(await again.names()).toEqual(['large', 'npm.token']);
    for (const name of await readdir(folder)) expect(await readFile(join(folder, name), 'utf8')).not.toMatch(/hunter22|aHVudGVyMj/);
    expect([(await stat(file)).mode & 0o777, (await stat(folder)).mode & 0o777, (await stat(join(folder, 'large'))).mode & 0o777]).toEqual([0o600, 0o700, 0o600]);
    await again.remove('large');
    await expect(again.read('large')).rejects.toThrow("The secret large can't be used: there is none of this name; set it with `berth secret set large`.");
  });

  it('gives nothing of a file that was changed, or that stands under another name', async () => {
    const vault = new Vault(folder, await Keyring.fromFile(file, true));
    await vault.write('one', Buffer.from('hunter22'));
    const stored = JSON.parse(await readFile(join(folder, 'one'), 'utf8')) as { data: string };
    await writeFile(join(folder, 'one'), JSON.stringify({ ...stored, data: Buffer.from('hunter23').toString('base64url') }));
    await expect(vault.read('one')).rejects.toThrow('its file was changed by somebody');
    await vault.write('two', Buffer.from('hunter22'));
    await rename(join(folder, 'two'), join(folder, 'three'));
    await expect(vault.read('three')).rejects.toThrow('its file was changed by somebody');
    for (const damaged of ['', 'null', '{"version":2}']) {
      await writeFile(join(folder, 'four'), damaged);
      await expect(vault.read('four'), damaged).rejects.toThrow('is damaged; set it again');
    }
    for (const name of ['../one', '', '.one']) await expect(vault.read(name)).rejects.toThrow('a name that no secret can have');
  });

  it('reads what is under an old key until all is under the new one', async () => {
    const keys = await Keyring.fromFile(file, true);
    const vault = new Vault(folder, keys);
    await vault.write('one', Buffer.from('hunter22'));
    const old = await readFile(file, 'utf8');
    await keys.add();
    expect([await text(vault, 'one'), await vault.isNewest('one')]).toEqual(['hunter22', false]);
    // As after a crash in between.
    expect(await text(new Vault(folder, await Keyring.fromFile(file, false)), 'one')).toBe('hunter22');
    await vault.write('one', await vault.read('one'));
    await keys.dropOld();
    expect(await vault.isNewest('one')).toBe(true);
    expect(await readFile(file, 'utf8')).not.toContain(old.trim());
    expect(await text(new Vault(folder, await Keyring.fromFile(file, false)), 'one')).toBe('hunter22');
    await writeFile(file, old);
    await expect(new Vault(folder, await Keyring.fromFile(file, false)).read('one')).rejects.toThrow('encrypted under a key that is not there any more');
  });
});

describe('the key', () => {
  it('is made only where nothing is lost with it', async () => {
    await expect(Keyring.fromFile(file, false)).rejects.toThrow(`the key of the secrets is not in ${file}, and without it no secret can be read`);
  });

  it.each([['hello', /no key of secrets: a key is 32 random bytes/], [`${randomBytes(31).toString('base64')}\n`, /no key of secrets/], ['\n', /holds no key/]])('is refused when it is none: %j', async (content, why) => {
    await writeFile(file, content, { mode: 0o600 });
    const refused: unknown = await Keyring.fromFile(file, true).catch((error: unknown) => error);
    expect((refused as Error).message).toMatch(why);
    if (content.trim() !== '') expect((refused as Error).message).not.toContain(content.trim());
  });

  it('is refused when others may read it', async () => {
    await Keyring.fromFile(file, true);
    await chmod(file, 0o640);
    await expect(Keyring.fromFile(file, true)).rejects.toThrow(`others may read the key of the secrets: take that away with chmod 600 ${file}`);
  });

  it('may be in the environment, the newest first', async () => {
    const [older, newer] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64url')];
    await new Vault(folder, Keyring.fromText(older)).write('one', Buffer.from('hunter22'));
    const both = new Vault(folder, Keyring.fromText(`${newer}, ${older}`));
    expect([await text(both, 'one'), await both.isNewest('one')]).toEqual(['hunter22', false]);
    await expect(new Vault(folder, Keyring.fromText(newer)).read('one')).rejects.toThrow('a key that is not there any more');
    expect(() => Keyring.fromText('')).toThrow('BERTH_SECRETS_KEY holds something that is no key');
  });
});
