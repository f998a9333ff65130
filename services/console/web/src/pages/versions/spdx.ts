/** A package of a bill of materials, as a row of a table. */
export interface Pack {
  name: string;
  version: string;
  license: string;
  supplier: string;
  /** the package URL, where it says one */
  purl: string;
}

interface Spdx {
  packages?: readonly {
    name?: string; versionInfo?: string; licenseDeclared?: string; licenseConcluded?: string; supplier?: string; primaryPackagePurpose?: string;
    externalRefs?: readonly { referenceType?: string; referenceLocator?: string }[];
  }[];
}

/** What SPDX says where it says nothing. */
const said = (text: string | undefined): string => (text === undefined || text === 'NOASSERTION' || text === 'NONE' ? '' : text);

/** Pure: the packages of SPDX 2.3 as JSON, by name; without what stands for the image itself. */
export function packagesOf(document: unknown): Pack[] {
  const { packages = [] } = document as Spdx;
  return packages
    .filter(({ primaryPackagePurpose }) => primaryPackagePurpose !== 'OPERATING-SYSTEM' && primaryPackagePurpose !== 'CONTAINER' && primaryPackagePurpose !== 'DEVICE')
    .map(({ name = '', versionInfo, licenseDeclared, licenseConcluded, supplier, externalRefs = [] }) => ({
      name, version: said(versionInfo), license: said(licenseDeclared) || said(licenseConcluded), supplier: said(supplier).replace(/^(Organization|Person): /, ''),
      purl: externalRefs.find(({ referenceType }) => referenceType === 'purl')?.referenceLocator ?? '',
    }))
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** Pure: those in which all of the words are found. */
export function withWords(packs: readonly Pack[], text: string): readonly Pack[] {
  const words = text.toLowerCase().split(/\s+/).filter((word) => word !== '');
  return words.length === 0 ? packs : packs.filter((pack) => words.every((word) => Object.values(pack).some((value: string) => value.toLowerCase().includes(word))));
}
