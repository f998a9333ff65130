import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ImageTemplate, KeptFile, MadeImage } from '@berth/contracts';
import { targets } from '@berth/image-factory/targets';
import { packagesOf, readSpdx } from '../../services/image-factory/src/targets/spdx.testing.js';
import { anyTemplate } from '../../services/image-factory/src/template/template.testing.js';
import { installed, LONG, planAs, read, run, startBakery, type Bakery } from '../support/bakery.js';
import { tempFolder } from '../support/cleanup.js';
import { eventually } from '../support/wait.js';

let bakery: Bakery;
beforeAll(async () => {
  bakery = await startBakery();
  await bakery.fleet.setSecret('root-web', 'correct horse');
}, LONG);

/** What a build must not leave on its host. */
const nothingIsLeft = async (): Promise<void> => expect(await bakery.leftovers()).toEqual([]);

const web = `name: web
description: "An \\"image\\"\\nof \${{ two }} lines"
os: { name: debian, version: 12, rootPassword: root-web }
packages: [tree, libcap2-bin]
files:
  - path: "/opt/a b/$(id) \${{ vars.x }}"
    content: "\${{ vars.x }} '$(id)' \\"\\\\ é\\n"
    mode: "600"
commands:
  - name: Count "\${{ steps }}" things
    run: |
      tree --version > /etc/tree-version
      echo '\${{ vars.x }}' "$(id -u)" > /etc/result
      ls /proc/1/comm /usr/sbin/policy-rc.d
  - name: Have what only some archives keep
    run: |
      cp /usr/bin/tree /usr/bin/hers && chown 1234:2345 /usr/bin/hers && chmod 6751 /usr/bin/hers && ln /usr/bin/hers /usr/bin/also-hers
      setcap cap_net_raw+ep /usr/bin/tree
  - name: Start something that stays
    run: sleep 3600 & mount -t tmpfs left /mnt
targets: { raw: { host: { pool: images }, size: 600MiB, boot: none }, oci: { host: { pool: images } } }
`;
const strange = '/opt/a b/$(id) ${{ vars.x }}';
const content = '${{ vars.x }} \'$(id)\' "\\ é\n';

const wanted = read(web);

test('one system as a disk and for containers: what it holds is what the template says', { timeout: 3 * LONG }, async () => {
  // Installing it once does for both: the plan of one, and what the other does after it.
  const disk = planAs('raw', wanted);
  const containers = planAs('oci', wanted);
  const own = (id: string) => containers.steps.filter((step) => step.id === id).map((step) => ({ ...step, id: `containers-${id}` }));
  expect(targets.raw.faults(wanted)).toEqual([]);
  expect(targets.oci.faults(wanted)).toEqual([]);
  const { build, status, error } = await bakery.baked('web', { ...disk, steps: [...own('annotations'), ...disk.steps, ...own('oci'), ...own('keep-image')] });
  expect(error).toBeNull();
  expect(status).toBe('passed');
  await nothingIsLeft();
  const artifacts = await bakery.artifactsOf(build);
  await aDisk(targets.raw.made(artifacts, wanted));
  const root = await forContainers(targets.oci.made(artifacts, wanted));
  await madeOfIt(build, root);
  await aCommandThatFails(root);
  await aBuildThatIsAborted(root);
  await partsOfAHost(root);
});

