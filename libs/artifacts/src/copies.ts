import { plainFolderObjects } from './folder.js';
import type { Objects } from './objects.js';
import type { S3Options } from './s3.js';
import type { ArtifactsSetting } from './setting.js';

/** A store for copies of what another store holds. */
export type CopiesSetting =
  | Extract<ArtifactsSetting, { kind: 'folder' }>
  | (Extract<ArtifactsSetting, { kind: 's3' }> & Required<Pick<S3Options, 'access' | 'named'>>);

/** Opens it. In a folder, objects are plain files under their names. */
export async function openCopies(setting: CopiesSetting): Promise<Objects> {
  if (setting.kind === 'folder') return plainFolderObjects(setting.path);
  const { access, named, ...where } = setting;
  // The SDK takes a third of a second and 25 MiB to load: only those pay for it who use it.
  return (await import('./s3.js')).s3Objects(where, { access, named });
}
