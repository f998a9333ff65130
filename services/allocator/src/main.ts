import { runDefinition } from '@berth/runtime';
import { allocatorService } from './allocator.module.js';

await runDefinition(allocatorService);
