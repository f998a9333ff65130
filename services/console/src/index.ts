export { startConsole, type ConsoleExtra, type RunningConsole } from './console.module.js';
export { openDatabase } from './views/schema.js';
export { rebuildProjection, type Progress } from './views/rebuild.js';
