export { serverConf, supportsSyncAlways } from './server-conf.js';
export type { ServerConf, SyncPolicy } from './server-conf.js';
export { applyStreams, artifactBucket, streams, transferBucket } from './streams.js';
export { addressOptions, shownAddress } from './address.js';