async function aDisk({ object, sbom }: MadeImage): Promise<void> {
  expect(object!.bytes).toBe(600 * 2 ** 20);
  const disk = await bakery.file(object!);
  const { partitiontable } = JSON.parse(run('sfdisk', '--json', disk)) as { partitiontable: { label: string; partitions: { start: number; size: number; type: string }[] } };
  expect(partitiontable).toMatchObject({ label: 'gpt', partitions: [{ start: 2048, type: '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709' }] });
  const system = `${disk}?offset=${2048 * 512}`;
  run('e2fsck', '-fn', system);
  const cat = (path: string) => run('debugfs', '-R', `cat "${path}"`, system);

  const document = readSpdx(await bakery.textOf(sbom!));
  expect(packagesOf(document)).toEqual(installed(cat('/var/lib/dpkg/status')));
  expect(packagesOf(document).some((one) => one.startsWith('tree '))).toBe(true);
  expect(cat(strange)).toBe(content);
  expect(run('debugfs', '-R', `stat "${strange}"`, system)).toMatch(/Mode: +0600 .*User: +0 /s);
  expect(cat('/etc/tree-version')).toMatch(/^tree v\d/);
  expect(cat('/etc/result')).toBe('${{ vars.x }} 0\n');
  expect(cat('/etc/shadow')).toMatch(/^root:\$/m);
  expect(cat('/etc/fstab')).toMatch(/^UUID=\S+ \/ ext4/m);
  // Nothing of the host, and nothing that was there for the time of the building alone.
  const there = (path: string) => spawnSync('debugfs', ['-R', `stat "${path}"`, system], { encoding: 'utf8' }).stdout.includes('Inode:');
  expect(['/etc', '/etc/resolv.conf', '/etc/hostname', '/usr/sbin/policy-rc.d', '/etc/apt/apt.conf.d/00berth-bake', '/etc/apt/apt.conf.d/99mmdebstrap', '/proc/1'].filter(there)).toEqual(['/etc']);
}

async function unpackedOf(object: KeptFile): Promise<string> {
  const folder = await tempFolder('unpacked');
  // Copying looks at every digest and size.
  run('skopeo', '--insecure-policy', 'copy', `oci-archive:${await bakery.file(object)}`, `oci:${folder}/copy:it`);
  run('umoci', 'unpack', '--image', `${folder}/copy:it`, join(folder, 'bundle'));
  return join(folder, 'bundle', 'rootfs');
}

/** Unpacks it; its folder. */
async function forContainers({ object, sbom }: MadeImage): Promise<string> {
  const archive = await bakery.file(object!);
  expect(JSON.parse(run('skopeo', 'inspect', `oci-archive:${archive}`))).toMatchObject({ Architecture: 'amd64', Os: 'linux', Layers: [expect.stringMatching(/^sha256:/)] });
  const manifest = JSON.parse(run('skopeo', 'inspect', '--raw', `oci-archive:${archive}`)) as { annotations: Record<string, string> };
  expect(manifest.annotations).toMatchObject({ 'org.opencontainers.image.title': 'web', 'org.opencontainers.image.version': '1', 'org.opencontainers.image.description': 'An "image"\nof ${{ two }} lines' });
  const root = await unpackedOf(object!);
  expect(packagesOf(readSpdx(await bakery.textOf(sbom!)))).toEqual(installed(await readFile(join(root, 'var/lib/dpkg/status'), 'utf8')));
  expect(await readFile(join(root, strange), 'utf8')).toBe(content);
  expect(await readFile(join(root, 'etc/result'), 'utf8')).toBe('${{ vars.x }} 0\n');
  return root;
}

/** Images that are made of the two files of that build: what was in it is in them, and nothing of its system is installed anew. */
async function madeOfIt(parent: string, unpacked: string): Promise<void> {
  const template = read(`name: child
os: { name: debian, version: bookworm }
parent: { image: web }
packages: [hello]
files:
  - { path: /etc/own, content: "its own" }
commands:
  - { name: Look, run: "cat /etc/tree-version /etc/own > /etc/seen; echo one > /dev/null" }
targets: { oci: { host: { pool: images } } }
`);
  const { status, error, made, build } = await bakery.bake('oci', template, { PARENT_BUILD: parent, PARENT_FILE: 'image.oci.tar' });
  expect({ status, error }).toEqual({ status: 'passed', error: null });
  const { object, sbom } = await made();
  const root = await unpackedOf(object!);
  const before = installed(await readFile(join(unpacked, 'var/lib/dpkg/status'), 'utf8'));
  const after = installed(await readFile(join(root, 'var/lib/dpkg/status'), 'utf8'));
  expect(packagesOf(readSpdx(await bakery.textOf(sbom!)))).toEqual(after);
  expect(after.filter((one) => !before.includes(one)).map((one) => one.split(' ')[0])).toEqual(['hello']);
  expect(before.filter((one) => !after.includes(one))).toEqual([]);
  expect(await readFile(join(root, strange), 'utf8')).toBe(content);
  expect(await readFile(join(root, 'etc/seen'), 'utf8')).toMatch(/^tree v\d.*its own$/s);
  expect(await readFile(join(root, 'etc/shadow'), 'utf8')).toMatch(/^root:\*:/m);
  await sameAsBefore(unpacked, root);
  // Whatever installs a system says so.
  expect(await bakery.outputOf(build, 'Unpack image web')).toEqual({ stdout: '', stderr: '' });
  await nothingIsLeft();
  await ofTheDisk(parent, unpacked);
}

