import { describe, expect, test } from 'vitest';
import { readTemplate } from './read.js';

const yaml = `name: web
os: { name: debian, version: 12 }
packages: [nginx, g++]
repositories:
  - { name: own, url: "http://packages.example/debian", suite: bookworm, components: [main, extra] }
files:
  - path: /etc/motd
    content: |
      welcome
commands:
  - { name: Enable, run: systemctl enable nginx }
targets: { raw: { size: 4GiB }, oci: {} }
`;
const tdl = `<?xml version="1.0" encoding="UTF-8"?>
<template version="1.0">
  <name>web</name>
  <os>
    <name>Debian</name>
    <version>12</version>
    <arch>x86_64</arch>
    <install type="url">
      <url>http://mirror.example/debian</url>
    </install>
  </os>
  <description>A web server &amp; more</description>
  <disk><size>10 G</size></disk>
  <packages><package name="nginx"/><package name="curl"></package></packages>
  <repositories>
    <repository name="own"><url>http://packages.example/debian</url><signed>No</signed><persisted>yes</persisted></repository>
  </repositories>
  <files>
    <file name="/etc/motd">
      welcome
    </file>
    <file name="/etc/b" type="base64">aMOk
aGE=</file>
  </files>
  <commands>
    <command name="second" position="2"><![CDATA[a < b && c]]></command>
    <command name="first" position="1" type="base64">dHJ1ZQ==</command>
  </commands>
</template>
`;

/** The template, or the errors as `field | message`. */
function read(text: string) {
  const result = readTemplate(text);
  return 'errors' in result ? result.errors.map(({ field, message }) => `${field} | ${message}`) : result.template;
}
/** A TDL with something in place of a part. */
const changed = (part: string, by: string) => {
  expect(tdl).toContain(part);
  return tdl.replace(part, by);
};

describe('YAML', () => {
  test('is read, with what is absent by its default', () => {
    expect(readTemplate(`\uFEFF${yaml}`)).toEqual({
      format: 'yaml',
      template: {
        name: 'web', description: '', os: { name: 'debian', version: '12', arch: 'x86_64' }, packages: ['nginx', 'g++'],
        repositories: [{ name: 'own', url: 'http://packages.example/debian', suite: 'bookworm', components: ['main', 'extra'], trusted: false }],
        files: [{ path: '/etc/motd', content: 'welcome\n', mode: '644' }],
        commands: [{ name: 'Enable', run: 'systemctl enable nginx' }],
        targets: { raw: { host: {}, size: '4GiB' }, oci: { host: {} } },
      },
    });
  });
  test('a version that looks like a number is what is written', () => expect(read('name: a\nos: { name: ubuntu, version: 22.10 }\n')).toMatchObject({ os: { version: '22.10' } }));
  test('JSON is YAML', () => expect(read('{"name": "a", "os": {"name": "debian", "version": "bookworm"}}')).toMatchObject({ name: 'a' }));
  test('all that is wrong is told at once, each with its place and the way out', () => {
    expect(read('name: a b\nos:\n  name: Debian\n  version: "12 "\n  arch: i386\npakages: []\nfiles:\n  - { path: etc/motd }\n')).toEqual([
      'name | line 1, column 7: use 1 to 63 letters, digits, "-" or "_", starting with a letter or digit',
      'os.name | line 3, column 9: use a name such as debian',
      'os.version | line 4, column 12: use a version such as 12 or bookworm',
      'os.arch | line 5, column 9: must be x86_64 or aarch64',
      'files[0].path | line 8, column 13: use an absolute path without ".."',
      'files[0].content | line 8, column 5: is required',
      'pakages | line 6, column 1: unknown key "pakages": did you mean "packages"?',
    ]);
  });
  test.each([
    ['nothing', '# later\n', ['data.source | line 1, column 1: a template is a mapping that begins with `name:` and has `os:`']],
    ['a list', '- a\n', ['data.source | line 1, column 1: a template is a mapping that begins with `name:` and has `os:`']],
    ['a file twice', yaml.replace('commands:', '  - { path: /etc/motd, content: "" }\ncommands:'), ['files[1].path | line 10, column 13: a file of this path stands there twice: remove one']],
    ['a NUL', yaml.replace('run: systemctl enable nginx', 'run: "\\0"'), ['commands[0].run | line 11, column 26: has a NUL: remove it']],
    ['half a character', yaml.replace('run: systemctl enable nginx', 'run: "\\uD800"'), ['commands[0].run | line 11, column 26: has half a character of Unicode: write the whole one']],
    ['a login in a URL', yaml.replace('http://', 'http://me:secret@'), ['repositories[0].url | line 5, column 23: has a login in it, and a template is no place for secrets: use a mirror that asks for none']],
  ])('%s', (_what, text, errors) => expect(read(text)).toEqual(errors));
  test('what is wrong for what it is built as has its place too', () => {
    expect(readTemplate(yaml, () => [{ field: 'targets.raw.size', message: 'x' }, { field: 'packages[1]', message: 'y' }, { field: 'targets.ec2', message: 'z' }])).toEqual({
      errors: [{ field: 'targets.raw.size', message: 'line 12, column 25: x' }, { field: 'packages[1]', message: 'line 3, column 19: y' }, { field: 'targets.ec2', message: 'line 12, column 1: z' }],
    });
  });
});

