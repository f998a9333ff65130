export { uuid, name, instant, attributes, wants, platform, duration, durationMs, span, derivedId, unreachable } from './scalars.js';
export { expression, satisfies, ExpressionFault, type Expression } from './expression.js';
export {
  services, writers, commandEnvelope, fieldError, answer, rejected, refusals, commitSchema, subjects, outputHeaders, statusEvent,
  type ServiceName, type Kind, type CommandEnvelope, type FieldError, type Answer, type Refusal, type RefusalCode, type EventOf, type Commit,
  type Recorded, type StatusEvent,
} from './bus.js';
export { credential, hostKey, hostAccess, machineSpec, type HostAccess, type MachineSpec } from './machine.js';
export {
  resourceType, blueprintKind, blueprintKinds, blueprintSpec, builtInBlueprints, principal, pool, launchFault,
  type ResourceType, type BlueprintKind, type BlueprintSpec, type BlueprintOf, type Pool, type LaunchFault,
} from './blueprint.js';
export { workingCopySpec, type WorkingCopySpec } from './working-copy.js';
export { quota, type Quota } from './fleet.js';
export { explanation, considered, consideredCode, type Explanation, type Considered, type ConsideredCode } from './explanation.js';
export { leaseRequest, waiting, type LeaseRequest } from './lease.js';
export { insidePath, actionSpec, actionResult, type ActionSpec, type ActionKind, type ActionResult } from './action.js';
export { plan, savedPlan, step, runStep, uploadArtifactStep, type Plan, type Step } from './build.js';
export {
  commands, events, type CommandType, type CommandData, type CommandInput, type EventsOf, type AnyRecorded, type MachineEvent, type BlueprintEvent, type FleetEvent, type ResourceEvent,
  type LeaseEvent, type ActionEvent, type PlanEvent, type BuildEvent,
} from './catalog.js';
export { fieldErrors, summary } from './problems.js';
export { refusedVariable } from './variables.js';
