import { describe, expect, test } from 'vitest';
import { imageTemplate, type ImageTemplate, type KeptFile } from '@berth/contracts';
import { readTemplate } from '../template/read.js';
import { targets } from './index.js';
import { literal } from './plan.js';
import type { Building } from './target.js';

const template = (more: Record<string, unknown> = {}): ImageTemplate => imageTemplate.parse({ name: 'web', os: { name: 'debian', version: '12' }, ...more });
const building = (more: Record<string, unknown> = {}): Building => ({ image: 'web', revision: 3, template: template(more), plan: 'image-web-3' });
interface Step {
  id: string;
  name: string;
  run?: string;
  env?: Record<string, string>;
  secrets?: string[];
  uses?: string;
  with?: Record<string, string>;
}
interface Written {
  name: string;
  host: Record<string, string>;
  env: Record<string, string>;
  secrets?: Record<string, string>;
  steps: Step[];
}
const written = (kind: keyof typeof targets, more?: Record<string, unknown>) => JSON.parse(targets[kind].plan(building(more)).source) as Written;
const stepsOf = (kind: keyof typeof targets, more?: Record<string, unknown>) => written(kind, more).steps.filter(({ uses }) => uses !== 'put-file').map(({ id }) => id);
const fileOf = (plan: Written, path: string) => plan.steps.find((step) => step.with?.['path'] === path)?.with?.['content'];
const full = {
  os: { name: 'debian', version: '12', install: { url: 'http://mirror.example/a b?x=${{' }, rootPassword: 'root-web' },
  packages: ['nginx', 'g++'],
  repositories: [{ name: 'own', url: 'https://packages.example/deb ian\n', components: ['main', 'extra'], trusted: true }],
  files: [{ path: '/etc/a b', content: '${{ vars.x }} $(id)\n', mode: '0600' }],
  commands: [{ name: 'Say ${{', run: 'echo "$(id)" ${{ vars.x }}' }, { name: 'Twice', run: 'true' }],
  targets: { ec2: { host: { pool: 'base' }, account: 'main' } },
};

test('what a plan does, by target', () => {
  expect(stepsOf('raw')).toEqual(['base', 'boot', 'lock', 'sbom', 'keep-sbom', 'clean', 'disk', 'keep-image']);
  expect(stepsOf('raw', { targets: { raw: { boot: 'none' } } })).toEqual(['base', 'lock', 'sbom', 'keep-sbom', 'clean', 'disk', 'keep-image']);
  expect(stepsOf('raw', full)).toEqual(['base', 'packages', 'boot', 'files', 'command-1', 'command-2', 'password', 'sbom', 'keep-sbom', 'clean', 'disk', 'keep-image']);
  expect(stepsOf('oci', full)).toEqual(['base', 'packages', 'files', 'command-1', 'command-2', 'password', 'sbom', 'keep-sbom', 'clean', 'oci', 'keep-image']);
  expect(stepsOf('ec2', full)).toEqual(['packages', 'files', 'command-1', 'command-2', 'password', 'sbom', 'keep-sbom', 'ready', 'seal', 'keep-host']);
  expect(stepsOf('mock', full)).toEqual(['bake', 'keep-image']);
  expect(targets.ec2.plan(building(full)).seal).toBe('seal');
});

test('of a parent the root filesystem is got and unpacked, and the build is told which', () => {
  const parent = { parent: { image: 'base' } };
  for (const kind of ['raw', 'oci'] as const) {
    expect(stepsOf(kind, parent)).toEqual(['parent', 'base', ...stepsOf(kind).slice(1)]);
    const plan = written(kind, parent) as Written & { variables?: unknown };
    expect(plan.variables).toEqual({ PARENT_BUILD: { required: true }, PARENT_FILE: { required: true } });
    expect(plan.steps.find(({ id }) => id === 'parent')).toMatchObject({ name: 'Get image base', uses: 'download-artifact', with: { name: '${{ vars.PARENT_FILE }}', build: '${{ vars.PARENT_BUILD }}', path: 'bake/parent' } });
    expect(written(kind)).not.toHaveProperty('variables');
  }
  for (const kind of ['ec2', 'mock'] as const) expect(stepsOf(kind, { ...full, ...parent })).toEqual(stepsOf(kind, full));
});

test('the same template gives the same text, and another revision another disk', () => {
  for (const target of Object.values(targets)) expect(target.plan(building(full))).toEqual(target.plan(building(full)));
  const disk = (revision: number) => (JSON.parse(targets.raw.plan({ ...building(), revision }).source) as Written).env['DISK_UUID'];
  expect(disk(1)).not.toBe(disk(2));
});