async function ofTheDisk(parent: string, unpacked: string): Promise<void> {
  const template = read('name: disk-child\nos: { name: debian, version: 12 }\nparent: { image: web }\ncommands:\n  - { name: Mark, run: "echo yes > /etc/child" }\ntargets: { raw: { host: { pool: images }, boot: none }, oci: { host: { pool: images } } }\n');
  // An archive of what would become the disk says the same of it, and is smaller.
  const { env, steps, ...plan } = planAs('raw', template);
  const packed = planAs('oci', template).steps.filter(({ id }) => ['annotations', 'oci', 'keep-image'].includes(id));
  const { build, status, error } = await bakery.baked('disk-child', { ...plan, env, steps: [packed[0], ...steps.filter(({ id }) => id !== 'disk' && id !== 'keep-image'), ...packed.slice(1)] }, { PARENT_BUILD: parent, PARENT_FILE: 'image.raw' });
  expect({ status, error }).toEqual({ status: 'passed', error: null });
  const { object, sbom } = targets.oci.made(await bakery.artifactsOf(build), template);
  const root = await unpackedOf(object!);
  const packages = installed(await readFile(join(unpacked, 'var/lib/dpkg/status'), 'utf8'));
  expect(packagesOf(readSpdx(await bakery.textOf(sbom!)))).toEqual(packages);
  expect(installed(await readFile(join(root, 'var/lib/dpkg/status'), 'utf8'))).toEqual(packages);
  expect(await readFile(join(root, strange), 'utf8')).toBe(content);
  expect(await readFile(join(root, 'etc/child'), 'utf8')).toBe('yes\n');
  // It names its own disk, and not that of its parent.
  expect((await readFile(join(root, 'etc/fstab'), 'utf8')).split('\n').filter((line) => line.startsWith('UUID'))).toEqual([`UUID=${env['FS_UUID']} / ext4 defaults 0 1`]);
  expect(await readdir(root)).not.toContain('lost+found');
  await sameAsBefore(unpacked, root);
  expect(await bakery.outputOf(build, 'Unpack image web')).toEqual({ stdout: '', stderr: '' });
  await nothingIsLeft();
}

/** Owners, bits, links and capabilities are what they were. */
async function sameAsBefore(unpacked: string, root: string): Promise<void> {
  const [before, after] = await Promise.all([unpacked, root].map(async (folder) => {
    const [hers, also] = await Promise.all(['usr/bin/hers', 'usr/bin/also-hers'].map((path) => stat(join(folder, path))));
    return { mode: hers!.mode & 0o7777, uid: hers!.uid, gid: hers!.gid, links: hers!.nlink, same: hers!.ino === also!.ino, su: (await stat(join(folder, 'usr/bin/su'))).mode & 0o7777, caps: run('chroot', folder, 'getcap', '/usr/bin/tree').trim() };
  }));
  expect(before).toEqual({ mode: 0o6751, uid: 1234, gid: 2345, links: 2, same: true, su: 0o4755, caps: '/usr/bin/tree cap_net_raw=ep' });
  expect(after).toEqual(before);
}

/** The plan of a template on a copy of the system that was just unpacked, instead of installing one. */
function onACopy(root: string, template: ImageTemplate): unknown {
  const plan = planAs('oci', template);
  return { ...plan, steps: plan.steps.map((step) => (step.id === 'base' ? { ...step, run: 'cp -a "$FROM" root && : >bake/acquire.conf', env: { FROM: root } } : step)) };
}

