export { CHECKOUT, ensureHome, lockHome, resolveHome, stopStale } from './home.js';
export type { HomeLock } from './home.js';
export { findNatsServer, startNats } from './nats.js';
export type { NatsOptions, NatsServer } from './nats.js';
export { findProgram, searchFolders } from './programs.js';
export type { Search } from './programs.js';
