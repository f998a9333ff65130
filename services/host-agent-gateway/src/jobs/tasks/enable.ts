export { enable } from './disable.js';
