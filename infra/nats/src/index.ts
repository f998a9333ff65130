export { serverConf, supportsSyncAlways } from './server-conf.js';
export type { ServerConf, SyncPolicy } from './server-conf.js';
export { applyStreams, artifactBucket, streams, transferBucket } from './streams.js';
export { addressOptions, shownAddress, withLogin } from './address.js';
export type { TlsFiles } from './address.js';
export { busUsers, inboxPrefixOf, permissions } from './permissions.js';
export type { BusUser, Rights } from './permissions.js';
export { authorization, passwordVariable, permissionsConf } from './authorization.js';
export { inboxOf } from './inbox.js';
