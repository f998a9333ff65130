import { openArtifacts } from '@berth/artifacts';
import type { ServiceDefinition } from '@berth/runtime';
import { ImageFactoryApp } from './image-factory.app.js';
import { ImageFactoryHandlers } from './image-factory.handlers.js';
import { openProviders } from './providers/index.js';
import { targets } from './targets/index.js';

class ImageFactoryModule {}

/** All the wiring of the image factory. */
export const imageFactoryService: ServiceDefinition = {
  name: 'image-factory',
  module(runtime) {
    const app = new ImageFactoryApp(runtime, openArtifacts(runtime.config.artifacts, runtime.connection), targets, openProviders({ log: (line) => runtime.log.warn(line) }));
    return {
      module: { module: ImageFactoryModule, controllers: [ImageFactoryHandlers], providers: [{ provide: ImageFactoryApp, useFactory: () => app }] },
      parts: [app.follower],
    };
  },
};
