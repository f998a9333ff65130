import { runDefinition } from '@berth/runtime';
import { leaseService } from './lease.module.js';

await runDefinition(leaseService);
