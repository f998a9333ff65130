export { uuid, name, instant, attributes, platform, duration, durationMs, derivedId, unreachable } from './scalars.js';
export {
  services, writers, commandEnvelope, fieldError, answer, rejected, refusals, commitSchema, subjects, outputHeaders, statusEvent,
  type ServiceName, type Kind, type CommandEnvelope, type FieldError, type Answer, type Refusal, type RefusalCode, type EventOf, type Commit,
  type Recorded, type StatusEvent,
} from './bus.js';
export { credential, hostKey, hostAccess, machineSpec, type HostAccess, type MachineSpec } from './machine.js';
export { resourceType, blueprintName, builtInBlueprints, workingCopySpec, type ResourceType, type BlueprintName, type WorkingCopySpec } from './resource.js';
export { leaseRequest, type LeaseRequest } from './lease.js';
export { insidePath, actionSpec, actionResult, type ActionSpec, type ActionKind, type ActionResult } from './action.js';
export { plan, savedPlan, step, runStep, uploadArtifactStep, type Plan, type Step } from './build.js';
export {
  commands, events, type CommandType, type CommandData, type CommandInput, type EventsOf, type AnyRecorded, type MachineEvent, type ResourceEvent,
  type LeaseEvent, type ActionEvent, type PlanEvent, type BuildEvent,
} from './catalog.js';
export { fieldErrors, summary } from './problems.js';
