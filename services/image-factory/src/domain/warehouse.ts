import { imageTargets, objectAttributes, type ImageTarget, type KeptFile } from '@berth/contracts';
import type { Version } from './image.js';

const kinds = ['image', 'sbom'] as const;

/** A file that was built, with what is known of it. */
export interface WarehouseObject {
  /** `<version>/<target>/<image|sbom>` */
  id: string;
  /** in the store of artifacts */
  file: KeptFile;
  /** what queries ask about */
  attributes: Readonly<Record<string, string>>;
  /** what copies of it are called: unlike its name among artifacts it says what it is */
  path: string;
}

/** What the warehouse has of a version: what is complete and stays. */
export function objectsOf(image: string, version: Version, os: Readonly<Record<string, unknown>>): WarehouseObject[] {
  if (version.deletion !== undefined) return [];
  const { number, use, labels, attributes } = version;
  const texts = Object.fromEntries(Object.entries(os).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  return [...version.targets].flatMap(([target, { status, made }]) => {
    if (status !== 'COMPLETE' || !made) return [];
    return kinds.flatMap((kind): WarehouseObject[] => {
      const file = kind === 'image' ? made.object : made.sbom;
      if (!file) return [];
      const facts = objectAttributes({ image, number, target, kind, os: texts, bytes: file.bytes, use, revoked: version.revoked?.due === true, labels, attributes });
      return [{ id: idOf(version.id, target, kind), file, attributes: facts, path: `${image}/${number}/${target}/${file.name}` }];
    });
  });
}

const idOf = (version: string, target: ImageTarget, kind: (typeof kinds)[number]): string => `${version}/${target}/${kind}`;

/** Every object that a version can have. */
export const possibleObjects = (version: string): string[] => imageTargets.flatMap((target) => kinds.map((kind) => idOf(version, target, kind)));

export const versionOf = (object: string): string => object.split('/', 1)[0]!;

/** The file that lies beside a copy. Its keys are sorted, so that the same attributes are the same bytes. */
export const attributesFile = (attributes: Readonly<Record<string, string>>): string => `${JSON.stringify(Object.fromEntries(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))), undefined, 2)}\n`;

export const attributesPath = (path: string): string => `${path}.attributes.json`;
