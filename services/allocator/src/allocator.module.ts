import type { ServiceDefinition } from '@berth/runtime';
import { AllocatorApp } from './allocator.app.js';
import { AllocatorHandlers } from './allocator.handlers.js';

class AllocatorModule {}

/** All the wiring of the allocator. */
export const allocatorService: ServiceDefinition = {
  name: 'allocator',
  module(runtime) {
    const app = new AllocatorApp(runtime);
    return {
      module: { module: AllocatorModule, controllers: [AllocatorHandlers], providers: [{ provide: AllocatorApp, useFactory: () => app }] },
      parts: [app.follower],
    };
  },
};
