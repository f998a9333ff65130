import { describe, expect, test } from 'vitest';
import { packagesOf, withWords } from './spdx';

const document = {
  spdxVersion: 'SPDX-2.3',
  packages: [
    { name: 'web', versionInfo: '3', primaryPackagePurpose: 'OPERATING-SYSTEM' },
    { name: 'zlib1g', versionInfo: '1:1.2.13', supplier: 'Person: Mark Brown <b@example.org>', licenseDeclared: 'NOASSERTION', licenseConcluded: 'Zlib', externalRefs: [{ referenceType: 'purl', referenceLocator: 'pkg:deb/debian/zlib1g@1.2.13' }] },
    { name: 'bash', versionInfo: '5.2', supplier: 'NOASSERTION', licenseDeclared: 'GPL-3.0-or-later' },
  ],
};

describe('the packages of a bill of materials', () => {
  test('are told by name, without the image itself and what is not said', () => {
    expect(packagesOf(document)).toEqual([
      { name: 'bash', version: '5.2', license: 'GPL-3.0-or-later', supplier: '', purl: '' },
      { name: 'zlib1g', version: '1:1.2.13', license: 'Zlib', supplier: 'Mark Brown <b@example.org>', purl: 'pkg:deb/debian/zlib1g@1.2.13' },
    ]);
  });

  test('are none in a document that names none', () => expect(packagesOf({})).toEqual([]));

  test.each([['', 2], ['zlib', 1], ['BASH 5.2', 1], ['bash zlib', 0], ['brown', 1]])('%j finds %i', (text, found) => expect(withWords(packagesOf(document), text)).toHaveLength(found));
});
