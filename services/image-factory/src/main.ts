import { runDefinition } from '@berth/runtime';
import { imageFactoryService } from './image-factory.module.js';

await runDefinition(imageFactoryService);
