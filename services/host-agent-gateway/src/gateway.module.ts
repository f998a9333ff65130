import type { ServiceDefinition } from '@berth/runtime';
import { GatewayApp } from './gateway.app.js';
import { GatewayHandlers } from './gateway.handlers.js';

class GatewayModule {}

/** All the wiring of the host-agent gateway. */
export const gatewayService: ServiceDefinition = {
  name: 'host-agent-gateway',
  module(runtime) {
    const app = new GatewayApp(runtime);
    runtime.metrics.gauge('berth_ssh_connections', 'Connections of the gateway to hosts over SSH, by how they are.', ['state'], (gauge) => {
      for (const [state, count] of Object.entries(app.connections())) gauge.set({ state }, count);
    });
    return {
      module: { module: GatewayModule, controllers: [GatewayHandlers], providers: [{ provide: GatewayApp, useFactory: () => app }] },
      parts: [app.secrets.opening, app.follower, app.secrets.telling],
    };
  },
};
