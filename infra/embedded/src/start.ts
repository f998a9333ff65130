import { up } from './up.js';

await up();
