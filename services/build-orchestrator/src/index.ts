export { buildOrchestratorService } from './build-orchestrator.module.js';