describe('TDL', () => {
  test('is read in the words of templates', () => {
    expect(readTemplate(`\n\n${tdl}`)).toEqual({
      format: 'tdl',
      template: {
        name: 'web', description: 'A web server & more', os: { name: 'debian', version: '12', arch: 'x86_64', install: { url: 'http://mirror.example/debian' } }, packages: ['nginx', 'curl'],
        repositories: [{ name: 'own', url: 'http://packages.example/debian', components: ['main'], trusted: true }],
        files: [{ path: '/etc/motd', content: 'welcome', mode: '644' }, { path: '/etc/b', content: 'häha', mode: '644' }],
        commands: [{ name: 'first', run: 'true' }, { name: 'second', run: 'a < b && c' }],
        targets: { raw: { host: {}, size: '10GiB' } },
      },
    });
  });
  test('the smallest there is', () => {
    expect(read('<template><name>a</name><os><name>Fedora</name><version>40</version></os></template>')).toMatchObject({ name: 'a', os: { name: 'fedora', version: '40', arch: 'x86_64' }, targets: {} });
  });
  test('all that is wrong is told at once, with its place', () => {
    const text = tdl
      .replace('<arch>x86_64</arch>', '<arch>i386</arch><rootpw>s3cret</rootpw><rotpw/>')
      .replace('<name>web</name>', '<name>a b</name><colour/>')
      .replace(/<install[\s\S]*<\/install>/, '<install type="iso"><iso>http://x/y.iso</iso></install>')
      .replace('<persisted>yes', '<persisted>no')
      .replace('10 G', 'big')
      .replace('name="nginx"', 'nam="nginx"')
      .replace('type="base64">dHJ1ZQ==', 'type="url">http://x/y');
    expect(read(text)).toEqual([
      'colour | line 3, column 19: unknown element <colour>: the elements here are name, description, os, disk, packages, repositories, files, commands, precommands',
      'os.arch | line 7, column 5: is "i386": images are built for x86_64 and aarch64',
      'os.rootpw | line 7, column 22: a password must not stand in a template: remove it, keep it in the store of secrets, and name that secret as os.rootPassword of a template in YAML',
      'os.rotpw | line 7, column 45: unknown element <rotpw>: did you mean <rootpw>?',
      'os.install | line 8, column 5: ISO images are not installed from: images are installed from a mirror of packages: use type="url" with its <url>, or leave <install> out for the mirror of the host',
      'targets.raw.size | line 11, column 9: is "big": use a size such as 10G or 1T',
      'nam | line 12, column 13: unknown attribute "nam" of <package>: there are name',
      'packages[0] | line 12, column 13: <package> needs the attribute "name"',
      'repositories[0].persisted | line 14, column 88: repositories stay in the image: remove this, and take the repository away by a command at the end',
      'commands[1].run | line 25, column 5: has the type "url": use raw or base64, and fetch what a URL has by a command',
      'name | line 3, column 3: use 1 to 63 letters, digits, "-" or "_", starting with a letter or digit',
    ]);
  });
  test('a password is in no message', () => expect(JSON.stringify(read(changed('<arch>', '<rootpw>s3cret</rootpw><arch>')))).not.toContain('s3cret'));
  test.each<[string, string, string]>([
    ['what is missing', changed('<version>12</version>', ''), 'os.version | line 4, column 3: is required'],
    ['a version of TDL that is not known', changed('version="1.0">', 'version="2.0">'), 'version | line 2, column 1: is "2.0": version 1.0 of TDL is read'],
    ['another root', '<domain/>', 'data.source | line 1, column 1: is <domain>: a template in TDL begins with <template>'],
    ['an element twice', changed('</packages>', '</packages><packages/>'), 'packages | line 14, column 78: <packages> stands there twice: remove one'],
    ['text between elements', changed('<os>', '<os>debian'), 'os | line 4, column 3: has text where only elements may stand: "debian"'],
    ['elements in a text', changed('welcome', '<b>welcome</b>'), 'files[0].content | line 20, column 7: <b> stands where only text may: write "<" as &lt; or put the text into <![CDATA[ … ]]>'],
    ['a name of another kind', changed('<version>12<', '<version>a b<'), 'os.version | line 6, column 5: use a version such as 12 or bookworm'],
    ['base64 that is none', changed('dHJ1ZQ==', 'dHJ1ZQ*'), 'commands[1].run | line 27, column 5: is not base64'],
    ['bytes that are no text', changed('dHJ1ZQ==', '/w=='), 'commands[1].run | line 27, column 5: is no text in UTF-8: files of other bytes come as a package, or are fetched by a command'],
    ['positions that leave one out', changed('position="2"', 'position="3"'), 'commands | line 25, column 3: have positions that do not count from 1 to 2: give each command one of its own, or none any'],
    ['a command of nothing', changed('dHJ1ZQ==', ''), 'commands[0].run | line 27, column 5: must have at least 1 characters'],
    ['a certificate', changed('<signed>No</signed>', '<clientcert>x</clientcert>'), 'repositories[0].clientcert | line 16, column 69: certificates of clients are not kept in templates: use a mirror that asks for none'],
    ['another protocol', changed('http://mirror', 'ftp://mirror'), 'os.install.url | line 9, column 7: must be an http or https URL'],
    ['a package of no name', changed('name="curl"', 'name="-o APT::x"'), 'packages[1] | line 14, column 36: use the name of a package'],
  ])('%s', (_what, text, error) => expect(read(text)).toEqual([error]));
});