async function aBuildThatIsAborted(root: string): Promise<void> {
  const template = read('name: aborted\nos: { name: debian, version: 12 }\ncommands:\n  - { name: Wait, run: "setsid sleep 36017 & touch /waits; sleep 36017" }\ntargets: { oci: { host: { pool: images } } }\n');
  await bakery.fleet.applyPlan(JSON.stringify(onACopy(root, template)));
  const build = await bakery.fleet.build('aborted');
  const copies = join(bakery.fleet.home, 'builder', 'copies');
  await eventually(async () => expect(await Promise.all((await readdir(copies)).map((copy) => readdir(join(copies, copy, 'root'))))).toEqual([expect.arrayContaining(['waits'])]), { timeoutMs: LONG, everyMs: 200 });
  await bakery.fleet.command('build-orchestrator', 'AbortBuild', { build });
  expect((await bakery.fleet.ended(build, { timeoutMs: LONG })).data.status).toBe('aborted');
  expect(run('ps', '-eo', 'args').split('\n').filter((line) => line.includes('sleep 36017'))).toEqual([]);
  await nothingIsLeft();
}

async function aCommandThatFails(root: string): Promise<void> {
  const template = read(`name: bad\nos: { name: debian, version: 12 }\ncommands:\n  - { name: Break it, run: "echo so it is >&2; exit 7" }\n  - { name: Never, run: "true" }\ntargets: { oci: { host: { pool: images } } }\n`);
  const { build, status } = await bakery.baked('bad', onACopy(root, template));
  expect(status).toBe('failed');
  expect((await bakery.eventsOf(build)).find((event) => event.type === 'BuildFailed')).toEqual({ type: 'BuildFailed', data: { error: 'step Break it failed: exit code 7', failure: { step: 'Break it', command: 'sh bake/bake.sh command', exitCode: 7, tail: 'so it is' } } });
  await nothingIsLeft();
}

