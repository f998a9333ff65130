import { Ajv } from 'ajv';

const closed = (properties: Record<string, unknown>, required: readonly string[] = Object.keys(properties)) => ({ type: 'object', properties, required, additionalProperties: false });
const text = { type: 'string' };
const id = { type: 'string', pattern: '^SPDXRef-[A-Za-z0-9.-]+$' };

/** What SPDX 2.3 asks of the parts that are used here: the names, what is required and the enumerations as in its schema, the forms of ids, times and URIs as in its text. */
const document = closed({
  spdxVersion: { const: 'SPDX-2.3' },
  dataLicense: { const: 'CC0-1.0' },
  SPDXID: { const: 'SPDXRef-DOCUMENT' },
  name: { type: 'string', minLength: 1 },
  documentNamespace: { type: 'string', pattern: '^https://[^#\\s]+$' },
  creationInfo: closed({ created: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$' }, creators: { type: 'array', minItems: 1, items: { type: 'string', pattern: '^(Person|Organization|Tool): ' } } }),
  packages: {
    type: 'array',
    minItems: 1,
    items: closed(
      {
        SPDXID: id,
        name: { type: 'string', minLength: 1 },
        versionInfo: text,
        downloadLocation: { const: 'NOASSERTION' },
        filesAnalyzed: { const: false },
        primaryPackagePurpose: { enum: ['OTHER', 'INSTALL', 'ARCHIVE', 'FIRMWARE', 'APPLICATION', 'FRAMEWORK', 'LIBRARY', 'CONTAINER', 'SOURCE', 'DEVICE', 'OPERATING_SYSTEM', 'FILE'] },
        externalRefs: { type: 'array', items: closed({ referenceCategory: { enum: ['OTHER', 'PERSISTENT-ID', 'SECURITY', 'PACKAGE-MANAGER'] }, referenceType: { const: 'purl' }, referenceLocator: { type: 'string', pattern: '^pkg:(deb|rpm)/[!-~]+$' } }) },
      },
      ['SPDXID', 'name', 'downloadLocation', 'filesAnalyzed'],
    ),
  },
  relationships: { type: 'array', items: closed({ spdxElementId: id, relationshipType: { enum: ['DESCRIBES', 'CONTAINS'] }, relatedSpdxElement: id }) },
});

export interface Spdx {
  name: string;
  documentNamespace: string;
  packages: { SPDXID: string; name: string; versionInfo: string; externalRefs?: { referenceLocator: string }[] }[];
  relationships: { spdxElementId: string; relationshipType: string; relatedSpdxElement: string }[];
}

/** The document, once it is held against SPDX 2.3. @throws Error that says what is wrong with it */
export function readSpdx(json: string): Spdx {
  const ajv = new Ajv({ allErrors: true });
  const value = JSON.parse(json) as unknown;
  if (!ajv.validate(document, value)) throw new Error(`it is no SPDX 2.3: ${ajv.errorsText()}`);
  const spdx = value as Spdx;
  const ids = new Set(['SPDXRef-DOCUMENT', ...spdx.packages.map(({ SPDXID }) => SPDXID)]);
  if (ids.size !== spdx.packages.length + 1) throw new Error('an id stands there twice');
  for (const { spdxElementId, relatedSpdxElement } of spdx.relationships) for (const one of [spdxElementId, relatedSpdxElement]) if (!ids.has(one)) throw new Error(`${one} is related and not there`);
  if (spdx.relationships.filter(({ relationshipType }) => relationshipType === 'DESCRIBES').length !== 1) throw new Error('it describes something else than one image');
  return spdx;
}

/** `NAME VERSION` of what is installed in the image. */
export const packagesOf = ({ packages }: Spdx): string[] => packages.filter(({ SPDXID }) => SPDXID !== 'SPDXRef-Image').map(({ name, versionInfo }) => `${name} ${versionInfo}`).sort();
