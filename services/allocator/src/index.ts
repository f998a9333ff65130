export { allocatorService } from './allocator.module.js';
