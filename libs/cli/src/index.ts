export { buildWatcher, type BuildWatcher, type Screen } from './watcher.js';
export { isRepository, snapshotRepository, type Snapshot } from './repository.js';
export { withRepository } from './plan-file.js';
export { watchBuild } from './follow.js';
export { run } from './program.js';
export type { Io } from './context.js';
