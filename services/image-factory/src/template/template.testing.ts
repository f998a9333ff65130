import fc from 'fast-check';
import { imageTemplate, type ImageTemplate } from '@berth/contracts';
import { templateFaults } from './faults.js';

const of = (pattern: RegExp) => fc.stringMatching(pattern);
const name = of(/^[A-Za-z0-9][A-Za-z0-9_-]{0,20}$/);
/** Text with all that shells, YAML, XML, JSON and plans find something in. */
const nasty = fc.array(fc.oneof(fc.constantFrom('${{', '}}', '${{ vars.x }}', '$(id)', '`id`', '"', "'", '\\', '\n', ' ', '\t', '%s', '\r\n', 'é', '\u{1F600}', '<', '&', ']]>', '#', '--', '\u2028', '\x07'), fc.string({ maxLength: 8 })), { maxLength: 12 }).map((parts) => parts.join(''));
const nastyLine = (most: number) => nasty.map((text) => text.replaceAll(/[\0\r\n]/g, '').slice(0, most)).filter((text) => text !== '');
const url = fc.tuple(fc.constantFrom('http', 'https'), of(/^[a-z]{1,8}\.example$/), of(/^(\/[A-Za-z0-9._~%$'"()[\] -]{0,8}){0,3}$/)).map(([scheme, host, path]) => `${scheme}://${host}${path}`).filter((text) => URL.canParse(text) && text.trim() === text);
const mode = of(/^0?[0-7]{3}$/);
const version = fc.oneof(fc.constantFrom('12', '11', 'bookworm', 'trixie', '12.5'), of(/^[A-Za-z0-9][A-Za-z0-9._-]{0,10}$/));
const host = fc.dictionary(of(/^[a-z][a-z0-9]{0,5}$/), of(/^[a-z0-9]{1,6}$/), { maxKeys: 2 });

/** Templates of every shape that the contract takes and {@link templateFaults} finds nothing wrong with, as they are once read. */
export const anyTemplate: fc.Arbitrary<ImageTemplate> = fc
  .record(
    {
      name,
      description: nasty,
      os: fc.record({ name: fc.oneof(fc.constantFrom('debian', 'ubuntu'), of(/^[a-z0-9][a-z0-9._-]{0,10}$/)), version, arch: fc.constantFrom('x86_64', 'aarch64'), install: fc.record({ url }), rootPassword: of(/^[A-Za-z0-9][A-Za-z0-9._-]{0,10}$/) }, { requiredKeys: ['name', 'version'] }),
      packages: fc.array(of(/^[A-Za-z0-9][A-Za-z0-9.+:_@-]{0,20}$/), { maxLength: 6 }),
      repositories: fc.array(fc.record({ name, url, suite: of(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,10}$/), components: fc.array(of(/^[A-Za-z0-9][A-Za-z0-9._-]{0,6}$/), { maxLength: 3 }), trusted: fc.boolean() }, { requiredKeys: ['name', 'url', 'trusted'] }), { maxLength: 3 }),
      files: fc.array(fc.record({ path: nastyLine(60).map((text) => `/${text}`), content: nasty, mode }, { requiredKeys: ['path', 'content'] }), { maxLength: 4 }),
      commands: fc.array(fc.record({ name: nastyLine(100), run: nasty.filter((text) => text !== '') }), { maxLength: 4 }),
      parent: fc.record({ image: name }),
      targets: fc.record({ raw: fc.record({ host, size: of(/^[1-9]\d{0,3}(MiB|GiB)$/), boot: fc.constantFrom('uefi', 'none') }, { requiredKeys: ['host', 'size'] }), oci: fc.record({ host }), ec2: fc.record({ host, account: name }), mock: fc.record({ host, outcome: fc.constantFrom('complete', 'failed') }) }, { requiredKeys: [] }),
    },
    { requiredKeys: ['name', 'os'] },
  )
  .map((input) => imageTemplate.safeParse(input))
  .filter((parsed) => parsed.success && templateFaults(parsed.data).length === 0)
  .map((parsed) => parsed.data!);

const escaped = (text: string): string => text.replaceAll(/[<>&"\r\n\t]/g, (char) => `&#${char.charCodeAt(0)};`);
const packed = (text: string): string => Buffer.from(text).toString('base64');

/** The same as TDL, as far as TDL can say it. */
export const tdlOf = ({ name: own, description, os, packages, repositories, files, commands }: ImageTemplate): string => `<template>
  <name>${own}</name><description>${escaped(description)}</description>
  <os><name>${os.name}</name><version>${os.version}</version><arch>${os.arch}</arch>${os.install ? `<install type="url"><url>${escaped(os.install.url)}</url></install>` : ''}</os>
  <packages>${packages.map((one) => `<package name="${one}"/>`).join('')}</packages>
  <repositories>${repositories.map((one) => `<repository name="${one.name}"><url>${escaped(one.url)}</url><signed>${one.trusted ? 'no' : 'yes'}</signed></repository>`).join('')}</repositories>
  <files>${files.map((one) => `<file name="${escaped(one.path)}" type="base64">${packed(one.content)}</file>`).join('\n')}</files>
  <commands>${commands.map((one) => `<command name="${escaped(one.name)}" type="base64">${packed(one.run)}</command>`).join('\n')}</commands>
</template>`;
