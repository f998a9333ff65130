export { ConflictError, UnavailableError, UnreadableError, type EventStore, type Feed } from './store.js';
export { memoryStore } from './memory.js';
export { jetStreamStore, isOutage } from './jetstream.js';
export { jetStreamFeed } from './feed.js';
export { decodeCommit, encodeCommit, streamOf } from './commit.js';
export { requestsOf, type Requests } from './requests.js';
