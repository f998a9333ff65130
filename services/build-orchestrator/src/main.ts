import { runDefinition } from '@berth/runtime';
import { buildOrchestratorService } from './build-orchestrator.module.js';

await runDefinition(buildOrchestratorService);
