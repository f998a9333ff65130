import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SBOM } from './sbom-text.js';
import { packagesOf, readSpdx } from './spdx.testing.js';

/** The document of some lines, by the awk of this machine. */
function documentOf(lines: string, env: Record<string, string> = {}): string {
  const { stdout, stderr, status } = spawnSync('awk', [SBOM], { input: lines, encoding: 'utf8', env: { PATH: process.env['PATH'], LC_ALL: 'C', NAME: 'web', REVISION: '3', OS: 'debian', BERTH_BUILD_ID: 'b', BERTH_BUILD_GENERATION: '1', ...env } });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}
const line = (...parts: string[]) => `${parts.join('\t')}\n`;

test('packages become a document of SPDX 2.3', () => {
  const document = readSpdx(documentOf(line('deb', 'libstdc++6', '12.2.0-14+deb12u1', 'amd64', 'ii ') + line('deb', 'zlib1g', '1:1.2.13~dfsg-1', 'amd64', 'hi ') + line('deb', 'gone', '1', 'all', 'rc ') + line('deb', 'half', '1', 'all', 'iU ')));
  expect(document.name).toBe('web');
  expect(document.documentNamespace).toBe('https://spdx.org/spdxdocs/web-b-1');
  expect(packagesOf(document)).toEqual(['libstdc++6 12.2.0-14+deb12u1', 'zlib1g 1:1.2.13~dfsg-1']);
  expect(document.packages.flatMap(({ externalRefs = [] }) => externalRefs.map(({ referenceLocator }) => referenceLocator))).toEqual(['pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64', 'pkg:deb/debian/zlib1g@1:1.2.13~dfsg-1?arch=amd64']);
  expect(document.packages[0]).toMatchObject({ SPDXID: 'SPDXRef-Image', name: 'web', versionInfo: '3' });
  expect(document.relationships.map(({ relationshipType }) => relationshipType)).toEqual(['DESCRIBES', 'CONTAINS', 'CONTAINS']);
});

test('a system without packages has a document too', () => expect(packagesOf(readSpdx(documentOf('')))).toEqual([]));

test('each build has a document of its own', () => {
  const of = (env: Record<string, string>) => readSpdx(documentOf('', env)).documentNamespace;
  expect(new Set([of({}), of({ BERTH_BUILD_GENERATION: '2' }), of({ BERTH_BUILD_ID: 'c' }), of({ BERTH_BUILD_ID: '' }), of({ BERTH_BUILD_ID: '' })]).size).toBe(5);
});

test('names and versions stay what they are, whatever is in them', () => {
  const any = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).map((text) => text.replaceAll(/[\0\t\n]/g, '')).filter((text) => text !== '');
  const nasty = fc.oneof(any, fc.array(fc.constantFrom('"', '\\', '\\u0041', '\x01', '\x1f', '\x7f', '%', '%s', '%n', '&', '\r', 'é', '\u{1F600}', '@', '?', '#', '/', '$0', ' '), { minLength: 1 }).map((parts) => parts.join('')));
  fc.assert(
    fc.property(fc.array(fc.tuple(nasty, nasty), { maxLength: 20 }), nasty, (all, name) => {
      const document = readSpdx(documentOf(all.map(([one, version]) => line('deb', one, version, 'all', 'ii ')).join(''), { NAME: name }));
      expect(document.name).toBe(name);
      expect(packagesOf(document)).toEqual(all.map(([one, version]) => `${one} ${version}`).sort());
      for (const [i, [one]] of all.entries()) expect(decodeURIComponent(document.packages[i + 1]!.externalRefs![0]!.referenceLocator)).toContain(`/${one}@`);
    }),
    { numRuns: 60 },
  );
});
