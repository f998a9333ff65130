import { spawnSync } from 'node:child_process';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { MachineEvent } from '@berth/contracts';
import { newSshKey } from '@berth/embedded/servers';
import { packagesOf, readSpdx } from '../../services/image-factory/src/targets/spdx.testing.js';
import { installed, LONG, read, run, startBakery, type Bakery } from '../support/bakery.js';
import { tempFolder } from '../support/cleanup.js';
import { bootDisk } from '../support/vm.js';
import { eventually } from '../support/wait.js';

const MIB = 2 ** 20;

let bakery: Bakery;
beforeAll(async () => {
  bakery = await startBakery();
}, LONG);

test('a disk boots, is enrolled, and runs what it is told on a lease', { timeout: 2 * LONG }, async () => {
  const { publicKey, privateKey } = newSshKey('berth');
  const privateKeyPath = join(await tempFolder('login'), 'key');
  await writeFile(privateKeyPath, privateKey, { mode: 0o600 });
  const template = read(JSON.stringify({
    name: 'boots', os: { name: 'debian', version: 12 }, packages: ['openssh-server'], files: [{ path: '/root/.ssh/authorized_keys', content: publicKey, mode: '600' }],
    targets: { raw: { host: { pool: 'images' }, size: '640MiB' } },
  }));
  const { status, error, made } = await bakery.bake('raw', template);
  expect(error).toBeNull();
  expect(status).toBe('passed');
  expect(await bakery.leftovers()).toEqual([]);
  const { object, sbom, boot } = await made();
  expect(boot).toBe('uefi');
  const disk = await bakery.file(object!);
  await whatItBootsWith(disk, await bakery.textOf(sbom!));

  // As on a machine whose disk is larger than the image of it.
  await truncate(disk, 1024 * MIB);
  const vm = await bootDisk(disk, { timeoutMs: LONG });
  await bakery.fleet.addMachine('booted', { ...vm, user: 'root', privateKeyPath }, { attributes: { pool: 'booted' }, folder: '/var/lib/berth' });
  const added = (await bakery.fleet.events('machine')).flatMap(({ commit }) => commit.events as MachineEvent[]).findLast((event) => event.type === 'MachineAdded')!;
  expect(added.data).toMatchObject({ name: 'booted', hostKey: expect.stringMatching(/^ssh-ed25519 /) as string, facts: { os: 'linux', arch: 'x86_64', cpus: '2' } });
  const lease = await bakery.fleet.requestLease({ type: 'host', attributes: { pool: 'booted' } });
  const token = Number((await bakery.fleet.bus.waitForStatus('lease', lease, ['active'], { timeoutMs: LONG })).data['token']);
  const look = ['systemctl is-system-running --wait', 'df --output=size -m / | tail -n 1', 'findmnt -no SOURCE,FSTYPE /boot/efi', 'stat -c %s /etc/machine-id', 'networkctl --no-legend list | grep -c configured', 'echo "on $BERTH_LEASE"'].join('; ');
  const action = await bakery.fleet.command('host-agent-gateway', 'RunAction', { lease, token, spec: { kind: 'run-command', command: look } });
  await bakery.fleet.bus.waitForStatus('action', action.id, ['succeeded'], { timeoutMs: LONG });
  const [state, size, efi, id, configured, on] = (await bakery.fleet.output(action.id)).stdout.trim().split('\n');
  expect({ efi, state, id, configured, on }).toEqual({ efi: '/dev/vda1 vfat', state: 'running', id: '33', configured: '1', on: `on ${lease}` });
  expect(Number(size)).toBeGreaterThan(800);
  await eventually(() => expect(vm.console()).toContain('localhost login:'), { timeoutMs: 60_000 });
  await bakery.fleet.command('lease', 'ReleaseLease', { lease });
  await bakery.fleet.bus.waitForStatus('lease', lease, ['destroyed'], { timeoutMs: LONG });
  await bakery.fleet.command('allocator', 'RemoveMachine', { name: 'booted' });
  await vm.stop();
});

async function whatItBootsWith(disk: string, sbom: string): Promise<void> {
  const { partitiontable } = JSON.parse(run('sfdisk', '--json', disk)) as { partitiontable: { label: string; partitions: { start: number; size: number; type: string; name: string }[] } };
  expect(partitiontable).toMatchObject({
    label: 'gpt',
    partitions: [{ start: 2048, size: 64 * 2048, type: 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B', name: 'boot' }, { start: 65 * 2048, size: (640 - 66) * 2048, type: '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709', name: 'root' }],
  });
  run('sfdisk', '--verify', disk);
  const system = `${disk}?offset=${65 * MIB}`;
  run('e2fsck', '-fn', system);
  const cat = (path: string) => run('debugfs', '-R', `cat "${path}"`, system);
  const list = packagesOf(readSpdx(sbom));
  expect(list).toEqual(installed(cat('/var/lib/dpkg/status')));
  expect(list.filter((one) => /^(linux-image-cloud-amd64|grub-efi-amd64-bin|systemd-sysv|openssh-server) /.test(one))).toHaveLength(4);
  const root = /^UUID=(\S+) \/ ext4/m.exec(cat('/etc/fstab'))![1]!;
  expect(run('dumpe2fs', '-h', system)).toMatch(new RegExp(`^Filesystem UUID: +${root}$`, 'm'));
  expect(cat('/boot/grub/grub.cfg')).toContain(`linux $at/vmlinuz root=UUID=${root} ro`);
  const there = (path: string) => spawnSync('debugfs', ['-R', `stat "${path}"`, system], { encoding: 'utf8' }).stdout.includes('Inode:');
  expect(['/boot/grub', '/etc/.resolv.conf.systemd-resolved.bak', '/etc/ssh/ssh_host_ed25519_key'].filter(there)).toEqual(['/boot/grub']);

  const efi = `${disk}@@${MIB}`;
  expect(run('mdir', '-i', efi, '-b', '-/', '::').trim().split('\n')).toEqual(['::/EFI/', '::/EFI/BOOT/', '::/EFI/BOOT/BOOTX64.EFI', '::/EFI/BOOT/grub.cfg']);
  expect(run('mtype', '-i', efi, '::/EFI/BOOT/grub.cfg')).toContain(`--fs-uuid --set=root ${root}\n`);
  const partition = `${disk}.efi`;
  run('dd', `if=${disk}`, `of=${partition}`, 'bs=1M', 'skip=1', 'count=64', 'status=none');
  run('fsck.vfat', '-n', partition);
}

/** The root of an archive for containers, as a folder. */
