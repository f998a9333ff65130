export type { Listed, ObjectFacts, Objects, OpenObject, PutOptions, Range } from './objects.js';
export { ChangedError, CorruptError, FullError, InvalidNameError, TooLargeError, UnavailableError } from './errors.js';
export { readSetting, SettingError, type ArtifactsSetting } from './setting.js';
export { jetStreamObjects } from './jetstream.js';
export { openArtifacts } from './open.js';
export { openCopies, type CopiesSetting } from './copies.js';
export { verified } from './stream.js';
