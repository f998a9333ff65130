export { connectBus, type BusClient } from './bus.js';
export { httpClient, type Accepted, type BerthHttp, type Download, type LeaseInput, type ListOptions, type WriteOptions } from './http.js';
export { ProblemError } from './problem.js';
export { berthHome, readCliConfig, type CliConfig } from './config.js';
export { Channel } from './channel.js';
export {
  ended, type ActionView, type ArtifactView, type BlueprintView, type BuildStatus, type BuildView, type Health, type HistoryEntry, type LeaseView, type LiveEvent,
  type MachineView, type Page, type PlanView, type Problem, type ResourceView, type StepOutcome, type StepView,
} from './api.js';