test('every step has its share, and its words', () => {
  for (const target of Object.values(targets)) {
    const { source, steps } = target.plan(building(full));
    expect(steps.map(({ id, activity }) => [id, activity])).toEqual((JSON.parse(source) as Written).steps.map(({ id, name }) => [id, name.replace(literal('${{'), '${{')]));
    expect(steps.reduce((sum, { weight }) => sum + weight, 0)).toBeGreaterThan(0);
  }
});

describe('values', () => {
  const plan = written('raw', full);
  test('go as files and as variables, as they are', () => {
    expect(fileOf(plan, 'bake/in/packages-1')).toBe('nginx\ng++\n');
    expect(fileOf(plan, 'bake/in/files')).toBe('0600 /etc/a b\n');
    expect(fileOf(plan, 'bake/in/file-1')).toBe("${{ '${{' }} vars.x }} $(id)\n");
    expect(plan.steps.find(({ id }) => id === 'command-1')).toMatchObject({ name: "Say ${{ '${{' }}", run: 'sh bake/bake.sh command', env: { COMMAND: `echo "$(id)" ${literal('${{')} vars.x }}` } });
    expect(plan.secrets).toEqual({ ROOT_PASSWORD: 'root-web' });
    expect(plan.steps.filter(({ secrets }) => secrets).map(({ id }) => id)).toEqual(['password']);
  });
  test('URLs are one word, whatever they were written like', () => {
    expect(plan.env['MIRROR']).toBe(`http://mirror.example/a%20b?x=${literal('${{')}`);
    expect(fileOf(plan, 'bake/in/berth-own.sources')).toBe('Types: deb\nURIs: https://packages.example/deb%20ian\nSuites: bookworm\nComponents: main extra\nTrusted: yes\n');
    expect(fileOf(plan, 'bake/in/berth-own.repo')).toBe('[berth-own]\nname=own\nbaseurl=https://packages.example/deb%20ian\nenabled=1\ngpgcheck=0\n');
  });
  test.each([['debian', '12', 'bookworm'], ['debian', '12.5', 'bookworm'], ['debian', 'sid', 'sid'], ['ubuntu', '24.04', 'noble']])('%s %s is %s', (name, version, suite) => {
    expect(written('raw', { os: { name, version } }).env['SUITE']).toBe(suite);
  });
  test('where it is built is what the template says of it', () => {
    expect(written('raw').host).toEqual({ os: 'linux' });
    expect(written('raw', { targets: { raw: { host: { pool: 'big', os: 'linux' } } } }).host).toEqual({ os: 'linux', pool: 'big' });
    expect(written('mock', { targets: { mock: { host: { os: 'mac' } } } }).host).toEqual({ os: 'mac' });
  });
});

describe('what a disk boots by', () => {
  const disk = (more?: Record<string, unknown>) => written('raw', more).env;
  test('UEFI, unless the template says none: its partition has ids of its own', () => {
    expect(disk()).toMatchObject({ BOOT: 'uefi', ESP_UUID: expect.stringMatching(/^[0-9a-f-]{36}$/) as string, ESP_ID: expect.stringMatching(/^[0-9A-F]{8}$/) as string });
    expect(disk({ targets: { raw: { boot: 'uefi', size: '4GiB' } } })).toEqual({ ...disk(), SIZE: '4096' });
    const { BOOT, ...mounted } = disk({ targets: { raw: { boot: 'none' } } });
    expect(BOOT).toBe('none');
    expect(disk()).toMatchObject(mounted);
    expect(Object.keys(mounted)).not.toContain('ESP_ID');
  });
  test('comes after the packages and before all that may change it', () => {
    const around = (more: Record<string, unknown>) => {
      const steps = stepsOf('raw', more);
      const at = steps.indexOf('boot');
      return steps.slice(at - 1, at + 2);
    };
    expect(around({ packages: ['a'], commands: [{ name: 'a', run: 'true' }] })).toEqual(['packages', 'boot', 'command-1']);
    expect(around({ os: { name: 'debian', version: '12', rootPassword: 'root' } })).toEqual(['base', 'boot', 'password']);
  });
  test('is kept with what was made', () => {
    const artifacts = ['image.raw', 'sbom.spdx.json'].map((name) => ({ name, object: `b/1/${name}`, bytes: 7, sha256: 'x' }));
    expect(targets.raw.made(artifacts, template()).boot).toBe('uefi');
    expect(targets.raw.made(artifacts, template({ targets: { raw: { boot: 'none' } } })).boot).toBe('none');
  });
});

