import type { ServiceDefinition } from '@berth/runtime';
import { LeaseApp } from './lease.app.js';
import { LeaseHandlers } from './lease.handlers.js';

class LeaseModule {}

/** All the wiring of the lease service. */
export const leaseService: ServiceDefinition = {
  name: 'lease',
  module(runtime) {
    const app = new LeaseApp(runtime);
    return {
      module: { module: LeaseModule, controllers: [LeaseHandlers], providers: [{ provide: LeaseApp, useFactory: () => app }] },
      parts: [app.follower],
    };
  },
};
