export { imageFactoryService } from './image-factory.module.js';
