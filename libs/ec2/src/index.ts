export { Connections, type Clients, type Place } from './connections.js';
export { credentialsOf, type Credentials, type CredentialsConfig } from './credentials.js';
export { commonMeaning, type CommonMeaning } from './codes.js';
export { CredentialsMissing, ForeignAnswer, troubleOf, type CallTrouble } from './trouble.js';
export { filter, images } from './images.js';
export { quietSdk } from './quiet.js';
export { callTiming, pollAfter, retryAfter, type CallTiming, type PollTiming } from './timing.js';
