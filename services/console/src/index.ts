export { controllers, startConsole, type ConsoleExtra, type RunningConsole } from './console.module.js';
export { openDatabase } from './views/schema.js';
export { rebuildProjection, type Progress } from './views/rebuild.js';
export { apiOf, type Api } from './http/api.js';
