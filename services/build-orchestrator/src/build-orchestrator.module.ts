import type { ServiceDefinition } from '@berth/runtime';
import { BuildOrchestratorApp } from './build-orchestrator.app.js';
import { BuildOrchestratorHandlers } from './build-orchestrator.handlers.js';

class BuildOrchestratorModule {}

/** All the wiring of the build orchestrator. */
export const buildOrchestratorService: ServiceDefinition = {
  name: 'build-orchestrator',
  module(runtime) {
    const app = new BuildOrchestratorApp(runtime);
    return {
      module: { module: BuildOrchestratorModule, controllers: [BuildOrchestratorHandlers], providers: [{ provide: BuildOrchestratorApp, useFactory: () => app }] },
      parts: [app.follower],
    };
  },
};
