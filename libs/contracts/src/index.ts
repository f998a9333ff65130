export { uuid, name, instant, attributes, wants, platform, duration, durationMs, span, derivedId, unreachable } from './scalars.js';
export { nearest } from './nearest.js';
export { principal, allow, type Allow } from './who.js';
export { expression, satisfies, ExpressionFault, type Expression } from './expression.js';
export {
  services, writers, commandEnvelope, fieldError, answer, rejected, refusals, commitSchema, subjects, outputHeaders, deadHeaders, RETRY_OF, statusEvent,
  type ServiceName, type Kind, type CommandEnvelope, type FieldError, type Answer, type Refusal, type RefusalCode, type EventOf, type Commit,
  type Recorded, type StatusEvent,
} from './bus.js';
export { credential, hostKey, hostAccess, machineSpec, changedMachine, type HostAccess, type MachineSpec, type MachineChanges } from './machine.js';
export {
  resourceType, blueprintKind, blueprintKinds, blueprintSpec, builtInBlueprints, pool, launchFault,
  type ResourceType, type BlueprintKind, type BlueprintSpec, type BlueprintOf, type Pool, type LaunchFault,
} from './blueprint.js';
export { workingCopySpec, type WorkingCopySpec } from './working-copy.js';
export { quota, type Quota } from './fleet.js';
export { explanation, considered, consideredCode, type Explanation, type Considered, type ConsideredCode } from './explanation.js';
export { leaseRequest, waiting, type LeaseRequest } from './lease.js';
export { insidePath, glob, secretName, commandShell, keptFile, actionSpec, actionResult, terminalSize, type CommandShell, type KeptFile, type ActionSpec, type ActionKind, type ActionResult, type TerminalSize } from './action.js';
export {
  managementInterfaces, worker, workerId, hardwareSpec, hardwareGroupSpec, rebootMethods, rebootMethod, escalationStep,
  type ManagementInterfaces, type InterfaceKind, type Worker, type HardwareSpec, type HardwareGroupSpec, type RebootMethod, type EscalationStep,
} from './hardware.js';
export { jobNeed, jobNeeds, type JobNeed } from './job-needs.js';
export { jobTasks, jobTask, jobRight, jobStatus, machineOutcome, attemptFault, ticket, type JobTask, type JobRight, type JobStatus, type MachineOutcome, type AttemptFault, type Ticket } from './job.js';
export {
  assignedBy, attributeQuery, bootedFrom, CATALOG, catalogEntries, catalogEntryKind, cellState, deployableState, imageStatus, imageTarget, imageTargets, imageTemplate, neededBy, objectAttributes, objectQuery, offerOf, QueryFault, rebuild, replicaStore, replicationPolicy, retention,
  targetSettings, templateSource, versionUse,
  type AccountSpec, type AssignedBy, type AttributeQuery, type CatalogEntry, type CatalogEntryKind, type CatalogSpec, type CellFacts, type CellState, type DeployableSpec, type EnvironmentSpec, type ImageStatus, type ImageTarget, type ImageTemplate,
  type MadeImage, type Needed, type ObjectFacts, type Offer, type PoolSpec, type ProviderKind, type ProviderSpec, type Rebuild, type ReplicaStore, type ReplicationPolicy, type Retention, type TargetSettings, type VersionUse,
} from './image/index.js';
export { MOST_SECRET_BYTES, sealedValue, type SealedValue } from './secret.js';
export { plan, savedPlan, planVariable, type Plan, type SavedPlan, type PlanVariable } from './plan.js';
export { planDocument } from './plan-schema.js';
export { stepSchemas, isTemplate, TEMPLATE, type Step, type SavedStep, type StepKindName, type StepWith } from './steps.js';
export { artifactUri, artifactType, type ArtifactType, type Failure } from './build.js';
export {
  commands, events, type CommandType, type CommandData, type CommandInput, type EventsOf, type AnyRecorded, type MachineEvent, type BlueprintEvent, type FleetEvent, type ResourceEvent,
  type LeaseEvent, type ActionEvent, type SecretEvent, type HardwareEvent, type HardwareGroupEvent, type JobEvent, type PlanEvent, type BuildEvent, type CatalogEvent, type ImageEvent, type ReplicationEvent, type TokenEvent, type AccessEvent, type WebhookEvent,
} from './catalog.js';
export { role, scope, type Role } from './token.js';
export { statusKinds, webhookCommands, webhookSpec, type WebhookSpec } from './webhook.js';
export { fieldErrors, summary } from './problems.js';
export { longestWay, type Part } from './estimate.js';
export {
  reportFormats, reportFormat, knownReportFormat, testCounts, lintCounts, testFinding, lintFinding, finding, reportSummary, report,
  type ReportFormat, type KnownReportFormat, type TestCounts, type LintCounts, type TestFinding, type LintFinding, type Finding, type ReportSummary, type Report,
} from './report.js';
export { artifactName, objectName } from './object-name.js';
export { LiveEnd, type LiveListener, type LiveTimes } from './live/end.js';
export { checkedBodies, type LiveEnding, type LiveOpening } from './live/bodies.js';
export { decodeFrame, encodeFrame, MOST_DATA, type Bodies, type Frame, type LiveStream } from './live/frame.js';
export { refusedVariable } from './variables.js';
export { jsonSchema, type JsonSchema } from './json-schema.js';
