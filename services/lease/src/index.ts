export { leaseService } from './lease.module.js';