describe('what can not be built', () => {
  test.each<[keyof typeof targets, string, Record<string, unknown>, { field: string; message: string }[]]>([
    ['raw', 'another system', { os: { name: 'fedora', version: '40' } }, [{ field: 'os.name', message: 'a root filesystem is made of debian or ubuntu: name one of them, or build it as ec2 from a host that has it' }]],
    ['oci', 'another version', { os: { name: 'debian', version: '3.1' } }, [{ field: 'os.version', message: 'is not known: use the name that the archives have for it, such as trixie' }]],
    ['raw', 'a disk that holds nothing', { targets: { raw: { size: '64MiB' } } }, [{ field: 'targets.raw.size', message: 'is 64MiB: use 512MiB to 16384GiB' }]],
    ['raw', 'a disk that holds nothing, and boots nothing', { targets: { raw: { size: '64MiB', boot: 'none' } } }, [{ field: 'targets.raw.size', message: 'is 64MiB: use 256MiB to 16384GiB' }]],
    ['ec2', 'a host that nobody named', {}, [{ field: 'targets.ec2', message: 'says nothing of the host that becomes the image: set targets.ec2.host, and targets.ec2.account' }]],
    ['raw', 'a package that would go', { packages: ['a', 'vim-'] }, [{ field: 'packages[1]', message: 'would be removed, which is what "-" at the end says: write the name of a package' }]],
    ['oci', 'a file that is a folder', { files: [{ path: '/etc/', content: '' }] }, [{ field: 'files[0].path', message: 'is a folder: name a file in it' }]],
    ['mock', 'a host by an expression', { targets: { mock: { host: { pool: '${{ x' } } } }, [{ field: 'targets.mock.host.pool', message: 'no expression of a plan can stand here: write the value' }]],
    ['raw', 'a command that is too long', { commands: [{ name: 'a', run: 'é'.repeat(60_000) }] }, [{ field: 'commands[0].run', message: 'takes more than 100 KiB: put it into a file of the template, and run that' }]],
    ['raw', 'a file that is too long once it is written', { files: [{ path: '/a', content: '${{'.repeat(20_000) }] }, [{ field: 'files[0].content', message: expect.stringContaining('is too long with the "${{" in it') as string }]],
    ['raw', 'too much for a plan', { files: Array.from({ length: 5 }, (_, i) => ({ path: `/a${i}`, content: 'x'.repeat(60_000) })) }, [{ field: 'files', message: expect.stringMatching(/^make a plan of \d+ KiB together with the packages and commands, and it may have 240/) as string }]],
    ['mock', 'a NUL', { commands: [{ name: 'a', run: '\0' }] }, [{ field: 'commands[0].run', message: 'has a NUL: remove it' }]],
  ])('%s: %s', (kind, _what, more, faults) => expect(targets[kind].faults(template(more))).toEqual(faults));
  test('is told with its line when the template is read', () => {
    expect(readTemplate('name: a\nos:\n  name: fedora\n  version: 40\n', (read) => targets.raw.faults(read))).toEqual({ errors: [{ field: 'os.name', message: expect.stringMatching(/^line 3, column 9: a root filesystem is made of/) as string }] });
  });
  test('what can be built has no faults', () => {
    for (const target of Object.values(targets)) expect(target.faults(template(full))).toEqual([]);
  });
});

describe('what was made', () => {
  const kept = (name: string, bytes = 7): KeptFile => ({ name, object: `b/1/${name}`, bytes, sha256: 'x' });
  test.each(['raw', 'oci'] as const)('of %s is the file and its list of packages', (kind) => {
    const name = { raw: 'image.raw', oci: 'image.oci.tar' }[kind];
    expect(targets[kind].made([kept('sbom.spdx.json'), kept('else'), kept(name)], template())).toMatchObject({ object: kept(name), sbom: kept('sbom.spdx.json') });
    expect(() => targets[kind].made([kept(name)], template())).toThrow('the build has kept no sbom.spdx.json');
    expect(() => targets[kind].made([kept('sbom.spdx.json'), kept(name, 0)], template())).toThrow(`the build has kept an empty ${name}`);
  });
  test('of a host is the list of its packages, and of a mock its file', () => {
    expect(targets.ec2.made([kept('sbom.spdx.json')], template())).toEqual({ sbom: kept('sbom.spdx.json') });
    expect(targets.mock.made([kept('image.mock')], template())).toEqual({ object: kept('image.mock') });
  });
});
