export { startBerth } from './berth.js';
export type { Berth, BerthOptions } from './berth.js';
export { up } from './up.js';
