import type { ServiceDefinition } from '@berth/runtime';
import { GatewayApp } from './gateway.app.js';
import { GatewayHandlers } from './gateway.handlers.js';

class GatewayModule {}

/** All the wiring of the host-agent gateway. */
export const gatewayService: ServiceDefinition = {
  name: 'host-agent-gateway',
  module(runtime) {
    const app = new GatewayApp(runtime);
    return {
      module: { module: GatewayModule, controllers: [GatewayHandlers], providers: [{ provide: GatewayApp, useFactory: () => app }] },
      parts: [app.secrets.opening, app.follower, app.secrets.telling],
    };
  },
};