/** The parts that work on a host, on a system that is no loss: the one that was just unpacked. */
async function partsOfAHost(root: string): Promise<void> {
  const template = read('name: ami\nos: { name: debian, version: 12 }\nfiles:\n  - { path: /etc/baked, content: "yes" }\ncommands:\n  - { name: Look, run: "cat /etc/baked > /etc/looked" }\n  - { name: Fail, run: "exit 3" }\ntargets: { ec2: { host: {}, account: a } }\n');
  const { steps, env } = JSON.parse(targets.ec2.plan({ image: 'ami', revision: 1, template, plan: 'ami' }).source) as { env: Record<string, string>; steps: { id: string; run?: string; env?: Record<string, string>; with?: { path: string; content: string } }[] };
  const work = join(root, 'srv/copies/one');
  for (const { with: put } of steps) {
    if (put?.content === undefined) continue;
    await mkdir(join(work, put.path, '..'), { recursive: true });
    await writeFile(join(work, put.path), put.content);
  }
  // The system has no systemd, and none runs in a folder: what would be asked of it is written down.
  await writeFile(join(root, 'usr/bin/systemctl'), '#!/bin/sh\necho "$@" >>/asked\n', { mode: 0o755 });
  await mkdir(join(root, 'root/.ssh'), { recursive: true });
  await mkdir(join(root, 'etc/ssh'), { recursive: true });
  await writeFile(join(root, 'root/.ssh/authorized_keys'), 'ssh-ed25519 AAAA berth\n');
  await writeFile(join(root, 'etc/ssh/ssh_host_ed25519_key'), 'key');
  await writeFile(join(root, 'etc/machine-id'), '0123456789abcdef0123456789abcdef\n');
  const inIt = (script: string, more: Record<string, string> = {}) =>
    spawnSync('unshare', ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', 'sh', '-c', 'mount -t proc proc "$1/proc" && mount --bind /dev "$1/dev" && exec chroot "$1" sh -c "cd /srv/copies/one && $2"', 'sh', root, script], { encoding: 'utf8', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...env, ...more } });
  const ended = steps.filter(({ run: script }) => script?.startsWith('sh bake/')).map(({ id, run: script, env: own }) => [id, inIt(script!, own).status]);
  expect(ended).toEqual([['files', 0], ['command-1', 0], ['command-2', 3], ['lock', 0], ['sbom', 0], ['ready', 0]]);
  expect(await readFile(join(root, 'etc/looked'), 'utf8')).toBe('yes');
  expect(packagesOf(readSpdx(await readFile(join(work, 'out/sbom.spdx.json'), 'utf8')))).toEqual(installed(await readFile(join(root, 'var/lib/dpkg/status'), 'utf8')));
  expect(await readFile(join(root, 'etc/machine-id'), 'utf8')).toBe('');
  expect(await readFile(join(root, 'asked'), 'utf8')).toContain('enable berth-first-start.service');
  expect(await readdir(work)).toEqual(['out']);
  // Until it is an image, who could log in still can.
  expect(await readFile(join(root, 'root/.ssh/authorized_keys'), 'utf8')).toContain('berth');
  expect(await readFile(join(root, 'etc/ssh/ssh_host_ed25519_key'), 'utf8')).toBe('key');
  const first = () => inIt('cd / && sh /usr/local/lib/berth/first-start');
  // Started again on the host itself, which has no number of its hardware here, it changes nothing.
  await writeFile(join(root, 'usr/local/lib/berth/made-on'), '-\n');
  expect(first()).toMatchObject({ status: 0, stderr: '' });
  expect(await readFile(join(root, 'root/.ssh/authorized_keys'), 'utf8')).toContain('berth');
  // Elsewhere all of that goes.
  await writeFile(join(root, 'usr/bin/ssh-keygen'), '#!/bin/sh\necho new >/etc/ssh/ssh_host_ed25519_key\n', { mode: 0o755 });
  await writeFile(join(root, 'usr/local/lib/berth/made-on'), 'another\n');
  expect(first().stderr).toBe('');
  expect(await readdir(join(root, 'root/.ssh'))).toEqual([]);
  expect(await readFile(join(root, 'etc/ssh/ssh_host_ed25519_key'), 'utf8')).toBe('new\n');
  for (const gone of ['usr/local/lib/berth', 'srv/copies/one']) await expect(readdir(join(root, gone))).rejects.toThrow('ENOENT');
}

describe('what a host lacks', () => {
  const place = async () => {
    const folder = await tempFolder('bake');
    const { steps } = JSON.parse(targets.raw.plan({ image: 'a', revision: 1, template: read('name: a\nos: { name: debian, version: 12 }\n'), plan: 'a' }).source) as { steps: { with?: { path: string; content: string } }[] };
    for (const { with: put } of steps) {
      if (put?.content === undefined) continue;
      await mkdir(join(folder, put.path, '..'), { recursive: true });
      await writeFile(join(folder, put.path), put.content);
    }
    return folder;
  };
  const env = { PATH: process.env['PATH'], NAME: 'a', REVISION: '1', OS: 'debian', SUITE: 'bookworm', ARCH: 'amd64', COMPONENTS: 'main' };
  /** A part, on a system that is one file of so many MiB. */
  const holding = (mib: number, part: string) => `mkdir root && head -c ${mib}M /dev/urandom >root/file && date +%s >bake/epoch && exec sh bake/bake.sh ${part}`;
  const disk = { FS_UUID: randomUUID(), DISK_UUID: randomUUID(), PARTITION_UUID: randomUUID(), PARTITION_TYPE: randomUUID(), BOOT: 'none' };
  const hidden = (...programs: string[]) => `${programs.map((one) => `mount --bind /dev/null "$(command -v ${one})"; `).join('')}exec sh bake/bake.sh base`;
  const without = async (script: string, more: Record<string, string> = {}) => spawnSync('unshare', ['--mount', '--propagation', 'private', 'sh', '-ec', script], { cwd: await place(), encoding: 'utf8', env: { ...env, ...more } });

  test('is said in one sentence', { timeout: LONG }, async () => {
    expect(await without(hidden('mmdebstrap', 'debootstrap'))).toMatchObject({ status: 1, stderr: 'neither mmdebstrap nor debootstrap is on the host: install one with "apt-get install mmdebstrap"\n' });
    expect(await without('exec sh bake/bake.sh base', { ARCH: 'm68k' })).toMatchObject({ status: 1, stderr: expect.stringMatching(/^the host is \w+ and the image is to be m68k: lease a host of that architecture\n$/) as string });
    expect(await without('chmod -R a+rX "$PWD/.." && exec setpriv --reuid=65534 --regid=65534 --clear-groups sh bake/bake.sh base')).toMatchObject({ status: 1, stderr: 'building an image needs root: lease a host that Berth logs in to as root\n' });
    expect(await without(holding(20, 'disk'), { ...disk, SIZE: '16' })).toMatchObject({ status: 1, stderr: 'what the image holds (21 MiB) does not fit on its disk of 16 MiB: set targets.raw.size\n' });
    expect(await without(holding(20, 'disk'), { ...disk, SIZE: '64' })).toMatchObject({ status: 0, stderr: '' });
    expect(await without('exec setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin sh bake/bake.sh base')).toMatchObject({ status: 1, stderr: 'this host does not let root make namespaces, which images are built in: lease a host that is no container\n' });
  });
});

test('a small file, or a failure that was asked for', { timeout: LONG }, async () => {
  const mock = (outcome: string) => read(`name: mock-${outcome}\nos: { name: debian, version: 12 }\ntargets: { mock: { host: { pool: images }, outcome: ${outcome} } }\n`);
  const good = await bakery.bake('mock', mock('complete'));
  expect(await bakery.textOf((await good.made()).object!)).toBe('image mock-complete, revision 1\n');
  const bad = await bakery.bake('mock', mock('failed'));
  expect(bad.status).toBe('failed');
  await expect(bad.made()).rejects.toThrow('the build has kept no image.mock');
});

test('a host that becomes an image stays until the image is made', { timeout: LONG }, async () => {
  const template = read('name: sealed\nos: { name: debian, version: 12 }\ntargets: { ec2: { host: { pool: images }, account: main } }\n');
  const { source, seal } = targets.ec2.plan({ image: 'sealed', revision: 1, template, plan: 'sealed' });
  // This machine is no host to make an image of: what is waited for is.
  const plan = JSON.parse(source) as { steps: { id: string; uses?: string; run?: string }[] };
  await bakery.fleet.applyPlan(JSON.stringify({ ...plan, steps: plan.steps.filter(({ uses }) => uses === undefined || uses === 'wait-for-message').map((step) => (step.run === undefined ? step : { ...step, run: ':' })) }));
  const build = await bakery.fleet.build('sealed');
  await eventually(async () => expect((await bakery.eventsOf(build)).some((event) => event.type === 'StepStarted' && event.data.name === 'Make an image of the host')).toBe(true), { timeoutMs: 60_000, everyMs: 100 });
  expect((await bakery.eventsOf(build)).map(({ type }) => type)).not.toContain('BuildHostReleased');
  await bakery.fleet.command('build-orchestrator', 'SendBuildMessage', { build, step: seal!, type: 'pass' });
  expect((await bakery.fleet.ended(build)).data.status).toBe('passed');
  const outcomes = (await bakery.eventsOf(build)).flatMap((event) => (event.type === 'StepFinished' ? [event.data.outcome] : []));
  expect(outcomes.slice(-2)).toEqual(['passed', 'skipped']);
});

test.each(Object.keys(targets) as (keyof typeof targets)[])('%s: the plan of every template is accepted', { timeout: LONG }, async (kind) => {
  await fc.assert(
    fc.asyncProperty(anyTemplate, async (template) => {
      if (targets[kind].faults(template).length > 0) return;
      const { source, steps } = targets[kind].plan({ image: template.name, revision: 1, template, plan: `p-${kind}` });
      const answer = await bakery.fleet.command('build-orchestrator', 'ValidatePlan', { source });
      expect(answer.data).toEqual({ name: `p-${kind}`, steps: steps.map(({ id, activity }) => ({ id, name: activity })) });
    }),
    { numRuns: 150 },
  );
});