/** Nothing of this may take long, or end the process, or be taken for a template. */
describe('texts that are meant to hurt', () => {
  const laughs = `<?xml version="1.0"?>\n<!DOCTYPE lolz [<!ENTITY a "ha">${Array.from({ length: 9 }, (_, i) => `<!ENTITY a${i} "${'&a;'.repeat(10)}">`).join('')}]>\n<template><name>&a8;</name></template>`;
  test.each([
    ['entities that multiply', laughs, 'data.source | line 2', 'has a DOCTYPE'],
    ['an entity of a file', '<!DOCTYPE t SYSTEM "file:///etc/passwd"><template/>', 'data.source | line 1', 'has a DOCTYPE'],
    ['an entity that nobody declared', '<template><name>&xxe;</name></template>', 'data.source | line 1', 'uses an entity that XML does not have'],
    ['elements in elements', '<template>'.repeat(50_000), 'data.source | line 1', 'is nested too deeply: at most 20 elements'],
    ['elements without end', `<template>${'<a/>'.repeat(100_000)}</template>`, 'data.source | line 1', 'has too many elements to be a template'],
    ['many wrong elements', `<template>${'<a/>'.repeat(10_000)}</template>`, 'a | line 1', 'unknown element <a>'],
    ['an element that is not closed', '<template>\n<os>', 'data.source | line 2', 'ends inside <os>: close it'],
    ['a name of a megabyte', `name: ${'x'.repeat(2 ** 20)}\n`, 'data.source', 'is too long'],
    ['a name of half a megabyte', `name: ${'x'.repeat(2 ** 19 - 100)}\nos: { name: a, version: b }\n`, 'name | line 1, column 7', 'use 1 to 63 letters'],
    ['an element named by half a megabyte', `<template><${'x'.repeat(2 ** 19 - 100)}/></template>`, '', 'unknown element <xxx'],
    ['brackets', '['.repeat(200_000), 'data.source | line 1', 'at most 50 brackets may be open'],
    ['aliases that multiply', `a: &a [x,x]\n${Array.from({ length: 9 }, (_, i) => `b${i}: &b${i} [${Array.from({ length: 9 }, () => `*${i ? `b${i - 1}` : 'a'}`).join()}]\n`).join('')}`, 'data.source', 'its aliases repeat too much'],
    ['a NUL', 'name: a\nos: \0\n', 'data.source | line 2, column 5', 'has a NUL: remove it, and save it as UTF-8'],
    ['UTF-16 that was read as UTF-8', Buffer.from(yaml, 'utf16le').toString('utf8'), 'data.source | line 1, column 2', 'has a NUL'],
    ['Latin-1 that was read as UTF-8', Buffer.from('description: é', 'latin1').toString('utf8'), 'data.source | line 1, column 14', 'has bytes that are no UTF-8: save it as UTF-8'],
    ['half a character', 'name: \uD800', 'data.source | line 1, column 7', 'has half a character'],
    ['a character that XML has not', changed('welcome', '\x1b[31m'), 'data.source | line 20', 'has a character here that XML does not allow'],
    ['a reference to a NUL', changed('welcome', '&#0;'), 'data.source | line 20', 'XML'],
  ])('%s', (_what, text, begins, message) => {
    const [first] = read(text) as string[];
    expect(first!.slice(0, begins.length)).toBe(begins);
    expect(first).toContain(message);
    expect(JSON.stringify(read(text)).length).toBeLessThan(40_000);
  });
});
